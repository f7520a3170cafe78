"""Filters of lists by state, which read no more rows than they show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib.admin import SimpleListFilter

from velvetrope.domain.states import EventState, ItemState
from velvetrope.store.unfinished import (
    EVENT_STATES,
    ITEM_STATES,
    unfinished_events,
    unfinished_items,
)
from velvetrope.web.console.paging import DEEPEST as MOST

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin
    from django.db.models import QuerySet
    from django.http import HttpRequest


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
