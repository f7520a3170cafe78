"""What Stripe's objects mean for a person's rights, whatever order their news come in."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.usecases.snapshots import (
    DAY,
    NOW,
    dispute,
    payment,
    subscription,
)
from velvetrope.domain.errors import RetryLater
from velvetrope.store.models import Alert

if TYPE_CHECKING:
    from tests.usecases.backroom import Backroom

UPDATED = "customer.subscription.updated"
DELETED = "customer.subscription.deleted"
COMPLETED = "checkout.session.completed"


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
    assert Alert.objects.filter(code="subscription_status_unknown").count() == 1


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
    room.pays(id="pi_old", invoice="in_1", **back)
    assert room.right("sub_1").holds
    room.pays(id="pi_new", invoice="in_2", **back)
    assert room.right("sub_1").reason == "refunded"


def test_the_next_invoice_starts_anew_after_a_refund(room: Backroom) -> None:
    room.subscribes()
    room.pays(invoice="in_1", subscription="sub_1", amount_refunded=900)
    room.subscribes(kind=UPDATED, latest_invoice="in_2")
    assert room.right("sub_1").holds


def test_a_new_invoice_that_is_not_paid_brings_nobody_back_after_a_lost_dispute(
    room: Backroom,
) -> None:
    room.subscribes()
    lost: dict[str, Any] = {"disputes": dispute("lost"), "invoice": "in_1", "subscription": "sub_1"}
    room.pays("charge.dispute.closed", **lost)
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
    room.pays("charge.dispute.created", disputes=dispute("needs_response"), **of)
    assert room.right("sub_1").reason == "disputed"
    room.pays("charge.dispute.closed", disputes=dispute("won"), **of)
    assert room.right("sub_1").holds
    room.pays("charge.dispute.closed", disputes=dispute("lost"), **of)
    assert room.right("sub_1").reason == "dispute_lost"


def test_a_warning_of_a_dispute_changes_nothing(room: Backroom) -> None:
    room.pays()
    room.pays("charge.dispute.created", disputes=dispute("warning_needs_response"))
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
    room.pays(amount_refunded=900)
    assert not room.right("pi_1").holds
    room.pays("refund.failed")
    assert room.right("pi_1").holds


def test_a_partial_refund_changes_nothing(room: Backroom) -> None:
    room.pays(amount_refunded=100)
    row = room.right("pi_1")
    assert (row.holds, row.refund) == (True, "partial")


def test_a_charge_without_a_payment_is_nobodys(room: Backroom) -> None:
    named = {"id": "ch_9", "object": "charge", "customer": "cus_1"}
    assert room.stripe_says("charge.refunded", named) == "foreign"
    room.stripe.payments["pi_9"] = payment(id="pi_9")
    assert room.stripe_says("charge.refunded", named) == "handled"
