"""What a worker has to know of bots whose delivery lanes come to it, and who is told of it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

from django.db.models import Max

from velvetrope.domain.states import ItemState
from velvetrope.pipeline.events import Event, Item
from velvetrope.store.models import Integration, OutboxItem
from velvetrope.store.unfinished import unfinished_items

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from velvetrope.pipeline.dialect.leases import Calls

#: (integration, chat or None for all, until when Telegram wants silence).
Pause: TypeAlias = "tuple[int, int | None, datetime]"
#: A call that was made, and when.
Made: TypeAlias = "tuple[Item, datetime]"

#: The longest window that Telegram counts calls in.
_WINDOW: Final = timedelta(seconds=60)


class Receiver(Protocol):
    """Takes over in memory what was leased; in the event loop."""

    def take_lanes(self, events: Sequence[Event], held: Mapping[str, datetime]) -> None: ...

    def take_bots(self, calls: Calls, pauses: Sequence[Pause], made: Sequence[Made]) -> None: ...

    def leave_bots(self, bots: Sequence[int]) -> None: ...


def read_pauses(now: datetime, integration_ids: Collection[int] | None = None) -> list[Pause]:
    """Read how long Telegram wants which bots and groups to be silent; None: all bots."""
    bots = Integration.objects.filter(paused_until__gt=now)
    items = unfinished_items().filter(error_code="too_many_requests", due_at__gt=now, chat_id__lt=0)
    if integration_ids is not None:
        bots = bots.filter(id__in=integration_ids)
        items = items.filter(integration_id__in=integration_ids)
    whole = [
        (key, None, until)
        for key, until in bots.values_list("id", "paused_until")
        if until is not None
    ]
    groups = items.values_list("integration_id", "chat_id").annotate(until=Max("due_at"))
    return [*whole, *groups]


def read_made(now: datetime, integration_ids: Collection[int]) -> list[Made]:
    """Read the calls that bots made within the last minute, oldest first."""
    rows = OutboxItem.objects.filter(
        integration_id__in=integration_ids,
        state=ItemState.SENT.value,
        finished_at__gt=now - _WINDOW,
    ).order_by("finished_at")
    made: list[Made] = []
    for row in rows.defer("params", "error"):
        item = Item(
            id=row.id,
            integration_id=row.integration_id,
            customer_id=row.customer_id,
            chat_id=row.chat_id,
            method=row.method,
            params=b"",
            priority=row.priority,
        )
        if row.finished_at is not None:
            made.append((item, row.finished_at))
    return made
