"""Nobody leaves without a fresh look, and never too many at once."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.usecases.leavers import GONE, UNBAN, crowd, ends, member, says
from tests.usecases.snapshots import ANN, DAY, LOUNGE, subscription, tag
from velvetrope.domain.errors import NeedsOperator, Permanent, RetryLater
from velvetrope.domain.policy import Policy
from velvetrope.domain.states import ItemState
from velvetrope.store.models import (
    Access,
    Alert,
    AuditEntry,
    Chat,
    Customer,
    InboxEvent,
    Integration,
    OutboxItem,
)
from velvetrope.store.revisions import touch
from velvetrope.usecases.alerts import open_alert
from velvetrope.usecases.leaving.brake import count_enough, count_known
from velvetrope.usecases.leaving.orders import HELD, REMOVE
from velvetrope.usecases.operations import (
    confirm_removals,
    list_held_chats,
    recheck_held,
    replace_chat,
)

if TYPE_CHECKING:
    from tests.usecases.backroom import Backroom
    from velvetrope.domain.errors import VelvetError

LAST_TRY = 5
BEN = 4242


def held() -> list[int]:
    rows = Access.objects.filter(problem=HELD).order_by("id")
    return [row.customer.telegram_user_id for row in rows]


def leaving(room: Backroom) -> list[int]:
    """Give those of whom Telegram is asked to take them out."""
    return [row.customer.telegram_user_id for row in room.calls(UNBAN) if row.customer]


def removal() -> InboxEvent:
    return InboxEvent.objects.filter(kind=REMOVE).latest("id")


def decided_while(room: Backroom, trouble: VelvetError) -> None:
    """Have Ann's end decided, and Stripe in trouble by the time of the fresh look, to the last."""
    event = room.stripe_event(
        GONE, {"id": f"sub_{ANN}", "object": "subscription", "customer": f"cus_{ANN}"}
    )
    room.stripe.subscriptions[f"sub_{ANN}"] = subscription(
        id=f"sub_{ANN}", customer=f"cus_{ANN}", status="canceled", ended_at=room.now
    )
    prepared = room.prepare(event)
    room.finish(prepared)
    room.stripe.trouble = trouble
    InboxEvent.objects.filter(id=removal().id).update(attempts=LAST_TRY)
    room.run_jobs(REMOVE)


# The fresh look


def test_who_is_to_leave_is_looked_at_once_more_and_taken_out(room: Backroom) -> None:
    member(room, ANN)
    room.stripe.asked.clear()
    ends(room)
    assert room.stripe.asked == [f"sub_{ANN}", f"subscriptions of cus_{ANN}"]
    assert leaving(room) == [ANN]
    assert room.access().removed_at == room.now


def test_nobody_is_taken_out_while_stripe_cannot_be_asked(room: Backroom) -> None:
    member(room, ANN)
    decided_while(room, RetryLater("stripe_unavailable"))
    assert leaving(room) == []
    assert room.access().problem == "stripe_unavailable"
    room.stripe.trouble = None
    room.later(timedelta(hours=2))
    assert "recheck" in room.sweep()
    assert leaving(room) == [ANN]


def test_an_outage_is_waited_for_before_a_removal_is_put_off(room: Backroom) -> None:
    member(room, ANN)
    room.bot.trouble["getChatMember"] = RetryLater("telegram_unavailable")
    with pytest.raises(RetryLater):
        ends(room)
    assert leaving(room) == []


def test_a_key_that_stripe_refuses_takes_nobody_out_until_it_is_mended(room: Backroom) -> None:
    member(room, ANN)
    decided_while(room, NeedsOperator("stripe_key_invalid"))
    assert leaving(room) == []
    room.stripe.trouble = None
    room.later(timedelta(hours=2))
    room.sweep()
    assert leaving(room) == [ANN]


def test_who_has_paid_meanwhile_stays_though_the_event_of_it_was_lost(room: Backroom) -> None:
    member(room, ANN)
    event = room.stripe_event(
        GONE, {"id": f"sub_{ANN}", "object": "subscription", "customer": f"cus_{ANN}"}
    )
    paid = room.stripe.subscriptions[f"sub_{ANN}"]
    room.stripe.subscriptions[f"sub_{ANN}"] = subscription(
        id=f"sub_{ANN}", customer=f"cus_{ANN}", status="unpaid"
    )
    room.finish(room.prepare(event))
    assert not room.access().desired
    room.stripe.subscriptions[f"sub_{ANN}"] = paid
    room.run_jobs(REMOVE)
    access = room.access()
    assert (access.desired, access.action, access.removed_at) == (True, "", None)
    assert leaving(room) == []


def test_an_administrator_is_left_alone_even_if_the_promotion_was_never_told(
    room: Backroom,
) -> None:
    member(room, ANN)
    room.bot.statuses[LOUNGE, ANN] = "administrator"
    ends(room)
    assert leaving(room) == []
    assert room.access().observed == "keeper"


def test_who_has_left_unseen_is_not_taken_out(room: Backroom) -> None:
    member(room, ANN)
    room.bot.statuses[LOUNGE, ANN] = "left"
    ends(room)
    assert leaving(room) == []
    assert (room.access().observed, room.access().let_in_at) == ("outside", None)


def test_who_leaves_while_they_are_looked_at_is_known_to_be_out(room: Backroom) -> None:
    member(room, ANN)
    event = room.stripe_event(
        GONE, {"id": f"sub_{ANN}", "object": "subscription", "customer": f"cus_{ANN}"}
    )
    room.stripe.subscriptions[f"sub_{ANN}"] = subscription(
        id=f"sub_{ANN}", customer=f"cus_{ANN}", status="canceled", ended_at=room.now
    )
    room.finish(room.prepare(event))
    looked_at = room.prepare(room.job(REMOVE))
    room.later(timedelta(seconds=1))
    room.moves("left", by=ANN)
    room.later(timedelta(seconds=1))
    room.finish(looked_at)
    assert leaving(room) == []
    assert room.access().observed == "outside"


def test_that_telegram_does_not_find_somebody_is_no_proof_of_absence(room: Backroom) -> None:
    member(room, ANN)
    room.bot.trouble["getChatMember"] = Permanent("bad_request")
    ends(room)
    assert leaving(room) == [ANN]


def test_a_member_from_before_is_left_alone(room: Backroom) -> None:
    member(room, ANN)
    Access.objects.update(let_in_at=None)
    ends(room)
    assert leaving(room) == []


def test_a_removal_that_has_waited_is_looked_at_again_before_it_is_made(room: Backroom) -> None:
    member(room, ANN)
    ends(room)
    [old] = room.calls(UNBAN)
    assert room.still_wanted(old)
    room.later(timedelta(minutes=6))
    assert not room.still_wanted(old)
    room.overtaken(old)
    [new] = room.calls(UNBAN)
    assert new.id != old.id
    assert room.still_wanted(new)


def test_a_removal_that_has_waited_is_dropped_if_the_person_has_paid_unseen(
    room: Backroom,
) -> None:
    member(room, ANN)
    ends(room)
    [old] = room.calls(UNBAN)
    room.stripe.subscriptions["sub_new"] = subscription(
        id="sub_new", customer=f"cus_{ANN}", metadata=tag(ANN)
    )
    room.later(timedelta(minutes=6))
    room.overtaken(old)
    assert leaving(room) == []
    assert room.access().desired


def test_a_second_call_that_came_too_late_does_not_hide_that_the_person_was_taken_out(
    room: Backroom,
) -> None:
    member(room, ANN)
    ends(room)
    Access.objects.update(action="")
    says(room, ANN, GONE, status="canceled", ended_at=room.now)  # told once more, asked once more
    first, second = room.calls(UNBAN)
    room.sent(first)
    assert not room.still_wanted(second)
    room.overtaken(second)
    assert room.access().removed_at == room.now


def test_a_removal_without_rights_waits_for_the_operator_and_is_not_repeated(
    room: Backroom,
) -> None:
    member(room, ANN)
    ends(room)
    room.failed(room.calls(UNBAN)[0], NeedsOperator("missing_rights"), ItemState.SUSPENDED)
    assert room.access().problem == "missing_rights"
    for _ in range(3):
        room.later(timedelta(hours=5))
        room.sweep()
    assert leaving(room) == []


@pytest.mark.parametrize("trouble", ["chat", "token", "switched off"])
def test_a_removal_that_waits_behind_another_for_the_operator_is_not_repeated(
    room: Backroom, trouble: str
) -> None:
    member(room, ANN)
    ends(room)
    # The bot is known to be in trouble: nobody tries, so nothing is told of this very call.
    OutboxItem.objects.filter(method=UNBAN).update(state="suspended")
    if trouble == "chat":
        Chat.objects.update(problem={"code": "missing_rights", "data": {}})
    elif trouble == "token":
        open_alert("bot_unauthorized", room.now, integration_id=room.integration.id)
    else:
        Integration.objects.update(active=False)
    touch([room.integration.id])
    for _ in range(3):
        room.later(timedelta(hours=5))
        room.sweep()
    assert OutboxItem.objects.filter(method=UNBAN).count() == 1
    Alert.objects.all().delete()
    Chat.objects.update(problem=None)
    Integration.objects.update(active=True)
    touch([room.integration.id])
    room.later(timedelta(hours=2))
    room.sweep()
    assert leaving(room) == [ANN]


def test_somebody_whose_account_is_gone_is_not_asked_about_for_ever(room: Backroom) -> None:
    member(room, ANN)
    ends(room)
    room.failed(room.calls(UNBAN)[0], Permanent("user_deactivated"))
    for _ in range(3):
        room.later(timedelta(hours=5))
        assert "recheck" not in room.sweep()
    assert leaving(room) == []


# The brake


def test_more_than_five_at_once_wait_for_an_operator(room: Backroom) -> None:
    people = crowd(room, 8)
    for person in people:
        ends(room, person)
    assert leaving(room) == people[:5]
    assert held() == people[5:]
    assert Chat.objects.get(id=room.lounge.id).brake_at == room.now
    [alert] = Alert.objects.filter(code=HELD)
    assert (alert.subject, alert.closed_at) == (f"chat:{room.lounge.id}", None)
    assert alert.data == {"chat": "Lounge", "gone": 5, "known": 8}


def test_those_who_left_an_hour_ago_count_no_more(room: Backroom) -> None:
    people = crowd(room, 8)
    for person in people[:5]:
        ends(room, person)
    room.sent()
    room.later(timedelta(minutes=61))
    for person in people[5:]:
        ends(room, person)
    assert held() == []
    assert leaving(room) == people[5:]


def test_the_numbers_of_the_brake_are_the_integrations(room: Backroom) -> None:
    Integration.objects.update(policy={"brake_members": 2, "brake_percent": 50})
    touch([room.integration.id])
    people = crowd(room, 8)
    for person in people:
        ends(room, person)
    assert leaving(room) == people[:4]


def test_who_pays_again_leaves_the_list_and_the_last_one_lets_the_brake_go(
    room: Backroom,
) -> None:
    people = crowd(room, 7)
    for person in people:
        ends(room, person)
    room.sent()
    for person in people[5:]:
        key = f"sub_new_{person}"
        room.stripe.subscriptions[key] = subscription(
            id=key, customer=f"cus_{person}", metadata=tag(person)
        )
        named = {"id": key, "object": "subscription", "customer": f"cus_{person}"}
        room.stripe_says("customer.subscription.created", named)
    assert held() == []
    room.later(timedelta(minutes=2))
    room.sweep()
    assert Chat.objects.get(id=room.lounge.id).brake_at is None
    assert Alert.objects.get(code=HELD).closed_at == room.now
    assert leaving(room) == []


def test_those_who_wait_stay_waiting_however_often_they_are_looked_at(room: Backroom) -> None:
    people = crowd(room, 7)
    for person in people:
        ends(room, person)
    for _ in range(3):
        room.sent()
        room.later(DAY)
        room.sweep()
    assert held() == people[5:]
    assert leaving(room) == []
    assert Alert.objects.filter(code=HELD).count() == 1
    assert AuditEntry.objects.filter(action="removal_held").count() == 2


def test_of_a_large_chat_only_as_many_are_counted_as_matter(room: Backroom) -> None:
    people = [
        Customer(integration=room.integration, telegram_user_id=number, created_at=room.now)
        for number in range(10_000, 13_000)
    ]
    Customer.objects.bulk_create(people)
    rows = [
        Access(customer=one, chat=room.lounge, desired=True, observed="inside", let_in_at=room.now)
        for one in people
    ]
    Access.objects.bulk_create(rows)
    assert count_known(room.lounge.id) == 3000
    assert count_enough(Policy(), room.lounge.id, room.now) == 2000
    member(room, ANN)
    member(room, BEN)
    # One less than five per cent of all left a moment ago.
    gone = [one.id for one in rows[:149]]
    Access.objects.filter(id__in=gone).update(observed="outside", removed_at=room.now)
    ends(room)
    assert leaving(room) == [ANN]
    ends(room, BEN)
    assert held() == [BEN]
    [alert] = Alert.objects.filter(code=HELD)
    assert alert.data == {"chat": "Lounge", "gone": 150, "known": 3002}
    assert count_enough(Policy(), room.lounge.id, room.now) == 0


def test_while_some_wait_nobody_else_leaves_however_long_ago_it_was_too_many(
    room: Backroom,
) -> None:
    people = crowd(room, 7)
    for person in people:
        ends(room, person)
    room.sent()
    room.later(timedelta(hours=2))
    member(room, 5000)
    ends(room, 5000)
    assert leaving(room) == []
    assert held() == [*people[5:], 5000]


# The operator's word


def braked(room: Backroom, number: int = 8) -> list[int]:
    people = crowd(room, number)
    for person in people:
        ends(room, person)
    room.sent()
    return people[5:]


def test_what_an_operator_confirms_goes_on_without_a_second_question(room: Backroom) -> None:
    rest = braked(room, 14)
    assert confirm_removals(room.lounge.id, "operator:anna") == len(rest)
    room.run_jobs()
    assert leaving(room) == rest
    assert held() == []
    assert Chat.objects.get(id=room.lounge.id).brake_at is None
    assert Alert.objects.get(code=HELD).closed_at is not None


def test_what_was_confirmed_does_not_count_against_those_who_leave_later(room: Backroom) -> None:
    braked(room, 14)
    confirm_removals(room.lounge.id, "operator:anna")
    room.run_jobs()
    room.sent()
    room.later(timedelta(minutes=1))
    member(room, 5000)
    ends(room, 5000)
    assert leaving(room) == [5000]


def test_a_chat_that_takes_the_place_of_a_held_one_begins_without_a_brake(room: Backroom) -> None:
    braked(room)
    replace_chat(room.lounge.id, "-1003333333333", "operator:anna")
    assert Chat.objects.get(id=room.lounge.id).brake_at is None
    assert Alert.objects.get(code=HELD).closed_at is not None
    assert held() == []


def test_some_may_be_confirmed_while_the_others_wait(room: Backroom) -> None:
    first, *others = braked(room)
    access = Access.objects.get(customer__telegram_user_id=first, chat=room.lounge)
    confirm_removals(room.lounge.id, "operator:anna", access_ids=[access.id])
    room.run_jobs()
    assert leaving(room) == [first]
    assert held() == others
    assert Chat.objects.get(id=room.lounge.id).brake_at is not None


def test_even_what_is_confirmed_is_looked_at_once_more(room: Backroom) -> None:
    first, *others = braked(room)
    room.stripe.subscriptions["sub_back"] = subscription(
        id="sub_back", customer=f"cus_{first}", metadata=tag(first)
    )
    confirm_removals(room.lounge.id, "operator:anna")
    room.run_jobs()
    assert leaving(room) == others


def test_a_look_at_those_who_wait_takes_who_pays_from_the_list(room: Backroom) -> None:
    first, *others = braked(room)
    room.stripe.subscriptions["sub_back"] = subscription(
        id="sub_back", customer=f"cus_{first}", metadata=tag(first)
    )
    assert recheck_held(room.lounge.id, "operator:anna") == len(others) + 1
    room.run_jobs()
    assert held() == others
    assert leaving(room) == []


def test_the_list_tells_what_each_has_lost(room: Backroom) -> None:
    rest = braked(room)
    [chat] = list_held_chats(room.integration.id)
    assert (chat.chat.id, chat.number) == (room.lounge.id, len(rest))
    assert [one.customer.telegram_user_id for one in chat.people] == rest
    assert [row.external_id for row in chat.people[0].ended] == [f"sub_{rest[0]}"]
