"""What time alone brings about, and what it must not bring about again and again."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.usecases.snapshots import BOT, DAY, LOUNGE, NOW, VAULT, payment, session, subscription
from velvetrope.domain.errors import NeedsOperator, Permanent, RetryLater
from velvetrope.store.models import (
    AuditEntry,
    Checkout,
    Entitlement,
    InboxEvent,
    Integration,
    Plan,
    StripeAccount,
)
from velvetrope.store.revisions import touch
from velvetrope.usecases.billing.rechecks import RECHECK
from velvetrope.usecases.onboarding import SYNC_PLANS

if TYPE_CHECKING:
    from datetime import datetime

    from tests.usecases.backroom import Backroom

pytestmark = pytest.mark.both_databases

HOUR = timedelta(hours=1)


def grant(room: Backroom, until: datetime) -> Entitlement:
    return Entitlement.objects.create(
        customer=room.ann,
        plan=room.monthly,
        kind="grant",
        external_id="grant:1",
        status="active",
        starts_at=NOW,
        period_end=until,
        ends_at=until,
        holds=True,
        reason="granted",
        decided_at=NOW,
        recheck_at=until,
        opened_at=NOW,
        created_at=NOW,
    )


def test_a_grant_ends_on_its_day(room: Backroom) -> None:
    grant(room, NOW + DAY)
    room.later(DAY + HOUR)
    assert RECHECK in room.sweep()
    row = room.right("grant:1")
    assert (row.holds, row.reason, row.recheck_at) == (False, "lapsed", None)
    assert len(room.texts()) == 1


def test_a_key_that_opens_nothing_makes_no_dead_letters_hour_by_hour(room: Backroom) -> None:
    room.subscribes()
    room.later(40 * DAY)
    room.stripe.keyless = NeedsOperator("stripe_key_invalid")
    StripeAccount.objects.update(problem={"code": "stripe_key_invalid", "data": {}})
    Plan.objects.update(synced_at=room.now + DAY)
    for _ in range(3):
        assert RECHECK not in room.sweep()
        room.later(2 * HOUR)
    assert room.right("sub_1").holds
    room.stripe.keyless = None
    StripeAccount.objects.update(problem=None)
    assert RECHECK in room.sweep()


def test_a_grant_ends_on_its_day_even_while_stripe_has_no_key(room: Backroom) -> None:
    grant(room, NOW + DAY)
    room.stripe.keyless = NeedsOperator("stripe_key_missing")
    Plan.objects.update(synced_at=NOW + 30 * DAY)
    room.later(DAY + HOUR)
    room.sweep()
    assert not room.right("grant:1").holds


def test_a_one_time_payment_ends_after_its_duration(room: Backroom) -> None:
    room.stripe.payments["pi_1"] = payment()
    room.stripe_says("charge.refunded", {"id": "ch_1", "object": "charge", "customer": "cus_1",
                                         "payment_intent": "pi_1"})  # fmt: skip
    assert room.right("pi_1").holds
    room.later(31 * DAY)
    room.sweep()
    assert room.right("pi_1").reason == "lapsed"


def test_a_purchase_that_cost_nothing_ends_after_its_duration(room: Backroom) -> None:
    free = session(payment_status="no_payment_required")
    room.stripe.sessions[free.id] = free
    named = {"id": free.id, "object": "checkout.session", "customer": "cus_1"}
    room.stripe_says("checkout.session.completed", named)
    assert room.right(free.id).holds
    room.later(31 * DAY)
    room.sweep()
    assert room.right(free.id).reason == "lapsed"


def test_a_renewal_that_no_event_told_of_is_found(room: Backroom) -> None:
    room.subscribes()
    room.later(31 * DAY)
    room.stripe.subscriptions["sub_1"] = subscription(current_period_end=NOW + 60 * DAY)
    room.sweep()
    row = room.right("sub_1")
    assert row.holds
    assert row.recheck_at == NOW + 60 * DAY + 2 * HOUR


def test_a_subscription_that_stripe_does_not_know_keeps_its_rights_and_is_asked_for_daily(
    room: Backroom,
) -> None:
    room.subscribes()
    room.stripe.subscriptions.clear()
    room.later(31 * DAY)
    room.sweep()
    assert room.right("sub_1").holds
    asked = len(room.stripe.asked)
    for _ in range(12):
        room.later(HOUR)
        room.sweep()
    assert room.stripe.asked.count("sub_1") - room.stripe.asked[:asked].count("sub_1") == 0
    assert AuditEntry.objects.filter(action="subscription_not_found").count() == 1


def test_who_can_not_be_looked_at_does_not_keep_others_waiting(room: Backroom) -> None:
    for number in range(520):
        person = room.person(1000 + number)
        Entitlement.objects.create(
            customer=person,
            plan=room.monthly,
            kind="subscription",
            external_id=f"sub_{number}",
            status="active",
            starts_at=NOW,
            holds=True,
            reason="active",
            decided_at=NOW,
            recheck_at=NOW + timedelta(seconds=number),
            created_at=NOW,
        )
    room.later(HOUR)
    from velvetrope.usecases import sweep  # noqa: PLC0415  Django is set up by now

    for _ in range(10):
        sweep.sweep_due(room.now)
    asked = InboxEvent.objects.filter(kind=RECHECK).count()
    assert asked == 520


def test_a_look_that_failed_is_taken_again_after_a_while(room: Backroom) -> None:
    room.subscribes()
    room.later(31 * DAY)
    room.stripe.trouble = RetryLater("stripe_unavailable")
    with pytest.raises(RetryLater):
        room.sweep()
    InboxEvent.objects.filter(kind=RECHECK).update(state="dead")
    room.stripe.trouble = None
    room.stripe.subscriptions["sub_1"] = subscription(status="canceled", ended_at=NOW + 30 * DAY)
    room.sweep()
    assert room.right("sub_1").holds
    room.later(HOUR + timedelta(minutes=1))
    room.sweep()
    assert not room.right("sub_1").holds


def checkout(room: Backroom, state: str = "open", **fields: object) -> str:
    made = session(**fields)
    room.stripe.sessions[made.id] = made
    Checkout.objects.create(
        customer=room.ann,
        plan=room.once,
        stripe_session_id=made.id,
        url=made.url or "",
        state=state,
        expires_at=made.expires_at,
        created_at=NOW,
    )
    return made.id


def state_of(key: str) -> str:
    return Checkout.objects.get(stripe_session_id=key).state


def test_a_payment_that_no_event_told_of_is_found_when_its_session_ends(room: Backroom) -> None:
    key = checkout(room, payment_status="paid", payment_intent="pi_1")
    room.stripe.payments["pi_1"] = payment(session=key)
    room.later(DAY)
    room.sweep()
    assert state_of(key) == "paid"
    assert room.right("pi_1").holds


def test_a_session_that_expired_silently_is_closed(room: Backroom) -> None:
    key = checkout(room, status="expired")
    room.later(DAY)
    room.sweep()
    assert state_of(key) == "expired"
    asked = len(room.stripe.asked)
    room.later(DAY)
    room.sweep()
    assert len(room.stripe.asked) == asked + 3  # the prices alone


def test_late_money_that_failed_silently_does_not_block_the_plan_for_ever(room: Backroom) -> None:
    key = checkout(room, "pending", payment_intent="pi_1")
    room.stripe.payments["pi_1"] = payment(status="requires_payment_method", session=key)
    room.later(2 * DAY)
    room.sweep()
    assert state_of(key) == "failed"
    assert len(room.texts()) == 1


def test_late_money_that_is_still_on_its_way_is_looked_for_a_few_times_a_day(
    room: Backroom,
) -> None:
    key = checkout(room, "pending", payment_intent="pi_1")
    room.stripe.payments["pi_1"] = payment(status="processing", session=key)
    room.later(DAY)
    for _ in range(48):
        room.later(HOUR / 2)
        room.sweep()
    assert state_of(key) == "pending"
    assert 1 <= room.stripe.asked.count(key) <= 6


def test_a_session_that_can_not_be_found_is_asked_for_a_few_times_a_day(room: Backroom) -> None:
    key = checkout(room)
    room.stripe.sessions.clear()
    room.later(DAY)
    for _ in range(24):
        room.later(HOUR)
        room.sweep()
    assert room.stripe.asked.count(key) <= 6


def test_a_request_whose_buyer_gave_up_is_answered(room: Backroom) -> None:
    key = checkout(room)
    room.asks()
    assert room.calls("declineChatJoinRequest") == []
    room.stripe.sessions[key] = session(id=key, status="expired")
    room.later(DAY)
    room.sweep()
    room.sent()
    assert room.access().requested_at is None


def test_a_request_that_telegram_will_not_have_declined_is_not_looked_at_for_ever(
    room: Backroom,
) -> None:
    room.asks()
    room.sent(*room.calls("sendMessage"))
    [decline] = room.calls("declineChatJoinRequest")
    room.failed(decline, Permanent("user_deactivated"))
    room.later(2 * DAY)
    for _ in range(24):
        room.later(HOUR)
        room.sweep()
    assert InboxEvent.objects.filter(kind=RECHECK).count() <= 5


@pytest.mark.parametrize("code", ["telegram_unavailable", "unexpected"])
def test_an_approval_that_passing_trouble_has_used_up_is_tried_again(
    room: Backroom, code: str
) -> None:
    room.subscribes()
    room.sent()
    room.asks()
    [approval] = room.calls("approveChatJoinRequest")
    room.failed(approval, RetryLater(code))
    room.later(2 * HOUR)
    room.sweep()
    assert len(room.calls("approveChatJoinRequest")) == 1


def test_a_removal_that_passing_trouble_has_used_up_is_tried_again(room: Backroom) -> None:
    room.subscribes()
    room.sent()
    room.enters()
    room.subscribes(kind="customer.subscription.deleted", status="canceled", ended_at=NOW)
    [removal] = room.calls("unbanChatMember")
    room.failed(removal, RetryLater("telegram_timeout"))
    room.later(2 * HOUR)
    room.sweep()
    assert len(room.calls("unbanChatMember")) == 1


def test_somebody_in_too_many_chats_gets_in_once_there_is_room(room: Backroom) -> None:
    room.subscribes()
    room.sent()
    room.asks()
    [approval] = room.calls("approveChatJoinRequest")
    room.failed(approval, Permanent("too_many_chats"))
    assert len(room.texts()) == 1
    room.sent()
    for _ in range(3):
        room.later(7 * HOUR)
        room.sweep()
        [approval] = room.calls("approveChatJoinRequest")
        room.failed(approval, Permanent("too_many_chats"))
        assert room.texts() == []  # told once
    room.later(7 * HOUR)
    room.sweep()
    room.sent(*room.calls("approveChatJoinRequest"))
    assert room.access().observed == "inside"
    assert room.access().problem == ""


def test_prices_are_copied_again_when_they_are_old(room: Backroom) -> None:
    assert SYNC_PLANS not in room.sweep()
    room.later(7 * HOUR)
    assert room.sweep().count(SYNC_PLANS) == 1
    assert room.sweep().count(SYNC_PLANS) == 0
    assert set(Plan.objects.values_list("synced_at", flat=True)) == {room.now}


def test_prices_that_can_not_be_looked_at_are_not_asked_for_all_the_time(room: Backroom) -> None:
    room.stripe.keyless = NeedsOperator("stripe_key_missing")
    room.later(7 * HOUR)
    for _ in range(6):
        try:
            room.sweep()
        except NeedsOperator:
            InboxEvent.objects.filter(state="claimed").update(state="dead")
        room.later(timedelta(minutes=10))
    assert InboxEvent.objects.filter(kind=SYNC_PLANS).count() <= 2


def test_a_bot_whose_registration_came_to_nothing_is_registered_later(room: Backroom) -> None:
    Integration.objects.update(registration="pending", verified_at=None)
    touch([room.integration.id])
    room.bot.statuses = {(LOUNGE, BOT): "administrator", (VAULT, BOT): "administrator"}
    room.later(2 * HOUR)
    room.sweep()
    room.sweep()
    room.integration.refresh_from_db()
    assert room.integration.registration == "registered"
    assert (room.bot.called.count("setWebhook"), room.bot.called.count("setMyCommands")) == (1, 4)
    room.later(2 * HOUR)
    room.sweep()
    assert room.bot.called.count("setWebhook") == 1
