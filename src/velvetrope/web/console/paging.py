"""Lists that stay quick however long the tables grow: nothing counts a whole table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.utils.functional import cached_property

from velvetrope.web.console.vendor import ChangeList, Paginator

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest

#: Rows that can be leafed through; older ones are found by searching.
DEEPEST: Final = 5000


class CappedPaginator(Paginator[Any]):
    """Counts to `DEEPEST` and no further."""

    template_name = "console/pagination.html"
    object_list: QuerySet[Any]

    @cached_property
    def count(self) -> int:
        """Give the number of rows, at most `DEEPEST` (the database stops there, too)."""
        # Without an order the database may answer from whatever index is the smallest.
        return self.object_list.order_by()[:DEEPEST].count()

    @property
    def is_capped(self) -> bool:
        return self.count >= DEEPEST


class CappedChangeList(ChangeList):
    """A list that says how many rows it found, and never how many there are."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        # Unfold offers «show all» where the two differ.
        self.full_result_count = self.result_count
