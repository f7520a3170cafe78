"""The applying half: rows follow what was seen, decisions follow the rows, people are told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from velvetrope.domain.access import UNKNOWN_RECHECK
from velvetrope.domain.errors import RetryLater
from velvetrope.domain.states import CheckoutState, EntitlementKind, EventOutcome
from velvetrope.store import owners
from velvetrope.usecases import entitlements, membership, notices, observing, reaching
from velvetrope.usecases.billing.matching import match_plan, plan_of_tag
from velvetrope.usecases.billing.unknowns import note_unknown
from velvetrope.usecases.papers import papers_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from velvetrope.gateways.stripe.snapshots import (
        CheckoutSessionSnapshot,
        PaymentSnapshot,
    )
    from velvetrope.pipeline.work import Work
    from velvetrope.store.catalogue import IntegrationView, PlanView
    from velvetrope.store.models import Customer
    from velvetrope.usecases.billing.facts import BillingFacts
    from velvetrope.usecases.entitlements import Change


def apply_facts(work: Work, facts: BillingFacts) -> str:
    """Apply all that was fetched of one customer; gives the event's outcome."""
    if facts.owner is None:
        return EventOutcome.FOREIGN.value
    if facts.is_quiet:
        work.hush()
    view = work.integration(facts.owner[0])
    customer = work.customer(facts.owner) or work.new_customer(facts.owner)
    before = notices.remember(work, customer)
    _link(work, customer, facts)
    observing.note(work, view, customer, facts.seen)
    changes = [
        *(
            one
            for seen in facts.sessions
            for one in _apply_session(work, view, customer, facts, seen)
        ),
        *_apply_subscriptions(work, view, customer, facts),
        *_apply_payments(work, view, customer, facts),
    ]
    if facts.is_whole:
        changes += _by_time(work, view, customer, changes)
        _note_missing(work, view, customer, facts.missing)
    papers = papers_of(facts)
    notices.tell_of_changes(work, view, customer, changes, papers=papers, before=before)
    membership.reconcile(work, customer)
    if customer.deactivated_at is not None:
        reaching.sync_unreachable(work, customer)
    return (EventOutcome.HANDLED if changes or facts.sessions else EventOutcome.IGNORED).value


def _link(work: Work, customer: Customer, facts: BillingFacts) -> None:
    """Remember who the customer is at Stripe, for later purchases and events without metadata.

    Not if it is known as another customer: then that one pays for this one.
    """
    if customer.stripe_customer_id is not None:
        return
    seen = [
        *(session.customer for session in facts.sessions),
        *(subscription.customer for subscription in facts.subscriptions),
        *(payment.customer for payment in facts.payments),
    ]
    payer = next((one for one in seen if one), None)
    if payer is None:
        return
    work.settle()
    account_id = work.integration(customer.integration_id).stripe_account_id
    if not owners.is_linked_to_another(payer, customer.id, account_id):
        customer.stripe_customer_id = payer
        work.save(customer)


def _apply_session(
    work: Work,
    view: IntegrationView,
    customer: Customer,
    facts: BillingFacts,
    session: CheckoutSessionSnapshot,
) -> list[Change]:
    plan = plan_of_tag(view, session.metadata)
    money_failed = facts.money_came_to_nothing(session)
    _follow_checkout(work, view, customer, session, plan, money_failed=money_failed)
    is_free = session.payment_status == "no_payment_required" and session.subscription is None
    if session.status != "complete" or plan is None or not is_free:
        return []
    row, was = entitlements.apply_free_session(
        work, customer, plan, session.id, session.created, facts.asked_at
    )
    return [entitlements.redecide(work, view.policy, row, was=was)]


def _follow_checkout(
    work: Work,
    view: IntegrationView,
    customer: Customer,
    session: CheckoutSessionSnapshot,
    plan: PlanView | None,
    *,
    money_failed: bool,
) -> None:
    """Move our record of the session, and tell when the money is late."""
    rows = work.checkouts(customer)
    row = next((one for one in rows if one.stripe_session_id == session.id), None)
    if row is None:
        return
    state = _checkout_state(session, row.state, money_failed=money_failed)
    if row.state == state or _ORDER[CheckoutState(state)] < _ORDER[CheckoutState(row.state)]:
        return  # known already, or an answer from before what is known
    row.state = state
    work.save(row)
    if plan is None:
        return
    if state == CheckoutState.PENDING.value:
        notices.payment_pending(work, view, customer, plan, session.id)
    elif state == CheckoutState.FAILED.value:
        notices.payment_did_not_come(work, view, customer, plan, session.id)


#: A session goes through these in this order only.
_ORDER = {
    CheckoutState.OPEN: 0,
    CheckoutState.PENDING: 1,
    CheckoutState.EXPIRED: 2,
    CheckoutState.FAILED: 2,
    CheckoutState.PAID: 3,
}


def _checkout_state(
    session: CheckoutSessionSnapshot, known: str | None, *, money_failed: bool
) -> str:
    if session.status == "expired":
        return CheckoutState.EXPIRED.value
    if session.status != "complete":
        return CheckoutState.OPEN.value
    if session.payment_status in {"paid", "no_payment_required"}:
        return CheckoutState.PAID.value
    if money_failed or known == CheckoutState.FAILED.value:
        return CheckoutState.FAILED.value  # Stripe keeps saying «unpaid» of such a session
    return CheckoutState.PENDING.value


def _apply_subscriptions(
    work: Work, view: IntegrationView, customer: Customer, facts: BillingFacts
) -> list[Change]:
    changes = []
    plans = {row.external_id: row.plan_id for row in work.entitlements(customer)}
    for seen in facts.subscriptions:
        before = view.plan(plans[seen.id]) if seen.id in plans else None
        match = match_plan(view, seen, before)
        written = entitlements.apply_subscription(
            work,
            customer,
            match.plan,
            seen,
            facts.asked_at,
            price_id=match.price_id,
            is_paid=seen.latest_invoice not in facts.unpaid,
        )
        money = [payment for payment in facts.payments if payment.subscription == seen.id]
        if written is None:
            if money and entitlements.is_overtaken(work, customer, seen.id, facts.asked_at):
                # What overtook it may have looked at the subscription alone, which doesn't tell of
                # refunds and disputes.
                raise RetryLater("answer_overtaken")
            if match.plan is None:
                note_unknown(work, view, seen, match, None)
            continue
        row, was = written
        for payment in money:
            if payment.invoice == row.invoice_id:
                entitlements.take_back(row, payment)
        moved = plans.get(seen.id, row.plan_id) != row.plan_id
        changes.append(entitlements.redecide(work, view.policy, row, was=was, moved=moved))
        note_unknown(work, view, seen, match, row)
    return changes


def _apply_payments(
    work: Work, view: IntegrationView, customer: Customer, facts: BillingFacts
) -> list[Change]:
    changes = []
    for seen in facts.payments:
        if seen.subscription is not None or not _is_known_or_paid(work, customer, seen):
            continue
        written = entitlements.apply_payment(
            work, customer, plan_of_tag(view, seen.metadata), seen, facts.asked_at
        )
        if written is not None:
            row, was = written
            changes.append(entitlements.redecide(work, view.policy, row, was=was))
    return changes


def _by_time(
    work: Work, view: IntegrationView, customer: Customer, changes: Sequence[Change]
) -> list[Change]:
    """Decide anew what needs no word of Stripe: time alone ends grants and one-time purchases."""
    looked_at = {change.entitlement.id for change in changes}
    rows = [
        row
        for row in work.entitlements(customer)
        if row.holds and row.id not in looked_at and row.kind != EntitlementKind.SUBSCRIPTION.value
    ]
    return [entitlements.redecide(work, view.policy, row, was=True) for row in rows]


def _note_missing(
    work: Work, view: IntegrationView, customer: Customer, missing: frozenset[str]
) -> None:
    """Let what Stripe doesn't know stay as it is, and ask again another day.

    Nobody's rights end by that: it is the key, or the account, that is another one.
    """
    for row in work.entitlements(customer):
        if row.external_id in missing and row.kind == EntitlementKind.SUBSCRIPTION.value:
            row.recheck_at = work.now + UNKNOWN_RECHECK
            work.save(row)
            work.audit(
                "subscription_not_found",
                subject="entitlement",
                subject_id=row.external_id,
                integration_id=view.id,
            )
    for checkout in work.checkouts(customer):
        is_open = checkout.state == CheckoutState.OPEN.value
        if checkout.stripe_session_id in missing and is_open and checkout.expires_at <= work.now:
            checkout.state = CheckoutState.EXPIRED.value
            work.save(checkout)


def _is_known_or_paid(work: Work, customer: Customer, seen: PaymentSnapshot) -> bool:
    """Keep attempts that never brought money from becoming entitlements."""
    known = any(row.external_id == seen.id for row in work.entitlements(customer))
    return known or seen.status == "succeeded"
