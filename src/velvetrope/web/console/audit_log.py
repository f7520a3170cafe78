"""The audit log: who did what, to be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin

from velvetrope.store.models import AuditEntry
from velvetrope.web.console import moments, pieces
from velvetrope.web.console.base import RecordAdmin
from velvetrope.web.console.filters import IntegrationFilter
from velvetrope.web.console.people_search import number_of
from velvetrope.web.console.pieces import Block, Fact, Record

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest
    from django.utils.safestring import SafeString

#: Where a subject of an entry has a page.
_PAGES = {
    "integration": "integration",
    "chat": "chat",
    "plan": "plan",
    "customer": "customer",
    "event": "inboxevent",
    "item": "outboxitem",
    "stripe_account": "stripeaccount",
}


class AuditAdmin(RecordAdmin[AuditEntry]):
    list_display = ("moment", "actor", "action", "on", "change")
    list_filter = (IntegrationFilter,)
    search_fields = ("subject",)  # what shows the box; get_search_results does it
    search_help_text = "What and its id, such as integration:5 or event:123"
    ordering = ("-id",)
    sortable_by = ()

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[AuditEntry], search_term: str
    ) -> tuple[QuerySet[AuditEntry], bool]:  # fmt: skip
        """Find by subject, which has an index; a number alone is an entry's id."""
        term = search_term.strip()
        if not term:
            return queryset, False
        if (number := number_of(term)) is not None:
            return queryset.filter(id=number), False
        subject, separator, key = term.partition(":")
        found = queryset.filter(subject=subject)
        return (found.filter(subject_id=key) if separator else found), False

    @admin.display(description="at")
    def moment(self, row: AuditEntry) -> SafeString:
        return moments.when(row.at)

    @admin.display(description="on")
    def on(self, row: AuditEntry) -> SafeString | str:
        return _subject(row)

    @admin.display(description="change")
    def change(self, row: AuditEntry) -> str:
        names = ", ".join(name for name, _, _ in changes(row.before, row.after))
        return pieces.shortened(names, 60)

    def record(self, request: HttpRequest, row: AuditEntry) -> Record:
        cause: SafeString | str = "–"
        if row.cause:
            cause = pieces.link(pieces.row_url("inboxevent", row.cause), row.cause)
        return Record(
            title=row.action,
            facts=[
                Fact("At", moments.when(row.at)),
                Fact("Who", row.actor),
                Fact("What", row.action),
                Fact("On", _subject(row)),
                Fact("Caused by event", cause),
            ],
            tables=[
                pieces.Table(
                    "Changes",
                    ("What", "Before", "After"),
                    [
                        (name, pieces.code(before), pieces.code(after))
                        for name, before, after in changes(row.before, row.after)
                    ],
                    empty="No values.",
                )
            ],
            blocks=[
                Block(title, pieces.pretty(value))
                for title, value in (("Before", row.before), ("After", row.after))
                if isinstance(value, list | str)
            ],
        )


def changes(before: object, after: object) -> list[tuple[str, str, str]]:
    """Give the values that differ as (name, before, after)."""
    old = before if isinstance(before, dict) else {}
    new = after if isinstance(after, dict) else {}
    return [
        (name, _shown(old.get(name)), _shown(new.get(name)))
        for name in [*old, *(name for name in new if name not in old)]
        if not (old and new and old.get(name) == new.get(name))
    ]


def _shown(value: object) -> str:
    return "–" if value is None else value if isinstance(value, str) else pieces.pretty(value)


def _subject(row: AuditEntry) -> SafeString | str:
    text = f"{row.subject} {row.subject_id}"
    page = _PAGES.get(row.subject)
    if page is None or number_of(row.subject_id) is None:
        return text
    return pieces.link(pieces.row_url(page, row.subject_id), text)
