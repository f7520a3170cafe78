"""One serving process for each PostgreSQL database, while its work is handed over in memory."""

from __future__ import annotations

import re
import time
from contextlib import suppress
from typing import Final

import psycopg
from django.db import connection

from velvetrope.store.serving import AlreadyServedError

#: The key of the lock, in the two numbers that the server shows them as: «velvet», «serves».
KEY: Final = (0x76656C76, 0x73727673)

#: Seconds between two tries: the server may take a moment to see that a session has ended.
_PAUSE: Final = 0.05

_HOLDERS: Final = """
    SELECT a.application_name FROM pg_locks l JOIN pg_stat_activity a USING (pid)
    WHERE l.locktype = 'advisory' AND l.granted AND l.classid = %s AND l.objid = %s
      AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
_PID: Final = re.compile(r"velvetrope (\d+)@")


class AdvisoryLock:
    """Holds a lock of a session of its own: the server frees it when the session ends."""

    def __init__(self, place: str, patience: float = 0.0) -> None:
        parameters = {**connection.get_connection_params(), "cursor_factory": psycopg.Cursor}
        with connection.wrap_database_errors:
            self._session = psycopg.connect(**parameters, autocommit=True)
            holder = self._try()
            ends = time.monotonic() + patience
            while holder is not None and time.monotonic() < ends:
                time.sleep(_PAUSE)
                holder = self._try()
        if holder is not None:
            self._session.close()
            raise AlreadyServedError(place, holder)

    def _try(self) -> int | None:
        """Take the lock; gives the process id of who has it, 0 if it can't be told."""
        row = self._session.execute("SELECT pg_try_advisory_lock(%s, %s)", KEY).fetchone()
        if row is not None and row[0]:
            return None
        holder = self._session.execute(_HOLDERS, KEY).fetchone()
        found = _PID.match(holder[0]) if holder else None
        return int(found[1]) if found else 0

    def close(self) -> None:
        """Let another process serve, from this very moment on."""
        with suppress(psycopg.Error):  # a session that was lost holds nothing any more
            self._session.execute("SELECT pg_advisory_unlock_all()")
        self._session.close()
