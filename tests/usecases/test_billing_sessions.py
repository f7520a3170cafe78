"""What Checkout Sessions lead to: paid at once, later, never, or for nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.usecases.snapshots import (
    DAY,
    NOW,
    payment,
    session,
    subscription,
    tag,
)
from velvetrope.store.models import Checkout, Customer, Entitlement

if TYPE_CHECKING:
    from tests.usecases.backroom import Backroom

UPDATED = "customer.subscription.updated"
DELETED = "customer.subscription.deleted"
COMPLETED = "checkout.session.completed"


def test_a_session_of_a_subscription_opens_it(room: Backroom) -> None:
    room.stripe.subscriptions["sub_1"] = subscription()
    key = room.completes(
        mode="subscription", subscription="sub_1", payment_status="paid", metadata=tag()
    )
    assert room.right("sub_1").holds
    assert Checkout.objects.get(stripe_session_id=key).state == "paid"
    assert Customer.objects.get().stripe_customer_id == "cus_1"


def test_a_free_purchase_opens_the_door_once(room: Backroom) -> None:
    key = room.completes(payment_status="no_payment_required")
    room.completes(id=key, payment_status="no_payment_required")
    row = room.right(key)
    assert (row.holds, row.period_end) == (True, NOW + 30 * DAY)
    assert len(room.texts()) == 1


def test_late_money_is_announced_and_then_opens_the_door(room: Backroom) -> None:
    room.stripe.payments["pi_1"] = payment(status="processing")
    key = room.completes(payment_intent="pi_1")
    assert Checkout.objects.get().state == "pending"
    assert not Entitlement.objects.exists()
    room.stripe.payments["pi_1"] = payment()
    paid = {"id": key, "payment_intent": "pi_1", "payment_status": "paid"}
    room.completes("checkout.session.async_payment_succeeded", **paid)
    assert room.right("pi_1").holds
    assert len(room.texts()) == 2


def test_late_money_that_does_not_come_is_told_once_in_any_order(room: Backroom) -> None:
    room.stripe.payments["pi_1"] = payment(status="requires_payment_method")
    key = room.completes("checkout.session.async_payment_failed", payment_intent="pi_1")
    room.completes(id=key, payment_intent="pi_1")
    assert Checkout.objects.get().state == "failed"
    assert len(room.texts()) == 1


def test_news_of_a_session_from_before_it_was_paid_do_not_open_it_again(room: Backroom) -> None:
    room.stripe.payments["pi_1"] = payment()
    key = room.completes(payment_intent="pi_1", payment_status="paid")
    room.completes("checkout.session.expired", id=key, status="open")
    assert Checkout.objects.get().state == "paid"


def test_a_session_that_was_made_elsewhere_needs_no_record(room: Backroom) -> None:
    made = session(payment_status="no_payment_required", metadata=tag(plan="price_unknown"))
    room.stripe.sessions[made.id] = made
    named = {"id": made.id, "object": "checkout.session", "customer": "cus_1"}
    assert room.stripe_says(COMPLETED, named) == "handled"
    assert not Entitlement.objects.exists()


def test_a_failed_attempt_is_no_entitlement(room: Backroom) -> None:
    assert room.pays(status="requires_payment_method") == "ignored"
    assert not Entitlement.objects.exists()
