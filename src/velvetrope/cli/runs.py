"""Runs of reconciliation that a command ordered: waited for to their end, and told of."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from velvetrope.cli.failures import CommandError
from velvetrope.cli.waiting import do_unless_served, is_due
from velvetrope.domain.states import EventState, Source
from velvetrope.store.models import AuditEntry, InboxEvent, Integration, StripeAccount
from velvetrope.usecases.reconciling.orders import LISTED, LOOKED

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from velvetrope.cli.output import Record
    from velvetrope.settings import Settings
    from velvetrope.usecases.operations import Run

_OPEN: Final = (EventState.PENDING.value, EventState.CLAIMED.value)
_PAUSE: Final = 0.1
#: Jobs that are done before it is looked again what there is.
_BATCH: Final = 200


def finish_run(settings: Settings, run: Run, *, seconds: float) -> None:
    """Have all jobs of a run done: by the server if one runs, else here.

    CommandError if that takes longer, or if something failed, which the server tries again.
    """
    deadline = time.monotonic() + seconds
    while _jobs(run).filter(state__in=_OPEN).exists():
        failed = _jobs(run).filter(state__in=_OPEN, attempts__gt=0).first()
        if failed is not None:
            raise CommandError(
                f"Not everything could be looked at ({failed.error_code})",
                where=f"event {failed.pk}",
                remedy="The server tries it again; see: velvetrope doctor",
            )
        if time.monotonic() > deadline:
            raise CommandError(
                f"It was not done within {seconds:g} seconds",
                remedy="The server goes on with it; wait longer with --wait",
            )
        do_unless_served(settings, lambda: _due(run))
        time.sleep(_PAUSE)
    dead = _jobs(run).filter(state=EventState.DEAD.value).first()
    if dead is not None:
        raise CommandError(
            f"Not everything could be looked at ({dead.error_code})",
            where=f"event {dead.pk}",
            remedy="Mend the cause, then replay it with: velvetrope deadletters replay",
        )


def told(run: Run) -> list[Record]:
    """Give what a run has put on record: a line for each account and for each bot."""
    entries = AuditEntry.objects.filter(action__in=(LISTED, LOOKED), id__gt=run.since)
    found: list[Record] = []
    for entry in entries.order_by("id"):
        after = entry.after if isinstance(entry.after, dict) else {}
        if after.get("run") == run.name:
            counts = {name: int(count) for name, count in after.items() if name != "run"}
            found.append({"what": _name(entry), "found": counts})
    return found


def _name(entry: AuditEntry) -> str:
    if entry.action == LISTED:
        return f"Stripe account {StripeAccount.objects.get(id=entry.subject_id).name}"
    return f"people of {Integration.objects.get(id=entry.subject_id).name}"


def _jobs(run: Run) -> QuerySet[InboxEvent]:
    return InboxEvent.objects.defer("payload").filter(
        source=Source.JOB.value,
        account__in=run.integration_ids,
        external_id__gt=f"{run.name}:",
        external_id__lt=f"{run.name};",
    )


def _due(run: Run) -> list[int]:
    rows = _jobs(run).filter(state=EventState.PENDING.value).order_by("id")
    return [row.pk for row in rows.only("id", "due_at")[:_BATCH] if is_due(row)]
