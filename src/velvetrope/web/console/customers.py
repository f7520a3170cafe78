"""The pages of customers: everything about one person in one place, and grants by hand."""

from __future__ import annotations

from datetime import UTC, date
from typing import TYPE_CHECKING

from django.contrib import admin
from django.utils.html import format_html
from django.utils.safestring import SafeString

from velvetrope.domain.days import end_of_day
from velvetrope.domain.states import GIVEN, EntitlementKind
from velvetrope.domain.validation import Invalid
from velvetrope.store.models import Customer, Entitlement, Plan
from velvetrope.usecases import operations
from velvetrope.web.console import customer_tables, moments, pieces, why
from velvetrope.web.console.actors import actor_of
from velvetrope.web.console.base import PageAction, RecordAdmin
from velvetrope.web.console.filters import IntegrationFilter
from velvetrope.web.console.people_search import find_customers, number_of
from velvetrope.web.console.pieces import Fact, Record
from velvetrope.web.console.prices import price_of
from velvetrope.web.console.rights import who

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from django.db.models import QuerySet
    from django.http import HttpRequest

REINVITE_QUESTION = (
    "The bot writes to the person and shows the way in to every chat that they hold a right to; "
    "if somebody banned them there, the ban is lifted. Send it?"
)
REVOKE_QUESTION = (
    "The grant ends now; without another entitlement the person is let out. Revoke it?"
)


class CustomerAdmin(RecordAdmin[Customer]):
    nothing_yet = "Nobody yet. People are listed here once they press Start in a bot."
    audit_subject = "customer"
    list_display = (
        "person",
        "handle",
        "telegram_user_id",
        "integration",
        "stripe",
        "came",
        "state",
    )
    list_filter = (IntegrationFilter,)
    list_select_related = ("integration",)
    search_fields = ("telegram_user_id",)  # what shows the box; find_customers does it
    search_help_text = "Telegram id, @username, or cus_…"
    ordering = ("-id",)
    sortable_by = ()

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Customer], search_term: str
    ) -> tuple[QuerySet[Customer], bool]:  # fmt: skip
        return find_customers(queryset, search_term), False

    @admin.display(description="customer")
    def person(self, row: Customer) -> str:
        return who(row)

    @admin.display(description="username")
    def handle(self, row: Customer) -> str:
        return f"@{row.username}" if row.username else ""

    @admin.display(description="Stripe")
    def stripe(self, row: Customer) -> SafeString:
        return pieces.code(row.stripe_customer_id)

    @admin.display(description="since")
    def came(self, row: Customer) -> SafeString:
        return moments.ago(row.created_at)

    @admin.display(description="")
    def state(self, row: Customer) -> SafeString:
        return _unreachable(row)

    def rows_for_page(self, rows: QuerySet[Customer]) -> QuerySet[Customer]:
        return rows.select_related("integration__stripe_account").defer(
            "integration__token",
            "integration__webhook_secret",
            "integration__stripe_account__api_key",
            "integration__stripe_account__webhook_secrets",
        )

    def name_of(self, row: Customer) -> str:
        handle = f" @{row.username}" if row.username else ""
        return f"{who(row)}{handle}"

    def page_actions(self, request: HttpRequest) -> Sequence[PageAction[Customer]]:
        return (
            PageAction("sync", "Sync now", _sync),
            PageAction(
                "reinvite", "Invite again", _reinvite, REINVITE_QUESTION, shown=_holds_a_right
            ),
            PageAction("message", "Write", _message, has_form=True),
            PageAction("grant", "Grant access", _grant, look="primary", has_form=True),
            PageAction("revoke", "Revoke", _revoke, REVOKE_QUESTION, "danger", has_form=True),
        )

    def record(self, request: HttpRequest, row: Customer) -> Record:
        may_act = self.may_act(request)
        entitlements = customer_tables.entitlements_of(row)
        grants = [one for one in entitlements if one.kind in GIVEN and one.holds]
        panel: dict[str, object] = {
            "plans": [(plan.pk, f"{plan} ({price_of(plan)})") for plan in _plans(row)],
            "grant_url": self.action_url(row, "grant"),
            "revoke_url": self.action_url(row, "revoke"),
            "grants": [(one.pk, _revoke_label(one)) for one in grants],
            "today": moments.now().date().isoformat(),
            "message_url": self.action_url(row, "message"),
            "paid": any(one.kind not in GIVEN for one in entitlements),
            "stripe_url": _stripe_url(row),
        }
        story = why.story_of(request, row)
        facts = [*_facts(row), *_payers(row, entitlements)]
        return Record(
            title=self.name_of(row),
            badges=_badges(row, entitlements),
            lead=[why.lead(request, story)],
            panels=[
                *([("console/grant.html", panel)] if may_act else []),
                why.timeline(request, story),
                ("console/about.html", {"title": "About this person", "facts": facts}),
            ],
            tables=customer_tables.tables_of(row, entitlements),
        )


def _badges(row: Customer, entitlements: Sequence[Entitlement]) -> list[SafeString]:
    holds = any(one.holds for one in entitlements)
    badges = [pieces.badge("paid up", "good") if holds else pieces.badge("no entitlement", "off")]
    if row.blocked_at:
        badges.append(_unreachable(row))
    return badges


def _unreachable(row: Customer) -> SafeString:
    """Say why no message reaches the person; nothing if they do."""
    if row.deactivated_at:
        return pieces.badge("Telegram account deleted", "bad")
    return pieces.badge("blocks the bot", "warn") if row.blocked_at else SafeString("")


def _payers(row: Customer, entitlements: Sequence[Entitlement]) -> list[Fact]:
    """Say who pays, if that is somebody else; it doesn't matter for what the person holds."""
    others = {
        one.stripe_customer_id: one
        for one in entitlements
        if one.stripe_customer_id and one.stripe_customer_id != row.stripe_customer_id
    }
    return [Fact("Paid for by", _payer(row, name)) for name in others]


def _payer(row: Customer, name: str) -> SafeString:
    account = row.integration.stripe_account_id
    known = Customer.objects.filter(
        stripe_customer_id=name, integration__stripe_account_id=account
    ).first()
    if known is None:
        return format_html("{}, nobody known here", pieces.code(name))
    return format_html("{} ({})", pieces.row_link(known, who(known)), pieces.code(name))


def _facts(row: Customer) -> list[Fact]:
    languages = [text for text in (row.chosen_language, row.telegram_language) if text]
    return [
        Fact("Integration", pieces.row_link(row.integration)),
        Fact("Telegram id", pieces.code(row.telegram_user_id)),
        Fact("Username", f"@{row.username}" if row.username else "–"),
        Fact("Language", languages[0] if languages else "the integration's"),
        Fact("Stripe customer", pieces.code(row.stripe_customer_id)),
        Fact("Came from", row.source or "–"),
        Fact("Pressed /start", moments.when(row.started_at)),
        Fact("Blocked the bot", moments.when(row.blocked_at)),
        Fact("Telegram account deleted", moments.when(row.deactivated_at)),
        Fact("Known since", moments.when(row.created_at)),
        Fact("Id", pieces.code(row.pk)),
    ]


def _revoke_label(grant: Entitlement) -> str:
    until = f"until {grant.period_end:%Y-%m-%d}" if grant.period_end else "for ever"
    what = "claim" if grant.kind == EntitlementKind.CLAIM else "grant"
    return f"Revoke the {what} of {grant.plan}, {until}"


def _plans(row: Customer) -> QuerySet[Plan]:
    return Plan.objects.filter(integration_id=row.integration_id)


def _grant(request: HttpRequest, row: Customer) -> str:
    plan_id = number_of(request.POST.get("plan", ""))
    if plan_id is None or not _plans(row).filter(pk=plan_id).exists():
        raise Invalid("plan_unknown", "plan", "", "Choose one of the plans.")
    until = _last_moment(request.POST.get("until", "").strip())
    operations.grant(row.pk, plan_id, until, request.POST.get("note", ""), actor_of(request))
    return "The grant is on its way: reload in a moment."


def _revoke(request: HttpRequest, row: Customer) -> str:
    key = number_of(request.POST.get("entitlement", ""))
    if key is None or not Entitlement.objects.filter(pk=key, customer=row).exists():
        raise Invalid("grant_unknown", "entitlement", "", "There is no such grant.")
    operations.revoke(key, request.POST.get("note", ""), actor_of(request))
    return "The grant is being revoked: reload in a moment."


def _sync(request: HttpRequest, row: Customer) -> str:
    operations.sync(row.pk, actor_of(request))
    return "Stripe and Telegram are being asked: reload in a moment to see what came of it."


def _holds_a_right(row: Customer) -> bool:
    return Entitlement.objects.filter(customer=row, holds=True).exists()


def _reinvite(request: HttpRequest, row: Customer) -> str:
    operations.reinvite(row.pk, actor_of(request))
    return "The way in is being sent: reload in a moment to see what came of it."


def _message(request: HttpRequest, row: Customer) -> str:
    operations.write_to(row.pk, request.POST.get("text", ""), actor_of(request))
    return "The message is on its way: reload in a moment to see what came of it."


def _stripe_url(row: Customer) -> str:
    """Give the customer's page at Stripe; empty if there is none."""
    if not row.stripe_customer_id:
        return ""
    mode = "" if row.integration.stripe_account.livemode else "test/"
    return f"https://dashboard.stripe.com/{mode}customers/{row.stripe_customer_id}"


def _last_moment(value: str) -> datetime | None:
    """Read the last day of a grant as its last second (UTC); None for ever."""
    if not value:
        return None
    try:
        return end_of_day(date.fromisoformat(value), UTC)
    except ValueError:
        remedy = "Give the last day as 2026-12-31, or leave it empty for ever."
        raise Invalid("date_malformed", "until", value[:20], remedy) from None
