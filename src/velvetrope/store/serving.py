"""Who does the work of a database: one process on SQLite, the workers on PostgreSQL."""

from __future__ import annotations

from datetime import timedelta
from typing import Final, Protocol

from django.db import connection
from django.db.models.functions import Now

from velvetrope.store.models import Worker

#: Seconds without a sign of life after which a worker counts as dead.
DEAD_AFTER: Final = 8.0


class AlreadyServedError(Exception):
    """Another process serves this database; `pid` is its process id, 0 if it can't be told."""

    def __init__(self, place: str, pid: int) -> None:
        self.place = place
        self.pid = pid
        super().__init__(f"process {pid or 'unknown'} serves {place} already: stop it first")


def count_workers() -> int:
    """Count the workers that live; none on SQLite, where there are no others."""
    alive = Worker.objects.filter(seen_at__gte=Now() - timedelta(seconds=DEAD_AFTER))
    return alive.count()


class Serving(Protocol):
    """Held from its making until `close`, or until the process ends."""

    def close(self) -> None: ...


def serve_alone() -> Serving:
    """Keep others from serving the database of this process; raises AlreadyServedError."""
    place = str(connection.settings_dict["NAME"])
    if connection.vendor == "sqlite":
        from velvetrope.store.sqlite.serving import ServingLock  # noqa: PLC0415  one of both

        return ServingLock(place)
    from velvetrope.store.postgresql.serving import AdvisoryLock  # noqa: PLC0415  the same

    return AdvisoryLock(place)
