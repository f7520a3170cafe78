"""What is not done yet, or failed, found by the partial indexes that hold just these rows.

The states stand in the statement itself: SQLite uses a partial index only where it sees, before a
value is bound, that the condition is the index's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.db.models import BooleanField
from django.db.models.expressions import RawSQL

from velvetrope.domain.states import EventState, ItemState
from velvetrope.store.models import InboxEvent, OutboxItem

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import QuerySet

EVENT_STATES: Final = (EventState.PENDING, EventState.CLAIMED)
ITEM_STATES: Final = (ItemState.PENDING, ItemState.CLAIMED, ItemState.SUSPENDED)


def unfinished_events(rows: QuerySet[InboxEvent] | None = None) -> QuerySet[InboxEvent]:
    found = InboxEvent.objects.all() if rows is None else rows
    return found.filter(_literally("store_inboxevent", EVENT_STATES))


def dead_events() -> QuerySet[InboxEvent]:
    return InboxEvent.objects.filter(_is_dead())


def unfinished_items() -> QuerySet[OutboxItem]:
    return OutboxItem.objects.filter(_literally("store_outboxitem", ITEM_STATES))


def _literally(table: str, states: Iterable[EventState | ItemState]) -> RawSQL:
    words = ", ".join(f"'{state.value}'" for state in states)
    sql = f'"{table}"."state" IN ({words})'
    return RawSQL(sql, (), output_field=BooleanField())  # noqa: S611  made of constants only


def _is_dead() -> RawSQL:
    sql = f'"store_inboxevent"."state" = \'{EventState.DEAD.value}\''
    return RawSQL(sql, (), output_field=BooleanField())  # noqa: S611  made of constants only
