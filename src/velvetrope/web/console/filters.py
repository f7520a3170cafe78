"""Filters beside lists that never read a whole table to offer their choices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.admin import SimpleListFilter
from django.db.models import Q
from django.db.models.functions import Coalesce

from velvetrope.store.models import Chat, Integration, Plan

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin
    from django.db.models import QuerySet
    from django.http import HttpRequest

#: More bots than this are reached from their own pages.
_OFFERED = 100
#: Plans or chats of one integration, at most.
_OWNERS = 500


class IntegrationFilter(SimpleListFilter):
    """Narrows a list down to one integration."""

    title = "integration"
    parameter_name = "integration"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> list[tuple[str, str]]:
        rows = Integration.objects.order_by("name").values_list("id", "name")[:_OFFERED]
        return [(str(key), name) for key, name in rows]

    def has_output(self) -> bool:
        return True

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if not value:
            return queryset
        if not (value.isascii() and value.isdigit()):
            return queryset.none()
        return queryset.filter(integration_id=int(value))


class OwnedFilter(IntegrationFilter):
    """For rows that belong to an integration through `column`, an id of one of `model`'s rows.

    The ids are looked up first, and the column is hidden in an expression: by its index the
    database would sort all rows of the integration to find the newest, and it reads fewer by
    going through the newest of all.
    """

    column = ""
    model: type[Plan | Chat]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Narrow down by the ids that belong to the integration."""
        owners = super().queryset(request, self.model.objects.values_list("id", flat=True))
        if not self.value():
            return queryset
        found = list(owners[:_OWNERS])
        one = Q(**{self.column: found[0]}) if len(found) == 1 else None
        narrowed: QuerySet[Any] = (
            queryset.annotate(owner=Coalesce(self.column, 0)).filter(owner__in=found)
            if one is None
            else queryset.filter(one)
        )
        return narrowed


class PlanIntegrationFilter(OwnedFilter):
    column = "plan_id"
    model = Plan


class ChatIntegrationFilter(OwnedFilter):
    column = "chat_id"
    model = Chat
