"""The goodbye is said when the person is out, once, and not at all to those who stay."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec
import pytest
from django.db import transaction

from tests.usecases.leavers import GONE, UNBAN, crowd, ends, member, says
from tests.usecases.snapshots import ANN, BOT, DAY, LOUNGE, VAULT, subscription, tag
from velvetrope.domain.errors import NeedsOperator, Permanent
from velvetrope.domain.states import ItemState
from velvetrope.store.models import Access, Chat, Customer, OutboxItem, PlanChat
from velvetrope.store.revisions import touch
from velvetrope.usecases.operations import change_messages, confirm_removals
from velvetrope.usecases.operations.reviews import request_review

if TYPE_CHECKING:
    from tests.usecases.backroom import Backroom

GOODBYE = "Your access has ended: <b>Lounge</b>."
OVER = "This has come to its end: <b>price_month</b>."
#: What opens both chats.
VIP = ("price_vip",)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture(autouse=True)
def _at_its_post(room: Backroom) -> None:
    """Have the bot be an administrator of chats whose names stay what they are."""
    for chat, title in ((LOUNGE, "Lounge"), (VAULT, "Vault")):
        room.bot.statuses[chat, BOT] = "administrator"
        room.bot.titles[chat] = title


def goodbyes(room: Backroom) -> list[str]:
    """Deliver all that is due; gives the first lines of the goodbyes among it."""
    lines = [text.splitlines()[0] for text in room.deliver()]
    return [line for line in lines if line.startswith(("Your access has ended", "This has come"))]


def held(room: Backroom) -> list[int]:
    """Have seven people's rights end at once; gives the two who are held. All others are told."""
    people = crowd(room, 7)
    for person in people:
        ends(room, person)
    assert goodbyes(room) == [GOODBYE] * 5
    return people[5:]


def in_both_chats(room: Backroom) -> None:
    member(room, ANN)
    says(room, ANN, "customer.subscription.updated", price_ids=VIP)
    room.bot.statuses[VAULT, ANN] = "member"
    Access.objects.filter(customer=room.ann).update(
        observed="inside", observed_at=room.now, let_in_at=room.now
    )
    room.deliver()


def brake(room: Backroom, chat: Chat) -> None:
    Chat.objects.filter(id=chat.id).update(brake_at=room.now)


def confirm(room: Backroom, chat: Chat) -> None:
    assert confirm_removals(chat.id, "operator:anna") > 0
    room.run_jobs()


def review(room: Backroom) -> None:
    """Have everybody judged anew, since an operator has changed what a plan opens."""
    touch([room.integration.id])
    with transaction.atomic():
        request_review(room.integration.id)
    room.run_jobs()


def days_go_by(room: Backroom) -> list[str]:
    """Let a while go by, a few hours at a time; gives the goodbyes."""
    found = []
    for _ in range(10):
        room.later(5 * HOUR)
        room.sweep()
        found += goodbyes(room)
    return found


# Those who leave


def test_the_goodbye_follows_the_removal(room: Backroom) -> None:
    member(room, ANN)
    ends(room)
    [goodbye] = room.calls("sendMessage")
    room.put_off(goodbye)
    [removal] = room.calls(UNBAN)
    room.sent(removal)
    assert goodbyes(room) == [GOODBYE]
    assert days_go_by(room) == []


def test_the_goodbye_comes_at_once_to_who_is_not_inside(room: Backroom) -> None:
    room.subscribes()
    room.deliver()
    room.subscribes(kind=GONE, status="canceled", ended_at=room.now)
    assert room.calls(UNBAN) == []
    assert goodbyes(room) == [GOODBYE]


def test_a_removal_that_is_tried_again_and_again_is_waited_for(room: Backroom) -> None:
    member(room, ANN)
    ends(room)
    removal = room.calls(UNBAN)[0]
    room.failed(removal, Permanent("telegram_unavailable"))
    room.later(MINUTE)
    assert goodbyes(room) == []
    room.later(2 * HOUR)
    room.sweep()
    assert goodbyes(room) == [GOODBYE]


def test_who_leaves_of_their_own_accord_hears_it_then(room: Backroom) -> None:
    member(room, ANN)
    brake(room, room.lounge)
    ends(room)
    assert goodbyes(room) == []
    room.moves("left", by=ANN)
    assert goodbyes(room) == [GOODBYE]


def test_the_update_of_the_removal_may_come_before_its_answer(room: Backroom) -> None:
    member(room, ANN)
    ends(room)
    [goodbye] = room.calls("sendMessage")
    room.put_off(goodbye)
    [removal] = room.calls(UNBAN)
    room.moves("left")
    assert goodbyes(room) == [GOODBYE]
    room.sent(removal)
    assert goodbyes(room) == []


def test_who_blocks_the_bot_is_not_written_to(room: Backroom) -> None:
    member(room, ANN)
    Customer.objects.update(blocked_at=room.now)
    ends(room)
    assert goodbyes(room) == []
    assert room.access().observed == "outside"
    assert OutboxItem.objects.get(occasion__startswith="ended:").state == "skipped"


# Those who are held


def test_who_is_held_by_the_brake_hears_nothing_before_they_are_out(room: Backroom) -> None:
    waiting = held(room)
    assert days_go_by(room) == []
    confirm(room, room.lounge)
    assert goodbyes(room) == [GOODBYE] * len(waiting)
    assert days_go_by(room) == []


def test_who_is_held_and_buys_again_never_hears_a_goodbye(room: Backroom) -> None:
    waiting = held(room)
    for person in waiting:
        key, customer = f"sub_new_{person}", f"cus_{person}"
        room.stripe.subscriptions[key] = subscription(
            id=key, customer=customer, metadata=tag(person)
        )
        named = {"id": key, "object": "subscription", "customer": customer}
        room.stripe_says("customer.subscription.created", named)
    assert days_go_by(room) == []
    assert not OutboxItem.objects.filter(state="pending", occasion__startswith="ended:").exists()


def test_who_is_held_and_pays_late_is_thanked_and_not_welcomed_back(room: Backroom) -> None:
    member(room, ANN)
    brake(room, room.lounge)
    says(room, ANN, "customer.subscription.updated", status="unpaid")
    assert goodbyes(room) == []
    says(room, ANN, "customer.subscription.updated")
    [text] = room.deliver()
    assert text.startswith("✅ The payment has gone through after all")
    assert days_go_by(room) == []


def test_who_is_held_and_whose_refund_came_to_nothing_hears_of_neither(room: Backroom) -> None:
    room.pays()
    room.enters()
    brake(room, room.lounge)
    room.pays(amount_refunded=900)
    assert goodbyes(room) == []
    room.pays("refund.failed")
    assert room.deliver() == []
    assert days_go_by(room) == []


def test_who_ends_twice_while_they_are_held_hears_it_once(room: Backroom) -> None:
    member(room, ANN)
    brake(room, room.lounge)
    for _ in range(2):
        says(room, ANN, "customer.subscription.updated", status="unpaid")
        room.later(MINUTE)
        says(room, ANN, "customer.subscription.updated")
        room.later(MINUTE)
    ends(room)
    assert goodbyes(room) == []
    confirm(room, room.lounge)
    assert goodbyes(room) == [GOODBYE]
    assert days_go_by(room) == []


def test_a_goodbye_that_is_switched_off_meanwhile_is_not_said(room: Backroom) -> None:
    held(room)
    change_messages(room.integration.id, {"access_ended": False}, "test")
    confirm(room, room.lounge)
    assert goodbyes(room) == []


def test_the_words_are_those_of_the_moment_when_it_is_said(room: Backroom) -> None:
    member(room, ANN)
    brake(room, room.lounge)
    ends(room)
    goodbyes(room)
    Customer.objects.update(telegram_language="uk")
    Chat.objects.filter(id=room.lounge.id).update(title="Salon")
    touch([room.integration.id])
    confirm(room, room.lounge)
    [text] = room.deliver()
    assert text.startswith("Ваш доступ закінчився: <b>Salon</b>.")


def test_who_is_held_with_an_open_bill_is_led_to_it_when_they_are_out(room: Backroom) -> None:
    member(room, ANN)
    says(room, ANN, "customer.subscription.updated", status="past_due")
    room.deliver()
    room.later(8 * DAY)
    brake(room, room.lounge)
    says(room, ANN, "customer.subscription.updated", status="past_due")
    assert goodbyes(room) == []
    [waiting] = OutboxItem.objects.filter(occasion__startswith="ended:")
    confirm(room, room.lounge)
    [params] = [one for one in room.delivered() if "access has ended" in one["text"]]
    assert params["reply_markup"] == msgspec.json.decode(waiting.params)["reply_markup"]


# Those who can't be taken out


def test_a_bot_without_its_rights_says_goodbye_when_it_has_them_again(room: Backroom) -> None:
    member(room, ANN)
    ends(room)
    room.bot.lacking.add("can_restrict_members")
    room.failed(room.calls(UNBAN)[0], NeedsOperator("missing_rights"), ItemState.SUSPENDED)
    assert days_go_by(room) == []
    room.bot.lacking.clear()
    assert days_go_by(room) == [GOODBYE]


@pytest.mark.parametrize("code", ["target_is_admin", "bad_request"])
def test_who_can_never_be_taken_out_hears_that_the_plan_is_over(room: Backroom, code: str) -> None:
    member(room, ANN)
    ends(room)
    room.failed(room.calls(UNBAN)[0], Permanent(code))
    assert goodbyes(room) == [OVER]
    assert days_go_by(room) == []


def test_an_administrator_hears_that_the_plan_is_over(room: Backroom) -> None:
    member(room, ANN)
    room.bot.statuses[LOUNGE, ANN] = "administrator"
    ends(room)
    assert goodbyes(room) == [OVER]


def test_a_member_from_before_who_stays_hears_that_the_plan_is_over(room: Backroom) -> None:
    member(room, ANN)
    Access.objects.update(let_in_at=None)
    ends(room)
    assert goodbyes(room) == [OVER]


# Several chats


def test_several_chats_are_named_in_one_goodbye_when_all_are_left(room: Backroom) -> None:
    in_both_chats(room)
    ends(room, price_ids=VIP)
    first, second = room.calls(UNBAN)
    room.sent(first)
    [waiting] = room.calls("sendMessage")
    room.put_off(waiting)
    room.sent(second)
    assert goodbyes(room) == ["Your access has ended: <b>Lounge</b> and <b>Vault</b>."]
    assert days_go_by(room) == []


def test_a_chat_that_is_left_later_than_the_others_is_named_then(room: Backroom) -> None:
    in_both_chats(room)
    brake(room, room.vault)
    ends(room, price_ids=VIP)
    assert goodbyes(room) == [GOODBYE]
    assert days_go_by(room) == []
    confirm(room, room.vault)
    assert goodbyes(room) == ["Your access has ended: <b>Vault</b>."]
    assert days_go_by(room) == []


def test_who_never_entered_one_chat_and_is_held_in_the_other_hears_nothing_yet(
    room: Backroom,
) -> None:
    in_both_chats(room)
    Access.objects.filter(chat=room.vault).update(observed="outside", let_in_at=None)
    brake(room, room.lounge)
    ends(room, price_ids=VIP)
    assert goodbyes(room) == []
    confirm(room, room.lounge)
    assert goodbyes(room) == ["Your access has ended: <b>Lounge</b> and <b>Vault</b>."]


# A chat that a plan doesn't open any more


def test_who_is_to_leave_since_a_plan_opens_a_chat_no_more_hears_it_when_out(
    room: Backroom,
) -> None:
    in_both_chats(room)
    brake(room, room.vault)
    PlanChat.objects.filter(plan=room.vip, chat=room.vault).delete()
    review(room)
    assert days_go_by(room) == []
    confirm(room, room.vault)
    assert goodbyes(room) == ["Your access has ended: <b>Vault</b>."]
    assert days_go_by(room) == []


def test_a_chat_that_a_plan_opens_again_meanwhile_is_not_said_to_be_closed(
    room: Backroom,
) -> None:
    in_both_chats(room)
    brake(room, room.vault)
    link = PlanChat.objects.get(plan=room.vip, chat=room.vault)
    PlanChat.objects.filter(id=link.id).delete()
    review(room)
    assert goodbyes(room) == []
    link.save(force_insert=True)
    review(room)
    assert days_go_by(room) == []
