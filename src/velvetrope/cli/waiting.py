"""Durable work that a command ordered, done by whoever may do it."""

from __future__ import annotations

import time
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Final

from velvetrope.cli.failures import CommandError
from velvetrope.cli.vendors import with_vendors
from velvetrope.domain.errors import VelvetError
from velvetrope.domain.states import EventState, Source
from velvetrope.store.clock import present
from velvetrope.store.models import InboxEvent
from velvetrope.store.serving import AlreadyServedError, serve_alone

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from velvetrope.bootstrap import Application
    from velvetrope.settings import Settings

_OPEN: Final = frozenset({EventState.PENDING.value, EventState.CLAIMED.value})
_PAUSE: Final = 0.05


def finish_job(
    settings: Settings, integration_id: int, external_id: str, *, seconds: float
) -> InboxEvent:
    """Have a job done that is named by its external id; gives its row as it then is."""
    row = InboxEvent.objects.only("id").get(
        source=Source.JOB, account=integration_id, external_id=external_id
    )
    return finish_event(settings, row.pk, seconds=seconds)


def finish_event(settings: Settings, event_id: int, *, seconds: float) -> InboxEvent:
    """Have one event done: by the server if one runs, else here, so that no lane runs twice.

    Gives the row once it is done or dead, or failed a try. CommandError if that takes longer.
    """
    deadline = time.monotonic() + seconds
    while (row := _row(event_id)).state in _OPEN and not row.attempts:
        if time.monotonic() > deadline:
            raise CommandError(
                f"It was not done within {seconds:g} seconds",
                where=f"event {event_id}",
                remedy=f"The server will go on; see: velvetrope events show {event_id}",
            )
        if row.state == EventState.PENDING and is_due(row):
            do_unless_served(settings, lambda: [event_id])
        time.sleep(_PAUSE)
    return row


def do_unless_served(settings: Settings, find: Callable[[], Sequence[int]]) -> None:
    """Do the events that are found, by their ids, unless a server has the database."""
    try:
        lock = serve_alone()
    except AlreadyServedError:
        return
    with closing(lock):
        if ids := find():
            with_vendors(settings, lambda application: _do(application, ids))


async def _do(application: Application, ids: Sequence[int]) -> None:
    for event_id in ids:
        # A failed try was written down with its error: the caller tells of it.
        with suppress(VelvetError):
            await application.pipeline.run_one(event_id)


def is_due(row: InboxEvent) -> bool:
    return row.due_at is None or row.due_at <= present()


def newest_job(integration_id: int, kind: str) -> str:
    """Give the external id of the job that a use case has just left for an integration."""
    jobs = InboxEvent.objects.filter(source=Source.JOB, account=integration_id, kind=kind)
    return jobs.only("external_id").latest("id").external_id


def server_pid() -> int | None:
    """Give the process that serves this database; None if none does."""
    try:
        serve_alone().close()
    except AlreadyServedError as error:
        return error.pid
    return None


def _row(event_id: int) -> InboxEvent:
    return InboxEvent.objects.defer("payload").get(id=event_id)
