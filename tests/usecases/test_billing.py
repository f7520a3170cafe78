"""What Stripe's objects mean for a person's rights, whatever order their news come in."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.usecases.backroom import (
    ANN,
    BOT,
    DAY,
    LOUNGE,
    NOW,
    dispute,
    payment,
    session,
    subscription,
    tag,
)
from velvetrope.domain.errors import NeedsOperator, RetryLater
from velvetrope.gateways.stripe.snapshots import CustomerSnapshot
from velvetrope.store.models import AuditEntry, Checkout, Customer, Entitlement, OutboxItem

if TYPE_CHECKING:
    from tests.usecases.backroom import Backroom

UPDATED = "customer.subscription.updated"
DELETED = "customer.subscription.deleted"
COMPLETED = "checkout.session.completed"


def pays(room: Backroom, kind: str = "charge.refunded", **fields: object) -> str:
    """Have Stripe know Ann's one-time payment as this, and say so."""
    known = payment(**fields)
    room.stripe.payments[known.id] = known
    named = {"id": "ch_1", "object": "charge", "customer": "cus_1", "payment_intent": known.id}
    return room.stripe_says(kind, named)


def completes(room: Backroom, kind: str = COMPLETED, **fields: object) -> str:
    """Have Stripe know a session of Ann's as this, and say so; gives its id."""
    made = session(**fields)
    room.stripe.sessions[made.id] = made
    Checkout.objects.get_or_create(
        stripe_session_id=made.id,
        defaults={
            "customer": room.ann,
            "plan": room.once,
            "url": made.url or "",
            "expires_at": made.expires_at,
            "created_at": NOW,
        },
    )
    named = {"id": made.id, "object": "checkout.session", "customer": "cus_1"}
    room.stripe_says(kind, named)
    return made.id


# Subscriptions


def test_a_trial_opens_the_door_without_a_payment(room: Backroom) -> None:
    room.subscribes(status="trialing", trial_end=NOW + 7 * DAY, current_period_end=NOW + 7 * DAY)
    row = room.right("sub_1")
    assert (row.holds, row.reason, row.trial_end) == (True, "trial", NOW + 7 * DAY)


def test_a_trial_that_ends_without_a_card_ends_access(room: Backroom) -> None:
    room.subscribes(status="trialing", trial_end=NOW + 7 * DAY)
    room.subscribes(kind="customer.subscription.paused", status="paused")
    assert not room.right("sub_1").holds
    room.subscribes(kind="customer.subscription.resumed", status="active")
    assert room.right("sub_1").holds
    assert len(room.texts()) == 3


def test_a_subscription_is_told_of_once_however_often_stripe_tells(room: Backroom) -> None:
    for kind in ("customer.subscription.created", UPDATED, UPDATED):
        room.subscribes(kind=kind)
    assert len(room.texts()) == 1


def test_an_older_answer_does_not_undo_a_newer_one(room: Backroom) -> None:
    room.subscribes()
    named = {"id": "sub_1", "object": "subscription", "customer": "cus_1"}
    early = room.prepare(room.stripe_event(UPDATED, named))
    room.later(timedelta(seconds=5))
    room.subscribes(kind=DELETED, status="canceled", ended_at=room.now)
    room.finish(early)
    assert room.right("sub_1").status == "canceled"


def test_a_first_payment_that_is_not_confirmed_opens_nothing(room: Backroom) -> None:
    room.subscribes(status="incomplete")
    assert not room.right("sub_1").holds
    assert room.texts() == []
    room.subscribes(kind=UPDATED, status="active")
    assert room.right("sub_1").opened_at is not None
    assert len(room.texts()) == 1


def test_the_grace_period_counts_from_the_first_failure_and_is_told_once(room: Backroom) -> None:
    room.subscribes()
    room.sent()
    for _ in range(3):
        room.later(2 * DAY)
        room.subscribes(kind=UPDATED, status="past_due")
    assert len(room.texts()) == 1
    row = room.right("sub_1")
    assert row.holds
    assert row.past_due_since == NOW + 2 * DAY
    room.later(4 * DAY)
    room.sweep()
    assert room.right("sub_1").reason == "grace_over"
    room.subscribes(kind=UPDATED)
    row = room.right("sub_1")
    assert (row.holds, row.past_due_since) == (True, None)


def test_a_status_that_nobody_knows_changes_nothing_but_is_told_to_the_operator(
    room: Backroom,
) -> None:
    room.subscribes()
    room.subscribes(kind=UPDATED, status="hibernating")
    row = room.right("sub_1")
    assert (row.holds, row.reason) == (True, "unknown_status")
    assert AuditEntry.objects.filter(action="unknown_subscription_status").count() == 1


def test_a_paused_collection_keeps_access(room: Backroom) -> None:
    room.subscribes(paused_collection=True)
    row = room.right("sub_1")
    assert (row.holds, row.collection_paused) == (True, True)


def test_who_changes_to_a_larger_plan_is_shown_its_doors(room: Backroom) -> None:
    room.subscribes()
    room.sent()
    room.enters()
    room.subscribes(kind=UPDATED, price_ids=("price_vip",))
    assert room.right("sub_1").plan_id == room.vip.id
    [told] = room.calls("sendMessage")
    assert f"invite:{room.vault.id}" in bytes(told.params).decode()
    assert f"invite:{room.lounge.id}" not in bytes(told.params).decode()
    room.sent()
    room.subscribes(kind=UPDATED, price_ids=("price_vip",))
    assert room.texts() == []


def test_who_changes_to_a_smaller_plan_leaves_what_it_does_not_open(room: Backroom) -> None:
    room.subscribes(price_ids=("price_vip",))
    room.sent()
    room.enters()
    room.enters(room.vault.telegram_id)
    room.subscribes(kind=UPDATED)
    assert not room.access(room.vault).desired
    assert [row.chat_id for row in room.calls("unbanChatMember")] == [room.vault.telegram_id]
    assert len(room.texts()) == 1


def test_a_price_that_is_sold_no_more_keeps_the_plan_that_was_bought(room: Backroom) -> None:
    room.subscribes(price_ids=("price_elsewhere",))
    assert room.right("sub_1").plan_id == room.monthly.id


def test_two_subscriptions_for_one_plan_keep_each_others_door_open(room: Backroom) -> None:
    room.subscribes()
    room.subscribes("sub_2")
    room.sent()
    room.subscribes(kind=DELETED, status="canceled", ended_at=NOW)
    assert room.texts() == []
    assert room.access().desired
    room.subscribes("sub_2", DELETED, status="canceled", ended_at=NOW)
    assert len(room.texts()) == 1
    assert not room.access().desired


def test_an_invoice_brings_its_subscription_up_to_date(room: Backroom) -> None:
    room.stripe.subscriptions["sub_1"] = subscription()
    room.stripe.invoices["in_1"] = "sub_1"
    named = {"id": "in_1", "object": "invoice", "customer": "cus_1"}
    assert room.stripe_says("invoice.paid", named) == "handled"
    assert room.right("sub_1").holds
    assert room.stripe_says("invoice.paid", {**named, "id": "in_2"}) == "foreign"


# Money that goes back


def test_a_refund_of_the_current_invoice_ends_access_and_one_of_an_old_one_does_not(
    room: Backroom,
) -> None:
    room.subscribes(latest_invoice="in_2")
    back: dict[str, Any] = {"amount_refunded": 900, "subscription": "sub_1"}
    pays(room, id="pi_old", invoice="in_1", **back)
    assert room.right("sub_1").holds
    pays(room, id="pi_new", invoice="in_2", **back)
    assert room.right("sub_1").reason == "refunded"


def test_the_next_invoice_starts_anew_after_a_refund(room: Backroom) -> None:
    room.subscribes()
    pays(room, invoice="in_1", subscription="sub_1", amount_refunded=900)
    room.subscribes(kind=UPDATED, latest_invoice="in_2")
    assert room.right("sub_1").holds


def test_a_new_invoice_that_is_not_paid_brings_nobody_back_after_a_lost_dispute(
    room: Backroom,
) -> None:
    room.subscribes()
    lost: dict[str, Any] = {"disputes": dispute("lost"), "invoice": "in_1", "subscription": "sub_1"}
    pays(room, "charge.dispute.closed", **lost)
    room.stripe.bills["in_2"] = "draft"
    room.subscribes(kind=UPDATED, latest_invoice="in_2")
    assert room.right("sub_1").reason == "dispute_lost"
    room.stripe.bills["in_2"] = "open"
    room.subscribes(kind=UPDATED, latest_invoice="in_2", status="past_due")
    assert room.right("sub_1").reason == "dispute_lost"
    room.stripe.bills["in_2"] = "paid"
    room.subscribes(kind="customer.subscription.updated", latest_invoice="in_2")
    assert room.right("sub_1").holds


def test_a_dispute_of_a_subscriptions_payment_suspends_it(room: Backroom) -> None:
    room.subscribes()
    of: dict[str, Any] = {"invoice": "in_1", "subscription": "sub_1"}
    pays(room, "charge.dispute.created", disputes=dispute("needs_response"), **of)
    assert room.right("sub_1").reason == "disputed"
    pays(room, "charge.dispute.closed", disputes=dispute("won"), **of)
    assert room.right("sub_1").holds
    pays(room, "charge.dispute.closed", disputes=dispute("lost"), **of)
    assert room.right("sub_1").reason == "dispute_lost"


def test_a_warning_of_a_dispute_changes_nothing(room: Backroom) -> None:
    pays(room)
    pays(room, "charge.dispute.created", disputes=dispute("warning_needs_response"))
    assert room.right("pi_1").holds


def test_news_of_a_dispute_survive_a_newer_look_at_the_subscription(room: Backroom) -> None:
    room.subscribes()
    disputed = payment(invoice="in_1", subscription="sub_1", disputes=dispute("needs_response"))
    room.stripe.payments["pi_1"] = disputed
    named = {"id": "dp_1", "object": "dispute", "payment_intent": "pi_1"}
    event = room.stripe_event("charge.dispute.created", named)
    early = room.prepare(event)
    room.later(timedelta(seconds=5))
    room.subscribes(kind=UPDATED)
    with pytest.raises(RetryLater):
        room.finish(early)
    room.finish(room.prepare(event))
    assert room.right("sub_1").reason == "disputed"


def test_a_refund_that_failed_gives_the_right_back(room: Backroom) -> None:
    pays(room, amount_refunded=900)
    assert not room.right("pi_1").holds
    pays(room, "refund.failed")
    assert room.right("pi_1").holds


def test_a_partial_refund_changes_nothing(room: Backroom) -> None:
    pays(room, amount_refunded=100)
    row = room.right("pi_1")
    assert (row.holds, row.refund) == (True, "partial")


def test_a_charge_without_a_payment_is_nobodys(room: Backroom) -> None:
    named = {"id": "ch_9", "object": "charge", "customer": "cus_1"}
    assert room.stripe_says("charge.refunded", named) == "foreign"
    room.stripe.payments["pi_9"] = payment(id="pi_9")
    assert room.stripe_says("charge.refunded", named) == "handled"


# Checkout


def test_a_session_of_a_subscription_opens_it(room: Backroom) -> None:
    room.stripe.subscriptions["sub_1"] = subscription()
    key = completes(
        room, mode="subscription", subscription="sub_1", payment_status="paid", metadata=tag()
    )
    assert room.right("sub_1").holds
    assert Checkout.objects.get(stripe_session_id=key).state == "paid"
    assert Customer.objects.get().stripe_customer_id == "cus_1"


def test_a_free_purchase_opens_the_door_once(room: Backroom) -> None:
    key = completes(room, payment_status="no_payment_required")
    completes(room, id=key, payment_status="no_payment_required")
    row = room.right(key)
    assert (row.holds, row.period_end) == (True, NOW + 30 * DAY)
    assert len(room.texts()) == 1


def test_late_money_is_announced_and_then_opens_the_door(room: Backroom) -> None:
    room.stripe.payments["pi_1"] = payment(status="processing")
    key = completes(room, payment_intent="pi_1")
    assert Checkout.objects.get().state == "pending"
    assert not Entitlement.objects.exists()
    room.stripe.payments["pi_1"] = payment()
    paid = {"id": key, "payment_intent": "pi_1", "payment_status": "paid"}
    completes(room, "checkout.session.async_payment_succeeded", **paid)
    assert room.right("pi_1").holds
    assert len(room.texts()) == 2


def test_late_money_that_does_not_come_is_told_once_in_any_order(room: Backroom) -> None:
    room.stripe.payments["pi_1"] = payment(status="requires_payment_method")
    key = completes(room, "checkout.session.async_payment_failed", payment_intent="pi_1")
    completes(room, id=key, payment_intent="pi_1")
    assert Checkout.objects.get().state == "failed"
    assert len(room.texts()) == 1


def test_news_of_a_session_from_before_it_was_paid_do_not_open_it_again(room: Backroom) -> None:
    room.stripe.payments["pi_1"] = payment()
    key = completes(room, payment_intent="pi_1", payment_status="paid")
    completes(room, "checkout.session.expired", id=key, status="open")
    assert Checkout.objects.get().state == "paid"


def test_a_session_that_was_made_elsewhere_needs_no_record(room: Backroom) -> None:
    made = session(payment_status="no_payment_required", metadata=tag(plan="price_unknown"))
    room.stripe.sessions[made.id] = made
    named = {"id": made.id, "object": "checkout.session", "customer": "cus_1"}
    assert room.stripe_says(COMPLETED, named) == "handled"
    assert not Entitlement.objects.exists()


def test_a_failed_attempt_is_no_entitlement(room: Backroom) -> None:
    assert pays(room, status="requires_payment_method") == "ignored"
    assert not Entitlement.objects.exists()


# Whose it is


def test_a_tag_of_a_bot_that_is_not_here_makes_it_foreign(room: Backroom) -> None:
    outcome = room.subscribes(metadata=tag(bot=BOT + 1))
    assert outcome == "foreign"
    assert not Entitlement.objects.exists()


def test_what_carries_no_tag_is_its_customers(room: Backroom) -> None:
    room.stripe.customers["cus_1"] = CustomerSnapshot(
        id="cus_1", deleted=False, metadata=tag(plan=None), livemode=False
    )
    room.subscribes(metadata={})
    assert room.right("sub_1").customer_id == room.ann.id


def test_a_customers_tag_of_another_bot_makes_it_foreign(room: Backroom) -> None:
    room.stripe.customers["cus_1"] = CustomerSnapshot(
        id="cus_1", deleted=False, metadata=tag(bot=BOT + 1), livemode=False
    )
    assert room.subscribes(metadata={}) == "foreign"


def test_other_products_of_a_customer_give_no_rights(room: Backroom) -> None:
    Customer.objects.update(stripe_customer_id="cus_1")
    outcome = room.subscribes(metadata={}, price_ids=("price_elsewhere",))
    assert outcome == "ignored"
    assert not Entitlement.objects.exists()


def test_what_was_sold_here_is_known_by_its_session(room: Backroom) -> None:
    key = completes(room, metadata={}, customer=None)
    assert Checkout.objects.get(stripe_session_id=key).state == "pending"


def test_nobody_is_foreign(room: Backroom) -> None:
    assert room.subscribes(metadata={}) == "foreign"
    assert pays(room, metadata={}) == "foreign"


def test_a_tag_that_was_edited_by_hand_moves_no_right_and_breaks_nothing(room: Backroom) -> None:
    room.subscribes()
    assert room.subscribes(kind=UPDATED, metadata=tag(person=ANN + 1)) == "handled"
    assert room.right("sub_1").customer_id == room.ann.id
    room.subscribes(kind=DELETED, metadata={}, status="canceled", ended_at=NOW)
    assert not room.right("sub_1").holds


def test_somebody_who_never_pressed_start_is_known_by_what_they_bought(room: Backroom) -> None:
    room.subscribes(metadata=tag(person=5))
    assert Customer.objects.get(telegram_user_id=5).stripe_customer_id == "cus_1"


@pytest.mark.parametrize("kind", [UPDATED, "customer.deleted", "price.updated"])
def test_events_of_the_other_mode_are_foreign(room: Backroom, kind: str) -> None:
    room.subscribes()
    room.stripe.subscriptions.clear()
    asked = len(room.stripe.asked)
    named = {"id": "sub_1", "object": "subscription", "customer": "cus_1"}
    assert room.stripe_says(kind, named, live=True) == "foreign"
    assert len(room.stripe.asked) == asked


def test_a_deleted_customer_loses_what_ended_with_it(room: Backroom) -> None:
    room.subscribes()
    room.stripe.subscriptions["sub_1"] = subscription(status="canceled", ended_at=NOW)
    room.later(timedelta(minutes=1))
    assert room.stripe_says("customer.deleted", {"id": "cus_1", "object": "customer"}) == "handled"
    assert not room.right("sub_1").holds
    assert Customer.objects.get().stripe_customer_id is None
    assert room.stripe_says("customer.deleted", {"id": "cus_1", "object": "customer"}) == "foreign"


def test_events_that_name_nothing_are_ignored(room: Backroom) -> None:
    for kind in (COMPLETED, UPDATED, "invoice.paid", "charge.refunded", "customer.deleted"):
        assert room.stripe_says(kind, {}) == "ignored"


def test_trouble_of_the_key_is_told_as_it_is(room: Backroom) -> None:
    room.stripe.keyless = NeedsOperator("stripe_key_missing")
    with pytest.raises(NeedsOperator):
        room.subscribes()


# Prices


def test_an_archived_price_is_not_sold_and_tells_the_operator(room: Backroom) -> None:
    from tests.usecases.backroom import price  # noqa: PLC0415  beside its only use

    room.stripe.prices["price_month"] = price(room.monthly, active=False)
    named = {"id": "price_month", "object": "price"}
    assert room.stripe_says("price.updated", named) == "handled"
    room.monthly.refresh_from_db()
    assert not room.monthly.sellable
    assert AuditEntry.objects.filter(action="plan_not_sellable").count() == 1
    assert room.stripe_says("product.updated", {"id": "prod_x", "object": "product"}) == "foreign"
    product = {"id": "prod_price_vip", "object": "product"}
    assert room.stripe_says("product.updated", product) == "handled"


# The door


def test_somebody_banned_earlier_is_unbanned_when_they_are_granted_access(room: Backroom) -> None:
    from velvetrope.usecases import operations  # noqa: PLC0415  beside its only use

    room.bot.statuses[LOUNGE, ANN] = "kicked"
    operations.grant(room.ann.id, room.monthly.id, None, "", "operator:olga")
    room.run_jobs()
    assert len(room.calls("unbanChatMember")) == 1
    assert OutboxItem.objects.filter(method="sendMessage").count() == 1
