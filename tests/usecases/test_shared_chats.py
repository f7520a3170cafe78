"""Two bots that open the same chat: neither undoes what the other one is paid for."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from tests.usecases.snapshots import ANN, LOUNGE, NOW
from velvetrope.store.encryption import Secret
from velvetrope.store.models import Access, Chat, Checkout, Customer, Integration, Plan, PlanChat
from velvetrope.usecases.explaining import explain_customer

if TYPE_CHECKING:
    from tests.usecases.backroom import Backroom

DECLINE, UNBAN = "declineChatJoinRequest", "unbanChatMember"
GONE = "customer.subscription.deleted"


def other_bot(room: Backroom) -> Chat:
    """Have another integration open the Lounge as well; gives its own row of the chat."""
    other = Integration.objects.create(
        name="other",
        stripe_account=room.integration.stripe_account,
        token=Secret("77:token"),
        bot_id=77,
        bot_username="other_bot",
        webhook_secret=Secret("other"),
        webhook_secret_hash="other",
        registration="registered",
        verified_at=NOW,
    )
    return Chat.objects.create(integration=other, telegram_id=LOUNGE, kind="channel")


def ann_there(chat: Chat) -> Customer:
    return Customer.objects.create(
        integration=chat.integration, telegram_user_id=ANN, created_at=NOW
    )


def inside(room: Backroom) -> None:
    room.subscribes()
    room.sent()
    room.enters()


def knocks(room: Backroom, link: str) -> str:
    """Have Ann ask to enter by a link, as a bot hears of it that did not make it."""
    body = {
        "chat": {"id": LOUNGE, "type": "channel"},
        "from": {"id": ANN, "is_bot": False, "first_name": "Ann"},
        "user_chat_id": ANN,
        "date": int(room.now.timestamp()),
        "invite_link": {"invite_link": link, "creates_join_request": True},
    }
    return room.update("chat_join_request", body)


def ends(room: Backroom) -> None:
    room.subscribes(kind=GONE, status="canceled", ended_at=room.now)


def test_who_pays_another_bot_for_the_same_chat_is_not_taken_out(room: Backroom) -> None:
    chat = other_bot(room)
    inside(room)
    right = Access.objects.create(customer=ann_there(chat), chat=chat, desired=True)
    ends(room)
    assert room.calls(UNBAN) == []
    story = explain_customer(room.ann, room.now)
    assert "another bot lets them into this chat" in str(story.places)
    right.desired = False
    right.save()
    room.later(timedelta(hours=2))
    room.sweep()
    assert len(room.calls(UNBAN)) == 1


def test_who_stays_by_another_bot_hears_that_they_are_out_when_they_are(room: Backroom) -> None:
    chat = other_bot(room)
    inside(room)
    right = Access.objects.create(customer=ann_there(chat), chat=chat, desired=True)
    ends(room)
    [text] = room.deliver()
    assert text.startswith("This has come to its end: <b>price_month</b>")
    right.desired = False
    right.save()
    room.later(timedelta(hours=2))
    room.sweep()
    [text] = room.deliver()
    assert text.startswith("Your access has ended")
    room.moves("left")
    assert room.deliver() == []


def test_who_pays_another_bot_while_a_removal_waits_is_not_taken_out(room: Backroom) -> None:
    chat = other_bot(room)
    inside(room)
    ends(room)
    [removal] = room.calls(UNBAN)
    assert room.still_wanted(removal)
    Access.objects.create(customer=ann_there(chat), chat=chat, desired=True)
    assert not room.still_wanted(removal)
    room.overtaken(removal)
    assert room.calls(UNBAN) == []
    assert room.access().removed_at is None


def test_a_request_of_somebody_whom_another_bot_lets_in_is_left_to_it(room: Backroom) -> None:
    chat = other_bot(room)
    Access.objects.create(customer=ann_there(chat), chat=chat, desired=True)
    room.asks()
    assert room.calls() == []
    room.moves("member", by=77, request=True)
    assert room.access().requested_at is None
    assert room.access().let_in_at is None


def test_a_request_of_somebody_who_is_paying_another_bot_is_left_to_it(room: Backroom) -> None:
    chat = other_bot(room)
    plan = Plan.objects.create(integration=chat.integration, stripe_price_id="price_other")
    PlanChat.objects.create(plan=plan, chat=chat)
    Checkout.objects.create(
        customer=ann_there(chat),
        plan=plan,
        stripe_session_id="cs_other",
        expires_at=room.now + timedelta(hours=1),
        created_at=room.now,
    )
    room.asks()
    assert room.calls() == []


def test_a_request_by_the_link_of_another_bot_is_left_to_it(room: Backroom) -> None:
    chat = other_bot(room)
    Chat.objects.filter(id=chat.id).update(invite_link="https://t.me/+AbCdEfGhIjK")
    assert knocks(room, "https://t.me/+AbCdE...") == "ignored"
    assert knocks(room, "https://t.me/+ZyXwV...") == "handled"
    assert room.methods() == ["sendMessage"]


def test_whom_this_bot_lets_in_may_come_by_the_link_of_another_one(room: Backroom) -> None:
    chat = other_bot(room)
    Chat.objects.filter(id=chat.id).update(invite_link="https://t.me/+AbCdEfGhIjK")
    room.subscribes()
    room.sent()
    knocks(room, "https://t.me/+AbCdE...")
    assert room.methods() == ["approveChatJoinRequest"]


def test_a_request_of_a_stranger_to_both_is_answered(room: Backroom) -> None:
    other_bot(room)
    room.asks()
    room.sent()
    assert room.access().requested_at is None
