"""Once a day everything is held against Stripe and Telegram, and what differs is settled."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.usecases.snapshots import (
    ANN,
    BOT,
    DAY,
    LOUNGE,
    NOW,
    VAULT,
    dispute,
    payment,
    subscription,
    tag,
)
from velvetrope.domain.errors import NeedsOperator, Permanent, RetryLater
from velvetrope.gateways.stripe.snapshots import UndoneMoney
from velvetrope.store.models import (
    Access,
    AuditEntry,
    Customer,
    Entitlement,
    InboxEvent,
    OutboxItem,
)
from velvetrope.usecases import operations
from velvetrope.usecases.billing.objects import FETCH
from velvetrope.usecases.billing.rechecks import RECHECK
from velvetrope.usecases.reconciling.orders import LIST_PAGE, LOOK_AROUND

if TYPE_CHECKING:
    from tests.usecases.backroom import Backroom

pytestmark = pytest.mark.both_databases

HOUR = timedelta(hours=1)


def a_day_later(room: Backroom) -> list[str]:
    """Let a day go by, and everything be gone through; gives the jobs that ran."""
    room.later(DAY)
    return passed(room)


def passed(room: Backroom, part: str = "everything") -> list[str]:
    """Let a part of reconciliation run to its end."""
    ran = room.reconcile(part)
    for _ in range(20):
        if not InboxEvent.objects.filter(source="job", state="pending").exists():
            return ran
        room.sent()  # who is let in or answered comes first
        room.later(timedelta(seconds=10))
        ran += room.run_jobs()
    raise AssertionError("a pass without end")


def found(action: str = "reconciled.stripe") -> dict[str, int]:
    """Give the last figures on record."""
    after = AuditEntry.objects.filter(action=action).latest("id").after
    assert isinstance(after, dict)
    return {name: count for name, count in after.items() if name != "run" and count}


def inside(room: Backroom, person: int = ANN, chat: int = LOUNGE) -> None:
    room.bot.statuses[chat, person] = "member"


# Stripe


def test_what_agrees_is_left_alone(room: Backroom) -> None:
    room.subscribes()
    assert not {FETCH, RECHECK} & set(a_day_later(room))


def test_a_cancellation_that_no_event_told_of_is_found(room: Backroom) -> None:
    room.subscribes()
    room.stripe.subscriptions["sub_1"] = subscription(status="canceled", ended_at=NOW)
    assert a_day_later(room).count(FETCH) == 1
    assert not room.right("sub_1").holds
    assert found() == {"subscriptions": 1, "differing": 1}
    assert FETCH not in a_day_later(room)


@pytest.mark.parametrize(
    "change",
    [
        {"current_period_end": NOW + 60 * DAY},
        {"cancel_at_period_end": True},
        {"paused_collection": True},
        {"price_ids": ("price_vip",), "product_ids": ("prod_price_vip",)},
        {"status": "past_due"},
    ],
)
def test_every_change_that_no_event_told_of_is_found_once(
    room: Backroom, change: dict[str, object]
) -> None:
    room.subscribes()
    room.stripe.subscriptions["sub_1"] = subscription(**change)
    assert a_day_later(room).count(FETCH) == 1
    assert FETCH not in a_day_later(room)


def test_a_purchase_that_no_event_told_of_is_found(room: Backroom) -> None:
    room.stripe.subscriptions["sub_1"] = subscription()
    a_day_later(room)
    assert room.right("sub_1").holds
    assert len(room.texts()) == 1
    assert found() == {"subscriptions": 1, "unknown": 1}


def test_somebody_who_is_not_known_here_at_all_is_found(room: Backroom) -> None:
    room.stripe.subscriptions["sub_1"] = subscription(metadata=tag(person=5))
    a_day_later(room)
    assert Customer.objects.get(telegram_user_id=5).stripe_customer_id == "cus_1"


def test_what_others_sell_from_the_account_is_left_alone(room: Backroom) -> None:
    room.stripe.subscriptions |= {
        "sub_1": subscription(id="sub_1", metadata={}, customer="cus_9"),
        "sub_2": subscription(id="sub_2", metadata=tag(bot=BOT + 1)),
        "sub_3": subscription(id="sub_3", status="incomplete_expired"),
        "sub_4": subscription(id="sub_4", metadata=tag(plan="price_gone"), price_ids=("other",),
                              product_ids=("other",)),
        "sub_5": subscription(id="sub_5", status="canceled", ended_at=NOW),
    }  # fmt: skip
    assert FETCH not in a_day_later(room)
    assert not Entitlement.objects.exists()


def test_what_stripe_does_not_list_is_asked_for_and_ends_nothing(room: Backroom) -> None:
    room.subscribes()
    room.stripe.subscriptions.clear()
    assert RECHECK in a_day_later(room)
    assert room.right("sub_1").holds
    assert found() == {"missing": 1}


def test_long_lists_are_gone_through_page_by_page(room: Backroom) -> None:
    room.stripe.page_size = 2
    for number in range(7):
        created = NOW + timedelta(seconds=number // 3)
        room.subscribes(f"sub_{number}", created=created)
    gone = [f"sub_{number}" for number in (0, 4, 6)]
    for name in gone:
        del room.stripe.subscriptions[name]
    new = subscription(id="sub_new", created=NOW - DAY)
    room.stripe.subscriptions["sub_new"] = new
    ran = a_day_later(room)
    assert ran.count(LIST_PAGE) == 3 + 3
    assert found() == {"subscriptions": 5, "missing": 3}
    assert ran.count(RECHECK) == 1  # all of them are of one person
    assert room.right("sub_new").holds  # by then the recheck has found it


def test_a_run_that_breaks_off_goes_on_where_it_was(room: Backroom) -> None:
    room.stripe.page_size = 1
    for number in range(3):
        created = NOW + timedelta(seconds=number)
        room.stripe.subscriptions[f"sub_{number}"] = subscription(
            id=f"sub_{number}", created=created
        )
    room.later(DAY)
    room.stripe.trouble = RetryLater("stripe_unavailable")
    with pytest.raises(RetryLater):
        passed(room)
    assert not Entitlement.objects.exists()
    room.stripe.trouble = None
    InboxEvent.objects.filter(state="claimed").update(state="pending")
    passed(room)
    assert Entitlement.objects.filter(holds=True).count() == 3


def test_a_purchase_paid_once_that_no_event_told_of_is_found(room: Backroom) -> None:
    room.stripe.payments["pi_1"] = payment()
    room.stripe.payments["pi_2"] = payment(id="pi_2", metadata={})
    room.stripe.payments["pi_3"] = payment(id="pi_3", status="requires_payment_method")
    a_day_later(room)
    assert list(Entitlement.objects.values_list("external_id", flat=True)) == ["pi_1"]


def test_a_refund_and_a_dispute_that_no_event_told_of_are_found(room: Backroom) -> None:
    room.pays()
    room.pays(id="pi_2", created=NOW)
    room.stripe.payments["pi_1"] = payment(amount_refunded=900)
    room.stripe.payments["pi_2"] = payment(id="pi_2", disputes=dispute("needs_response"))
    room.stripe.lists["refunds"] = [
        UndoneMoney(id="re_1", payment_intent="pi_1", status="succeeded"),
        UndoneMoney(id="re_2", payment_intent="pi_foreign", status="succeeded"),
    ]
    room.stripe.lists["disputes"] = [
        UndoneMoney(id="dp_1", payment_intent="pi_2", status="needs_response")
    ]
    a_day_later(room)
    assert room.right("pi_1").reason == "refunded"
    assert room.right("pi_2").reason == "disputed"
    assert found() == {"refunds": 1, "disputes": 1}
    assert FETCH not in a_day_later(room)


def test_one_listing_serves_all_that_sell_from_an_account(room: Backroom) -> None:
    operations.reconcile([room.integration.id], "operator:olga")
    passed(room)
    assert room.stripe.listed.count("subscriptions") == 1


def test_a_key_that_does_not_work_leaves_no_dead_letter_each_day(room: Backroom) -> None:
    room.stripe.keyless = NeedsOperator("stripe_key_missing")
    assert LIST_PAGE in a_day_later(room)
    room.stripe.keyless = None
    room.stripe.subscriptions["sub_1"] = subscription()
    a_day_later(room)
    assert room.right("sub_1").holds


# Chats


def test_somebody_who_left_unseen_is_outside(room: Backroom) -> None:
    room.subscribes()
    room.enters()
    assert room.access().observed == "inside"
    room.bot.statuses[LOUNGE, ANN] = "left"
    a_day_later(room)
    access = room.access()
    assert (access.observed, access.let_in_at, access.checked_at) == ("outside", None, room.now)
    assert found("reconciled.chats") == {"checked": 1, "moved_unseen": 1, "settled": 1}


def test_who_left_and_asked_to_enter_again_unseen_is_let_in(room: Backroom) -> None:
    room.subscribes()
    room.enters()
    room.bot.statuses[LOUNGE, ANN] = "left"
    a_day_later(room)
    room.sent(*room.calls("approveChatJoinRequest"))
    assert room.access().observed == "inside"


def test_who_left_unseen_and_did_not_ask_is_shown_the_way_in_once(room: Backroom) -> None:
    room.subscribes()
    room.enters()
    room.bot.statuses[LOUNGE, ANN] = "left"
    a_day_later(room)
    room.failed(room.calls("approveChatJoinRequest")[0], Permanent("request_missing"))
    for _ in range(2):
        a_day_later(room)
    shown = OutboxItem.objects.filter(occasion__startswith="entry:").count()
    assert (room.access().observed, shown) == ("outside", 1)


def test_who_left_unseen_and_has_no_right_any_more_is_not_asked_for(room: Backroom) -> None:
    room.subscribes()
    room.enters()
    Entitlement.objects.update(status="canceled", ends_at=NOW, holds=False, reason="ended")
    room.stripe.subscriptions["sub_1"] = subscription(status="canceled", ended_at=NOW)
    Access.objects.update(desired=False)
    room.bot.statuses[LOUNGE, ANN] = "left"
    a_day_later(room)
    assert room.calls("approveChatJoinRequest") == []
    assert room.access().requested_at is None


def test_somebody_inside_who_should_not_be_is_looked_at_and_taken_out(room: Backroom) -> None:
    room.subscribes()
    room.enters()
    inside(room)
    room.stripe.subscriptions["sub_1"] = subscription(status="canceled", ended_at=NOW)
    Entitlement.objects.update(status="canceled", ends_at=NOW, holds=False, reason="ended")
    Access.objects.update(desired=False, observed="outside")  # came back unseen
    a_day_later(room)
    room.sent()
    access = room.access()
    assert (access.observed, access.removed_at is not None) == ("outside", True)
    assert room.stripe.asked[-1] == "subscriptions of cus_1"  # right before


def test_a_listing_alone_removes_nobody(room: Backroom) -> None:
    room.subscribes()
    room.enters()
    inside(room)
    room.stripe.subscriptions.clear()
    for _ in range(5):
        a_day_later(room)
    assert room.calls("unbanChatMember") == []
    assert room.access().observed == "inside"


def test_not_found_proves_nothing(room: Backroom) -> None:
    room.subscribes()
    room.enters()
    room.bot.trouble["getChatMember"] = Permanent("bad_request")
    a_day_later(room)
    access = room.access()
    assert (access.observed, access.checked_at) == ("inside", room.now)


def test_who_waits_at_the_door_still_waits_when_telegram_says_left(room: Backroom) -> None:
    room.completes(status="open")
    room.asks()
    passed(room, "events")
    assert room.access().checked_at is not None
    assert room.access().requested_at is not None
    assert room.access().observed == "requested"


def test_somebody_whom_an_admin_let_in_unseen_waits_no_more(room: Backroom) -> None:
    room.completes(status="open")
    room.asks()
    inside(room)
    passed(room, "events")
    assert room.access().requested_at is None
    assert room.access().observed == "inside"


def test_members_from_before_are_not_asked_about(room: Backroom) -> None:
    Access.objects.create(customer=room.ann, chat=room.lounge, observed="inside")
    a_day_later(room)
    assert "getChatMember" not in room.bot.called


def test_people_are_asked_about_a_few_at_a_time_and_the_longest_unseen_first(
    room: Backroom,
) -> None:
    for number in range(45):
        Access.objects.create(
            customer=room.person(1000 + number),
            chat=room.lounge,
            observed="keeper",
            let_in_at=NOW,
            checked_at=NOW - timedelta(hours=number),
        )
        room.bot.statuses[LOUNGE, 1000 + number] = "administrator"
    room.later(DAY)
    begun = room.now
    room.reconcile("everything")
    assert room.bot.called.count("getChatMember") == 20
    looked_at = Access.objects.filter(checked_at=begun)
    assert sorted(looked_at.values_list("customer__telegram_user_id", flat=True)) == [
        *range(1025, 1045)
    ]
    passed(room)
    assert room.bot.called.count("getChatMember") == 45
    room.integration.refresh_from_db()
    assert room.integration.reconciled_at == room.now


def test_who_is_let_in_comes_before_who_is_looked_at(room: Backroom) -> None:
    room.subscribes()
    room.enters()
    room.subscribes("sub_2", metadata=tag(plan="price_vip"), price_ids=("price_vip",))
    assert room.calls()  # an answer waits to be sent
    room.bot.called.clear()
    room.later(DAY)
    room.reconcile("everything")
    assert "getChatMember" not in room.bot.called
    passed(room)
    assert "getChatMember" in room.bot.called


def test_a_bot_that_is_not_in_order_is_looked_at_and_the_pass_goes_on_another_day(
    room: Backroom,
) -> None:
    room.subscribes()
    room.enters()
    room.bot.trouble["getChatMember"] = NeedsOperator("bot_unauthorized")
    ran = a_day_later(room)
    assert ran.count(LOOK_AROUND) == 1
    assert room.access().observed == "inside"
    room.integration.refresh_from_db()
    assert room.integration.reconciled_at is None


def test_an_outage_of_telegram_is_waited_for(room: Backroom) -> None:
    room.subscribes()
    room.enters()
    room.bot.trouble["getChatMember"] = RetryLater("telegram_unavailable")
    with pytest.raises(RetryLater):
        a_day_later(room)


# Time


def test_a_day_goes_by_between_two_passes(room: Backroom) -> None:
    assert LOOK_AROUND in passed(room)
    for _ in range(23):
        room.later(HOUR)
        assert passed(room) == []
    room.later(HOUR)
    assert LOOK_AROUND in passed(room)


def test_what_is_switched_off_is_left_alone(room: Backroom) -> None:
    operations.set_active(room.integration.id, "operator:olga", active=False)
    assert passed(room) == []
    with pytest.raises(operations.NothingToReconcileError):
        operations.reconcile([room.integration.id], "operator:olga")


def test_an_operator_who_has_it_done_now_is_told_what_was_found(room: Backroom) -> None:
    room.subscribes()
    room.enters()
    inside(room)
    operations.reconcile([room.integration.id], "operator:olga")
    passed(room)
    assert found() == {"subscriptions": 1}
    assert found("reconciled.chats") == {"checked": 1}
    assert AuditEntry.objects.filter(actor="operator:olga").count() == 3


def test_a_chat_with_a_problem_is_left_out(room: Backroom) -> None:
    room.subscribes()
    room.enters()
    room.lounge.problem = {"code": "bot_not_in_chat"}
    room.lounge.save()
    room.bot.called.clear()
    a_day_later(room)
    assert "getChatMember" not in room.bot.called
    assert VAULT
