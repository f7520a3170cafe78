"""What is not done yet, or failed, found by the partial indexes that hold just these rows.

The states stand in the statement itself: SQLite uses a partial index only where it sees, before a
value is bound, that the condition is the index's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.db.models import BooleanField
from django.db.models.expressions import RawSQL

from velvetrope.domain.states import CheckoutState, EventState, ItemState
from velvetrope.store.models import Checkout, InboxEvent, OutboxItem

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from django.db.models import QuerySet

EVENT_STATES: Final = (EventState.PENDING, EventState.CLAIMED)
ITEM_STATES: Final = (ItemState.PENDING, ItemState.CLAIMED, ItemState.SUSPENDED)
CHECKOUT_STATES: Final = (CheckoutState.OPEN, CheckoutState.PENDING)


def unfinished_events(rows: QuerySet[InboxEvent] | None = None) -> QuerySet[InboxEvent]:
    found = InboxEvent.objects.all() if rows is None else rows
    return found.filter(_literally("store_inboxevent", EVENT_STATES))


def dead_events() -> QuerySet[InboxEvent]:
    return InboxEvent.objects.filter(_literally("store_inboxevent", (EventState.DEAD,)))


def unfinished_of(lanes: Iterable[str]) -> QuerySet[InboxEvent]:
    """Give what lies in some lanes and is not done: most lanes have none, and a long history."""
    return unfinished_events().filter(lane__in=list(lanes))


def unfinished_items() -> QuerySet[OutboxItem]:
    return OutboxItem.objects.filter(_literally("store_outboxitem", ITEM_STATES))


def dead_items() -> QuerySet[OutboxItem]:
    return OutboxItem.objects.filter(_literally("store_outboxitem", (ItemState.DEAD,)))


def unsettled_checkouts() -> QuerySet[Checkout]:
    return Checkout.objects.filter(_literally("store_checkout", CHECKOUT_STATES))


def _literally(table: str, states: Collection[EventState | ItemState | CheckoutState]) -> RawSQL:
    words = ", ".join(f"'{state.value}'" for state in states)
    sql = f'"{table}"."state" ' + (f"IN ({words})" if len(states) > 1 else f"= {words}")
    return RawSQL(sql, (), output_field=BooleanField())  # noqa: S611  made of constants only
