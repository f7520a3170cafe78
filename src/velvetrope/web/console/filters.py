"""Filters beside lists that never read a whole table to offer their choices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.admin import SimpleListFilter

from velvetrope.store.models import Integration

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin
    from django.db.models import QuerySet
    from django.http import HttpRequest

#: More bots than this are reached from their own pages.
_OFFERED = 100


class IntegrationFilter(SimpleListFilter):
    """Narrows a list down to one integration; `path` leads from the row to its id."""

    title = "integration"
    parameter_name = "integration"
    path = "integration_id"

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
        return queryset.filter(**{self.path: int(value)})


class PlanIntegrationFilter(IntegrationFilter):
    path = "plan__integration_id"


class ChatIntegrationFilter(IntegrationFilter):
    path = "chat__integration_id"
