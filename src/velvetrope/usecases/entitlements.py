"""Entitlement rows: brought up to date from what was seen, and decided again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from velvetrope.domain.access import Decision, EntitlementFacts, Reason, decide
from velvetrope.domain.standing import Standing, describe
from velvetrope.domain.states import Dispute, EntitlementKind, Refund
from velvetrope.store.models import Customer, Entitlement
from velvetrope.usecases.reminding import planning

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet

    from velvetrope.domain.policy import Policy
    from velvetrope.gateways.stripe.snapshots import PaymentSnapshot, SubscriptionSnapshot
    from velvetrope.pipeline.work import Work
    from velvetrope.store.catalogue import PlanView

#: What Stripe's statuses of a dispute mean; every other one is open.
DISPUTES = {
    "warning_needs_response": Dispute.WARNING,
    "warning_under_review": Dispute.WARNING,
    "warning_closed": Dispute.WON,
    "won": Dispute.WON,
    "prevented": Dispute.WON,
    "lost": Dispute.LOST,
}
#: Decisions that no policy changes.
SETTLED = (Reason.ENDED.value, Reason.UNPAID.value)
#: The worst first: what counts where there are several.
_WORST = (Dispute.LOST, Dispute.OPEN, Dispute.WARNING, Dispute.WON)


@dataclass(frozen=True, slots=True)
class Change:
    """An entitlement before and after; `was` is None when it is new."""

    entitlement: Entitlement
    was: bool | None
    now: Decision
    #: Whether it is for another plan than before.
    moved: bool = False

    @property
    def opened(self) -> bool:
        return self.now.holds and not self.was

    @property
    def closed(self) -> bool:
        return self.was is True and not self.now.holds


def facts_of(row: Entitlement) -> EntitlementFacts:
    """Give what the rules want to know of a row."""
    return EntitlementFacts(
        kind=EntitlementKind(row.kind),
        status=row.status,
        period_end=row.period_end,
        ends_at=row.ends_at,
        past_due_since=row.past_due_since,
        refund=Refund(row.refund),
        dispute=Dispute(row.dispute),
        seen_at=row.synced_at,
        held=row.holds,
        collection_paused=row.collection_paused,
    )


def open_to_change() -> QuerySet[Entitlement]:
    """Give the rights about which another policy could decide otherwise."""
    return Entitlement.objects.exclude(reason__in=SETTLED)


def standing_of(policy: Policy, row: Entitlement, now: datetime) -> Standing:
    """Tell what the customer should hear of a row at this moment."""
    facts = facts_of(row)
    standing = describe(row.plan_id, facts, decide(policy, facts, now))
    return replace(standing, price_id=row.price_id, is_discounted=row.is_discounted)


def redecide(
    work: Work, policy: Policy, row: Entitlement, *, was: bool | None, moved: bool = False
) -> Change:
    """Decide by the rules, keep the decision in the row, and save it."""
    decision = decide(policy, facts_of(row), work.now)
    row.holds = decision.holds
    row.reason = decision.reason.value
    row.decided_at = work.now
    row.recheck_at = decision.recheck_at
    row.notice_at = planning.next_notice_at(work, row)
    work.save(row)
    return Change(row, was, decision, moved)


def _find(work: Work, customer: Customer, external_id: str) -> Entitlement | None:
    rows = work.entitlements(customer)
    return next((row for row in rows if row.external_id == external_id), None)


def _new(
    work: Work, customer: Customer, plan: PlanView, kind: EntitlementKind, external_id: str
) -> Entitlement:
    return Entitlement(
        customer_id=customer.id,
        plan_id=plan.id,
        kind=kind.value,
        external_id=external_id,
        holds=False,
        created_at=work.now,
    )


def is_stale(row: Entitlement | None, asked_at: datetime) -> bool:
    """Tell whether the row already knows an answer to a later question.

    Lanes that touch one object may overlap, so an older fetch can arrive after a newer one.
    """
    return row is not None and row.synced_at is not None and row.synced_at > asked_at


def is_overtaken(work: Work, customer: Customer, external_id: str, asked_at: datetime) -> bool:
    """Tell whether the customer's row of that name is stale."""
    return is_stale(_find(work, customer, external_id), asked_at)


def apply_subscription(
    work: Work,
    customer: Customer,
    plan: PlanView | None,
    seen: SubscriptionSnapshot,
    at: datetime,
    *,
    price_id: str = "",
    is_paid: bool = True,
) -> tuple[Entitlement, bool | None] | None:
    """Write what Stripe says of a subscription into its row; None if nothing can be written.

    A newer invoice makes up for a refund or a dispute of an older one, once it `is_paid`.
    """
    row = _find(work, customer, seen.id)
    if is_stale(row, at):
        return None
    was = None if row is None else row.holds
    if row is None:
        if plan is None:
            return None
        row = _new(work, customer, plan, EntitlementKind.SUBSCRIPTION, seen.id)
        row.starts_at = seen.created
    elif plan is not None:
        row.plan_id = plan.id
    row.status = seen.status
    row.price_id = price_id
    row.stripe_customer_id = seen.customer or row.stripe_customer_id
    row.period_end = seen.current_period_end
    row.ends_at = seen.ends_at
    row.trial_end = seen.trial_end
    row.collection_paused = seen.paused_collection
    row.is_discounted = seen.is_discounted
    row.synced_at = at
    if seen.status == "past_due":
        row.past_due_since = seen.past_due_since or row.past_due_since or at
    else:
        row.past_due_since = None
    if seen.latest_invoice and seen.latest_invoice != row.invoice_id and is_paid:
        row.invoice_id = seen.latest_invoice
        row.refund, row.dispute = Refund.NONE.value, Dispute.NONE.value
        row.amount_refunded = 0
    return row, was


def apply_payment(
    work: Work, customer: Customer, plan: PlanView | None, seen: PaymentSnapshot, at: datetime
) -> tuple[Entitlement, bool | None] | None:
    """Write what Stripe says of a one-time payment into its row; None if nothing can be written."""
    row = _find(work, customer, seen.id)
    if is_stale(row, at):
        return None
    was = None if row is None else row.holds
    if row is None:
        if plan is None:
            return None
        row = _new(work, customer, plan, EntitlementKind.ONE_TIME, seen.id)
        row.starts_at = seen.created
        if plan.duration_days is not None:
            row.period_end = seen.created + timedelta(days=plan.duration_days)
    row.status = seen.status
    row.stripe_customer_id = seen.customer or row.stripe_customer_id
    row.synced_at = at
    take_back(row, seen)
    return row, was


def take_back(row: Entitlement, seen: PaymentSnapshot) -> None:
    """Write what happened to the money afterwards: refunds and disputes."""
    refund = Refund.PARTIAL if seen.amount_refunded else Refund.NONE
    row.refund = (Refund.FULL if seen.is_fully_refunded else refund).value
    found = {DISPUTES.get(one.status, Dispute.OPEN) for one in seen.disputes}
    row.dispute = next((worst for worst in _WORST if worst in found), Dispute.NONE).value
    row.amount_refunded = seen.amount_refunded


def apply_free_session(
    work: Work, customer: Customer, plan: PlanView, session_id: str, created: datetime, at: datetime
) -> tuple[Entitlement, bool | None]:
    """Write a one-time purchase that cost nothing, which makes no payment to look at."""
    row = _find(work, customer, session_id)
    was = None if row is None else row.holds
    if row is None:
        row = _new(work, customer, plan, EntitlementKind.ONE_TIME, session_id)
        row.starts_at = created
        if plan.duration_days is not None:
            row.period_end = created + timedelta(days=plan.duration_days)
    row.status = "succeeded"
    row.synced_at = at
    return row, was
