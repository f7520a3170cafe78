"""Alerts: what needs an operator now, where it is mended, and what there was before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.contrib import admin
from django.contrib.admin import SimpleListFilter

from velvetrope.store.models import Alert, Chat
from velvetrope.usecases import operations
from velvetrope.usecases.wording.alert_endings import ENDINGS
from velvetrope.usecases.wording.problems import explain
from velvetrope.web.console import moments, pieces
from velvetrope.web.console.base import RecordAdmin
from velvetrope.web.console.filters import IntegrationFilter
from velvetrope.web.console.people_search import number_of
from velvetrope.web.console.pieces import Fact, Record

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin
    from django.db.models import QuerySet
    from django.http import HttpRequest
    from django.utils.safestring import SafeString

    from velvetrope.usecases.operations import AlertInWords

#: Open alerts that the overview shows; the list has all.
SHOWN: Final = 20
#: Where what an alert is about has a page.
_PAGES: Final = {
    "chat": "chat",
    "plan": "plan",
    "customer": "customer",
    "entitlement": "entitlement",
    "integration": "integration",
}


class OpenFilter(SimpleListFilter):
    """Narrows alerts down to those that are open, or over."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> list[tuple[str, str]]:
        return [("open", "open"), ("over", "over")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "open":
            return queryset.filter(closed_at=None)
        return queryset.filter(closed_at__isnull=False) if self.value() == "over" else queryset


class AlertAdmin(RecordAdmin[Alert]):
    nothing_yet = "Nothing needs you. What does is listed here, with what to do about it."
    list_display = ("since", "what", "whose", "state", "told")
    list_filter = (OpenFilter, IntegrationFilter)
    list_select_related = ("integration", "stripe_account")
    search_fields = ("code",)
    search_help_text = "A code, such as missing_rights"
    ordering = ("-id",)
    sortable_by = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Alert]:
        return without_secrets(super().get_queryset(request))

    @admin.display(description="since")
    def since(self, row: Alert) -> SafeString:
        return moments.when(row.opened_at)

    @admin.display(description="what")
    def what(self, row: Alert) -> str:
        said = explain({"code": row.code, "data": row.data})
        return f"{said.what} {said.details}".strip()

    @admin.display(description="of")
    def whose(self, row: Alert) -> str:
        return str(row.integration or row.stripe_account or "everything")

    @admin.display(description="state")
    def state(self, row: Alert) -> SafeString:
        return _state(row)

    @admin.display(description="told")
    def told(self, row: Alert) -> SafeString:
        return moments.ago(row.told_at)

    def rows_for_page(self, rows: QuerySet[Alert]) -> QuerySet[Alert]:
        return rows.select_related("integration", "stripe_account")

    def record(self, request: HttpRequest, row: Alert) -> Record:
        found = operations.in_words([row])[0]
        url, label = place_of(row)
        return Record(
            title=found.said.what.rstrip("."),
            badges=[_state(row)],
            problems=[found.said],
            facts=[
                Fact("Mend it at", pieces.link(url, label)),
                Fact("Of", found.where),
                Fact("Since", moments.when(row.opened_at)),
                Fact("Ends", ENDINGS.get(row.code, "–")),
                Fact("Over since", moments.when(row.closed_at)),
                Fact("Told", _told(row)),
                Fact("Told of its end", moments.when(row.end_told_at)),
                Fact("Id", pieces.code(row.pk)),
            ],
        )


def without_secrets(rows: QuerySet[Alert]) -> QuerySet[Alert]:
    return rows.defer(
        "integration__token",
        "integration__webhook_secret",
        "stripe_account__api_key",
        "stripe_account__webhook_secrets",
    )


def open_ones() -> dict[str, object]:
    """Give what the overview shows of open alerts, the newest first."""
    found = operations.list_alerts(is_open=True, limit=SHOWN + 1)
    return {
        "lines": [_line(one) for one in found[:SHOWN]],
        "more": pieces.list_url("alert", state="open") if len(found) > SHOWN else "",
    }


def badge_of(request: HttpRequest) -> str:
    """Give the number in the menu; nothing when all is well."""
    if not request.user.has_perm("store.view_alert"):
        return ""
    number = operations.open_alerts()[:1000].count()
    return str(number) if number else ""


def place_of(row: Alert) -> tuple[str, str]:
    """Give the address and the name of the page where it is mended."""
    kind, _, key = row.subject.partition(":")
    if row.code == "dead_letters":
        query = {} if row.integration_id is None else {"integration": row.integration_id}
        return pieces.with_query(pieces.page_url("dead_letters"), query), "dead letters"
    if row.code == "removals_held":
        return pieces.page_url("removals"), "removals"
    if (page := _PAGES.get(kind)) is not None and number_of(key) is not None:
        label = str(Chat.objects.filter(id=key).first() or "the chat") if kind == "chat" else kind
        return pieces.row_url(page, key), label
    if row.integration_id is not None:
        return pieces.row_url("integration", row.integration_id), str(row.integration)
    if row.stripe_account_id is not None:
        return pieces.row_url("stripeaccount", row.stripe_account_id), str(row.stripe_account)
    return pieces.page_url("index"), "overview"


def _line(one: AlertInWords) -> dict[str, object]:
    url, label = place_of(one.row)
    return {
        "said": one.said,
        "where": one.where,
        "page": pieces.row_url("alert", one.row.pk),
        "url": url,
        "label": label,
        "since": moments.ago(one.row.opened_at),
        "told": one.row.told_at is not None,
    }


def _state(row: Alert) -> SafeString:
    return pieces.badge("open", "bad") if row.closed_at is None else pieces.badge("over", "good")


def _told(row: Alert) -> str | SafeString:
    if row.told_at is not None or row.closed_at is not None:
        return moments.when(row.told_at)
    return "not yet: nobody is named who hears of alerts, or the bot itself can't speak"
