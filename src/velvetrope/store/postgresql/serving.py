"""Whoever does work on a PostgreSQL database without being one of its workers."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Final

import psycopg
from django.db import connection

from velvetrope.store.serving import DEAD_AFTER, AlreadyServedError

#: The key of the lock, in the two numbers that the server shows them as: «velv», «srvs».
KEY: Final = (0x76656C76, 0x73727673)

_WORKERS: Final = (
    "SELECT name FROM store_worker WHERE seen_at >= now() - make_interval(secs => %s) ORDER BY id"
)
_PID: Final = re.compile(r"(\d+)@")


class AdvisoryLock:
    """Held by one at a time, and by nobody while there are workers: they do the work themselves.

    It belongs to a session of its own: the server frees it when the session ends.
    """

    def __init__(self, place: str) -> None:
        parameters = {**connection.get_connection_params(), "cursor_factory": psycopg.Cursor}
        with connection.wrap_database_errors:
            self._session = psycopg.connect(**parameters, autocommit=True)
            holder = self._try()
        if holder is not None:
            self._session.close()
            raise AlreadyServedError(place, holder)

    def _try(self) -> int | None:
        """Take the lock; gives the process id of a worker, 0 if it can't be told."""
        row = self._session.execute("SELECT pg_try_advisory_lock(%s, %s)", KEY).fetchone()
        if row is None or not row[0]:
            return 0
        worker = self._session.execute(_WORKERS, [DEAD_AFTER]).fetchone()
        if worker is None:
            return None
        found = _PID.match(worker[0])
        return int(found[1]) if found else 0

    def close(self) -> None:
        """Let another process have it, from this very moment on."""
        with suppress(psycopg.Error):  # a session that was lost holds nothing any more
            self._session.execute("SELECT pg_advisory_unlock_all()")
        self._session.close()
