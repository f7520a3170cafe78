"""Durable work that a command ordered, done by whoever may do it."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from velvetrope.cli.failures import CommandError
from velvetrope.cli.vendors import with_vendors
from velvetrope.domain.errors import VelvetError
from velvetrope.domain.states import EventState, Source
from velvetrope.store.clock import present
from velvetrope.store.models import InboxEvent
from velvetrope.store.serving import AlreadyServedError, serve_alone

if TYPE_CHECKING:
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
        if row.state == EventState.PENDING and _is_due(row):
            _run_unless_served(settings, event_id)
        time.sleep(_PAUSE)
    return row


def _run_unless_served(settings: Settings, event_id: int) -> None:
    try:
        lock = serve_alone()
    except AlreadyServedError:
        return
    try:
        # A failed try was written down with its error: the caller tells of it.
        with suppress(VelvetError):
            with_vendors(settings, lambda application: application.pipeline.run_one(event_id))
    finally:
        lock.close()


def _is_due(row: InboxEvent) -> bool:
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
