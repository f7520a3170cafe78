"""Unfinished work, found by its partial indexes.

SQLite uses a partial index only for a query that repeats its condition word for word, so the
states stand in the SQL itself and not among the bound values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib.admin import SimpleListFilter
from django.db.models import BooleanField, QuerySet
from django.db.models.expressions import RawSQL

from velvetrope.domain.states import EventState, ItemState
from velvetrope.store.models import InboxEvent, OutboxItem
from velvetrope.web.console.paging import DEEPEST as MOST

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.contrib.admin import ModelAdmin
    from django.http import HttpRequest

EVENT_STATES = (EventState.PENDING, EventState.CLAIMED)
ITEM_STATES = (ItemState.PENDING, ItemState.CLAIMED, ItemState.SUSPENDED)


def unfinished_events(rows: QuerySet[InboxEvent] | None = None) -> QuerySet[InboxEvent]:
    found = InboxEvent.objects.all() if rows is None else rows
    return found.filter(_literally("store_inboxevent", EVENT_STATES))


def unfinished_items() -> QuerySet[OutboxItem]:
    return OutboxItem.objects.filter(_literally("store_outboxitem", ITEM_STATES))


def _literally(table: str, states: Iterable[EventState | ItemState]) -> RawSQL:
    words = ", ".join(f"'{state.value}'" for state in states)
    sql = f'"{table}"."state" IN ({words})'
    return RawSQL(sql, (), output_field=BooleanField())  # noqa: S611  made of constants only


class EventStateFilter(SimpleListFilter):
    """Narrows events down to a state; unfinished ones are found without reading the others."""

    title = "state"
    parameter_name = "state"
    states: ClassVar[type[EventState | ItemState]] = EventState
    indexed: ClassVar[tuple[EventState | ItemState, ...]] = EVENT_STATES

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> list[tuple[str, str]]:
        return [(state.value, state.value) for state in self.states]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if not value:
            return queryset
        if value in self.indexed:
            # Read at once: within another query the table would go by another name.
            found = self.unfinished().filter(state=value).values_list("id", flat=True)
            return queryset.filter(id__in=list(found[:MOST]))
        return queryset.filter(state=value)

    def unfinished(self) -> QuerySet[Any]:
        return unfinished_events()


class ItemStateFilter(EventStateFilter):
    states = ItemState
    indexed = ITEM_STATES

    def unfinished(self) -> QuerySet[Any]:
        return unfinished_items()
