"""Requests, members, approvals and removals, whatever comes in between."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.usecases.snapshots import ANN, DAY, LOUNGE, NOW, VAULT, payment, session
from velvetrope.domain.errors import NeedsOperator, Permanent, RetryLater
from velvetrope.domain.states import ItemState
from velvetrope.store.models import Access, Chat, Checkout, Customer, InboxEvent, OutboxItem
from velvetrope.usecases import operations

if TYPE_CHECKING:
    from tests.usecases.backroom import Backroom

APPROVE, DECLINE, UNBAN = "approveChatJoinRequest", "declineChatJoinRequest", "unbanChatMember"
GONE = "customer.subscription.deleted"


def ends(room: Backroom) -> None:
    room.subscribes(kind=GONE, status="canceled", ended_at=room.now)


def inside(room: Backroom) -> None:
    room.subscribes()
    room.sent()
    room.enters()
    assert room.access().observed == "inside"
    assert room.access().let_in_at is not None


# What is asked of Telegram


def test_a_removal_that_waits_is_not_wanted_any_more_once_the_person_has_paid(
    room: Backroom,
) -> None:
    inside(room)
    ends(room)
    [removal] = room.calls(UNBAN)
    assert room.still_wanted(removal)
    room.subscribes("sub_2")
    assert not room.still_wanted(removal)
    assert room.access().action == ""


def test_a_removal_is_asked_for_anew_when_the_second_purchase_has_ended_too(
    room: Backroom,
) -> None:
    inside(room)
    ends(room)
    room.subscribes("sub_2")
    room.subscribes("sub_2", GONE, status="canceled", ended_at=NOW)
    assert room.still_wanted(room.calls(UNBAN)[-1])
    assert len(room.calls(UNBAN)) == 2


def test_somebody_who_paid_while_being_removed_is_shown_the_door_again(room: Backroom) -> None:
    inside(room)
    ends(room)
    [removal] = room.calls(UNBAN)
    room.subscribes("sub_2")
    room.sent(*room.calls("sendMessage"))
    room.sent(removal)  # it was on its way already
    assert (room.access().observed, room.access().let_in_at) == ("outside", None)
    assert len(room.texts()) == 1
    assert f"invite:{room.lounge.id}" in bytes(room.calls("sendMessage")[0].params).decode()


def test_an_approval_that_waits_is_not_wanted_once_the_rights_have_ended(room: Backroom) -> None:
    room.subscribes()
    room.sent()
    room.asks()
    [approval] = room.calls(APPROVE)
    assert room.still_wanted(approval)
    ends(room)
    assert not room.still_wanted(approval)
    room.sent(*room.calls("sendMessage"))
    assert room.still_wanted(room.calls(DECLINE)[0])


def test_somebody_who_asked_twice_is_welcomed_once(room: Backroom) -> None:
    room.subscribes()
    room.sent()
    room.asks()
    room.asks()
    first, second = room.calls(APPROVE)
    room.sent(first)
    room.later(timedelta(seconds=5))
    room.failed(second, Permanent("already_participant"), ItemState.SKIPPED)
    assert len(room.texts()) == 1


def test_a_refusal_that_waits_is_not_wanted_once_the_person_pays(room: Backroom) -> None:
    room.asks()
    room.sent(*room.calls("sendMessage"))
    [decline] = room.calls(DECLINE)
    assert room.still_wanted(decline)
    room.subscribes()
    assert not room.still_wanted(decline)
    assert room.still_wanted(room.calls(APPROVE)[0])


def test_a_refusal_that_waits_is_not_wanted_once_the_person_begins_to_pay(room: Backroom) -> None:
    room.asks()
    room.sent(*room.calls("sendMessage"))
    [decline] = room.calls(DECLINE)
    room.presses(f"plan:{room.monthly.id}")
    assert not room.still_wanted(decline)
    assert room.access().requested_at is not None


def test_a_ban_is_lifted_only_for_somebody_who_holds_access(room: Backroom) -> None:
    room.bot.statuses[LOUNGE, ANN] = "kicked"
    room.subscribes()
    [unban] = room.calls(UNBAN)
    assert room.still_wanted(unban)
    ends(room)
    assert not room.still_wanted(unban)
    room.subscribes("sub_2")
    assert len(room.calls(UNBAN)) == 2


def test_nobody_is_taken_out_of_a_chat_that_is_the_products_no_more(room: Backroom) -> None:
    inside(room)
    ends(room)
    [removal] = room.calls(UNBAN)
    Chat.objects.filter(id=room.lounge.id).delete()
    assert not room.still_wanted(removal)


def test_an_approval_whose_answer_was_lost_ends_with_the_welcome_all_the_same(
    room: Backroom,
) -> None:
    room.subscribes()
    room.sent()
    room.asks()
    [approval] = room.calls(APPROVE)
    room.moves("member", request=True)
    assert room.still_wanted(approval)
    room.failed(approval, Permanent("request_missing"), ItemState.SKIPPED)
    assert room.access().observed == "inside"
    assert room.access().let_in_at is not None
    assert len(room.texts()) == 1


def test_a_keeper_whose_request_is_gone_stays_a_keeper(room: Backroom) -> None:
    room.subscribes()
    room.sent()
    room.asks()
    [approval] = room.calls(APPROVE)
    room.moves("administrator", by=5)
    room.failed(approval, Permanent("request_missing"), ItemState.SKIPPED)
    assert room.access().observed == "keeper"
    assert room.texts() == []


def test_a_request_that_was_withdrawn_may_be_made_again(room: Backroom) -> None:
    room.subscribes()
    room.sent()
    room.asks()
    room.failed(room.calls(APPROVE)[0], Permanent("request_missing"), ItemState.SKIPPED)
    access = room.access()
    assert (access.requested_at, access.action, access.observed) == (None, "", "unknown")
    assert len(room.texts()) == 1  # the button again
    room.asks()
    room.sent(*room.calls(APPROVE))
    assert room.access().observed == "inside"


# Strangers


def test_a_stranger_who_blocks_the_bot_is_declined_without_a_word(room: Backroom) -> None:
    Customer.objects.update(blocked_at=NOW)
    room.asks()
    assert [row.method for row in room.calls()] == [DECLINE]


def test_a_stranger_of_whom_the_block_is_learnt_by_the_refusal_is_declined(room: Backroom) -> None:
    room.asks()
    [explanation] = room.calls("sendMessage")
    room.failed(explanation, Permanent("blocked_by_user"), ItemState.SKIPPED)
    assert [row.method for row in room.calls()] == [DECLINE]


def test_a_block_learnt_from_another_message_answers_the_door_as_well(room: Backroom) -> None:
    room.presses("help")
    room.asks()
    room.sent(*room.calls("answerCallbackQuery"))
    first, explanation = room.calls("sendMessage")
    OutboxItem.objects.filter(id=explanation.id).update(state="skipped")
    room.failed(first, Permanent("blocked_by_user"), ItemState.SKIPPED)
    assert [row.method for row in room.calls()] == [DECLINE]


def test_a_request_after_a_purchase_that_came_to_nothing_is_explained_again(
    room: Backroom,
) -> None:
    room.asks()
    [explanation] = room.calls("sendMessage")
    room.subscribes()  # an approval takes the place of the refusal
    room.later(timedelta(minutes=1))
    room.subscribes(kind=GONE, status="canceled", ended_at=NOW)
    room.sent(explanation)
    room.sent()
    assert room.access().requested_at is None
    assert OutboxItem.objects.filter(occasion__startswith="door:").count() == 2


def test_a_person_who_is_gone_from_telegram_is_not_answered_for_ever(room: Backroom) -> None:
    room.asks()
    room.sent(*room.calls("sendMessage"))
    room.failed(room.calls(DECLINE)[0], Permanent("user_deactivated"))
    assert room.access().requested_at is None


def test_names_longer_than_their_columns_are_cut(room: Backroom) -> None:
    body = {
        "chat": {"id": LOUNGE, "type": "channel"},
        "from": {"id": 5, "first_name": "x" * 300, "username": "y" * 300},
        "user_chat_id": 5,
        "date": 1,
    }
    room.update("chat_join_request", body, 5)
    person = Customer.objects.get(telegram_user_id=5)
    assert (len(person.first_name), len(person.username)) == (255, 64)


def test_requests_for_chats_of_others_are_ignored(room: Backroom) -> None:
    assert room.asks(-5) == "ignored"
    assert room.moves("member", chat=-5) == "ignored"
    assert not Access.objects.exists()


def test_a_stranger_among_the_members_is_no_customer(room: Backroom) -> None:
    Customer.objects.all().delete()
    assert room.moves("member") == "ignored"


def test_a_request_while_paying_waits_and_is_told_so(room: Backroom) -> None:
    made = session(status="open")
    Checkout.objects.create(
        customer=room.ann,
        plan=room.once,
        stripe_session_id=made.id,
        url=made.url or "",
        state="open",
        expires_at=NOW + DAY,
        created_at=NOW,
    )
    room.asks()
    assert len(room.texts()) == 1
    assert room.calls(DECLINE) == []
    room.stripe.sessions[made.id] = session(
        id=made.id, payment_status="paid", payment_intent="pi_1"
    )
    room.stripe.payments["pi_1"] = payment()
    named = {"id": made.id, "object": "checkout.session", "customer": "cus_1"}
    room.stripe_says("checkout.session.completed", named)
    assert len(room.calls(APPROVE)) == 1


# Members


def test_who_leaves_and_comes_back_is_let_in_again(room: Backroom) -> None:
    inside(room)
    room.moves("left", by=ANN)
    assert (room.access().observed, room.access().let_in_at) == ("outside", None)
    room.enters()
    assert room.access().let_in_at is not None


def test_members_from_before_keep_their_place_when_their_rights_end(room: Backroom) -> None:
    room.bot.statuses[LOUNGE, ANN] = "member"
    room.subscribes()
    assert room.access().observed == "inside"
    ends(room)
    assert room.calls(UNBAN) == []


def test_who_became_an_administrator_is_not_removed(room: Backroom) -> None:
    inside(room)
    room.moves("administrator", by=5)
    ends(room)
    assert room.calls(UNBAN) == []


def test_a_removal_that_telegram_refuses_for_an_administrator_is_not_repeated(
    room: Backroom,
) -> None:
    inside(room)
    ends(room)
    room.failed(room.calls(UNBAN)[0], Permanent("target_is_admin"))
    assert room.access().observed == "keeper"
    room.later(2 * DAY)
    room.sweep()
    assert room.calls(UNBAN) == []


def test_who_was_brought_in_by_an_administrator_is_left_alone_when_their_right_ends(
    room: Backroom,
) -> None:
    room.subscribes()
    room.moves("member", by=5)
    ends(room)
    assert room.access().let_in_at is None
    assert room.calls(UNBAN) == []


def test_a_member_put_out_by_hand_is_told_apart_from_one_who_left(room: Backroom) -> None:
    inside(room)
    room.moves("kicked", by=5)
    assert room.access().observed == "banned"


def test_a_ban_by_an_administrator_stands_until_the_person_is_invited_again(
    room: Backroom,
) -> None:
    room.subscribes()
    room.enters()
    room.moves("kicked", by=5)
    operations.sync(room.ann.id, "operator:anna")
    for _ in range(3):
        room.later(DAY)
        room.sweep()
    assert room.calls(UNBAN) == []
    assert room.access().observed == "banned"
    operations.reinvite(room.ann.id, "operator:anna")
    room.run_jobs()
    assert len(room.calls(UNBAN)) == 1


def test_who_was_banned_and_buys_anew_gets_in(room: Backroom) -> None:
    room.subscribes()
    room.enters()
    room.moves("kicked", by=5)
    ends(room)
    room.sent()
    room.subscribes("sub_2")
    assert len(room.calls(UNBAN)) == 1


def test_an_outcome_for_somebody_who_is_erased_changes_nothing(room: Backroom) -> None:
    inside(room)
    ends(room)
    [removal] = room.calls(UNBAN)
    Access.objects.all().delete()
    room.sent(removal)
    assert not Access.objects.exists()


# Trouble


def test_lacking_rights_have_the_bot_looked_at_and_the_approval_waits(room: Backroom) -> None:
    room.subscribes()
    room.sent()
    room.asks()
    [approval] = room.calls(APPROVE)
    room.failed(approval, NeedsOperator("missing_rights"), ItemState.SUSPENDED)
    assert InboxEvent.objects.filter(kind="check", state="pending").count() == 1
    assert room.access().problem == "missing_rights"
    assert room.still_wanted(approval)


@pytest.mark.parametrize(("rights", "state"), [(False, "suspended"), (True, "pending")])
def test_what_waits_for_a_chat_goes_out_only_when_that_chat_is_mended(
    room: Backroom, rights: bool, state: str
) -> None:
    room.subscribes()
    room.sent()
    room.asks()
    [approval] = room.calls(APPROVE)
    room.failed(approval, NeedsOperator("missing_rights"), ItemState.SUSPENDED)
    room.bot.statuses[VAULT, 100001] = "administrator"
    room.bot.statuses[LOUNGE, 100001] = "administrator" if rights else "member"
    room.run_jobs()
    approval.refresh_from_db()
    assert approval.state == state
    room.integration.refresh_from_db()
    assert room.integration.registration == "registered"


def test_what_waits_is_looked_after_every_hour_even_if_nobody_tells(room: Backroom) -> None:
    room.bot.statuses = {(LOUNGE, 100001): "administrator", (VAULT, 100001): "administrator"}
    room.subscribes()
    row = room.calls()[0]
    OutboxItem.objects.filter(id=row.id).update(state="suspended")
    room.later(timedelta(hours=2))
    room.sweep()
    row.refresh_from_db()
    assert row.state == "pending"


def test_unknown_trouble_is_kept_with_the_place(room: Backroom) -> None:
    room.subscribes()
    room.sent()
    room.asks()
    room.failed(room.calls(APPROVE)[0], RetryLater("telegram_unavailable"))
    assert room.access().problem == "telegram_unavailable"
