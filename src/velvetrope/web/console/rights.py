"""The lists of what follows for customers: entitlements, access, checkouts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from django.contrib import admin
from django.db.models import Model, QuerySet

from velvetrope.store.models import Access, Checkout, Entitlement
from velvetrope.web.console import moments, pieces
from velvetrope.web.console.base import RecordAdmin
from velvetrope.web.console.filters import ChatIntegrationFilter, PlanIntegrationFilter
from velvetrope.web.console.people_search import customer_ids, number_of
from velvetrope.web.console.pieces import Fact, Record

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.utils.safestring import SafeString

M = TypeVar("M", bound=Model)


class OfCustomerAdmin(RecordAdmin[M]):
    """Rows of a customer: found by the customer, or by Stripe's id in `stripe_column`."""

    stripe_column = ""
    search_fields = ("id",)  # what shows the box; get_search_results does it
    ordering = ("-id",)
    sortable_by = ()

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[M], search_term: str
    ) -> tuple[QuerySet[M], bool]:  # fmt: skip
        term = search_term.strip()
        if not term:
            return queryset, False
        if self.stripe_column and "_" in term and not term.startswith(("cus_", "@")):
            return queryset.filter(**{self.stripe_column: term}), False
        if self.stripe_column and term.startswith(("grant:", "claim:")):
            return queryset.filter(**{self.stripe_column: term}), False
        found = list(customer_ids(term)[:100])
        own = queryset.filter(pk=number_of(term) or 0)
        return queryset.filter(customer_id__in=found) | own, False

    @admin.display(description="customer")
    def person(self, row: Any) -> SafeString:
        return pieces.row_link(row.customer, who(row.customer))


class EntitlementAdmin(OfCustomerAdmin[Entitlement]):
    audit_subject = "entitlement"
    stripe_column = "external_id"
    list_display = ("external_id", "person", "plan_name", "kind", "stated", "opens", "until")
    list_filter = ("kind", "holds", PlanIntegrationFilter)
    list_select_related = ("customer", "plan")
    search_help_text = "sub_…, pi_…, Telegram id, @username or cus_…"

    @admin.display(description="plan")
    def plan_name(self, row: Entitlement) -> str:
        return str(row.plan)

    @admin.display(description="status")
    def stated(self, row: Entitlement) -> SafeString:
        return pieces.badge(row.status)

    @admin.display(description="opens")
    def opens(self, row: Entitlement) -> SafeString:
        return pieces.yes_no(row.holds)

    @admin.display(description="until")
    def until(self, row: Entitlement) -> SafeString:
        return moments.when(row.ends_at or row.period_end)

    def rows_for_page(self, rows: QuerySet[Entitlement]) -> QuerySet[Entitlement]:
        return rows.select_related("customer", "plan__integration")

    def record(self, request: HttpRequest, row: Entitlement) -> Record:
        return Record(
            title=row.external_id,
            badges=[pieces.badge(row.status), pieces.yes_no(row.holds, yes="opens", no="closed")],
            facts=[
                Fact("Customer", pieces.row_link(row.customer, who(row.customer))),
                Fact("Plan", pieces.row_link(row.plan)),
                Fact("Integration", pieces.row_link(row.plan.integration)),
                Fact("Kind", row.get_kind_display()),
                Fact("Billed price", pieces.code(row.price_id)),
                Fact("Status", row.status),
                Fact("Opens", "yes" if row.holds else "no"),
                Fact("Reason", row.reason.replace("_", " ")),
                Fact("Decided", moments.when(row.decided_at)),
                Fact("Decided again", moments.when(row.recheck_at)),
                Fact("Began", moments.when(row.starts_at)),
                Fact("Period ends", moments.when(row.period_end)),
                Fact("Ends", moments.when(row.ends_at)),
                Fact("Trial ends", moments.when(row.trial_end)),
                Fact("Past due since", moments.when(row.past_due_since)),
                Fact("Collection paused", "yes" if row.collection_paused else "no"),
                Fact("Refund", row.get_refund_display()),
                Fact("Dispute", row.get_dispute_display()),
                Fact("Asked Stripe", moments.when(row.synced_at)),
                Fact("Note", row.note or "–"),
            ],
        )


class AccessAdmin(OfCustomerAdmin[Access]):
    list_display = ("title", "person", "should", "seen", "seen_at", "action", "problem")
    list_filter = ("desired", "observed", ChatIntegrationFilter)
    list_select_related = ("customer", "chat")
    search_help_text = "Telegram id, @username or cus_…"

    @admin.display(description="chat")
    def title(self, row: Access) -> str:
        return str(row.chat)

    @admin.display(description="should be in")
    def should(self, row: Access) -> SafeString:
        return pieces.yes_no(row.desired)

    @admin.display(description="seen")
    def seen(self, row: Access) -> SafeString:
        return pieces.badge(row.observed)

    @admin.display(description="seen at")
    def seen_at(self, row: Access) -> SafeString:
        return moments.ago(row.observed_at)

    def rows_for_page(self, rows: QuerySet[Access]) -> QuerySet[Access]:
        return rows.select_related("customer", "chat__integration")

    def record(self, request: HttpRequest, row: Access) -> Record:
        return Record(
            title=f"{who(row.customer)} in {row.chat}",
            badges=[
                pieces.badge(row.observed),
                pieces.yes_no(row.desired, yes="should be in", no="should be out"),
            ],
            facts=[
                Fact("Customer", pieces.row_link(row.customer, who(row.customer))),
                Fact("Chat", pieces.row_link(row.chat)),
                Fact("Integration", pieces.row_link(row.chat.integration)),
                Fact("Should be in", "yes" if row.desired else "no"),
                Fact("Since", moments.when(row.desired_at)),
                Fact("Seen", row.get_observed_display()),
                Fact("Seen at", moments.when(row.observed_at)),
                Fact("Asked to enter", moments.when(row.requested_at)),
                Fact("Let in", moments.when(row.let_in_at)),
                Fact("Under way", row.action or "–"),
                Fact("Problem", row.problem or "–"),
            ],
        )  # fmt: skip


class CheckoutAdmin(OfCustomerAdmin[Checkout]):
    stripe_column = "stripe_session_id"
    list_display = ("session", "person", "plan_name", "stated", "made")
    list_filter = ("state", PlanIntegrationFilter)
    list_select_related = ("customer", "plan")
    search_help_text = "cs_…, Telegram id, @username or cus_…"

    @admin.display(description="session")
    def session(self, row: Checkout) -> str:
        return pieces.shortened(row.stripe_session_id, 30)

    @admin.display(description="plan")
    def plan_name(self, row: Checkout) -> str:
        return str(row.plan)

    @admin.display(description="state")
    def stated(self, row: Checkout) -> SafeString:
        return pieces.badge(row.state)

    @admin.display(description="made")
    def made(self, row: Checkout) -> SafeString:
        return moments.ago(row.created_at)

    def rows_for_page(self, rows: QuerySet[Checkout]) -> QuerySet[Checkout]:
        return rows.select_related("customer", "plan__integration")

    def record(self, request: HttpRequest, row: Checkout) -> Record:
        return Record(
            title=str(row.plan),
            badges=[pieces.badge(row.state)],
            facts=[
                Fact("Customer", pieces.row_link(row.customer, who(row.customer))),
                Fact("Plan", pieces.row_link(row.plan)),
                Fact("Integration", pieces.row_link(row.plan.integration)),
                Fact("Session", pieces.code(row.stripe_session_id)),
                Fact("Made", moments.when(row.created_at)),
                Fact("Expires", moments.when(row.expires_at)),
            ],
        )


def who(customer: Any) -> str:
    """Name a person shortly: the name that Telegram gave, else the id."""
    return pieces.visible(customer.first_name) or str(customer.telegram_user_id)
