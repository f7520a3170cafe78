"""Telegram asks for patience, breaks, loses answers, and takes rights and tokens away."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tests.faults.calls import calls_after, last_call
from tests.faults.calm import calm
from tests.faults.console import Browser
from velvetrope.sandbox.handset import eventually, session_of

if TYPE_CHECKING:
    from typing import Any

    from tests.e2e.house import House
    from velvetrope.sandbox.handset import Person

PASSWORD = "an-operators-password-41"
HTML = "<html><body><h1>502 Bad Gateway</h1></body></html>"


async def fail(house: House, *rules: dict[str, Any]) -> None:
    """Have the next calls fail: those of this test, not late ones of the last."""
    await calm(house)
    await house.telegram.post("faults", {"fail_next": list(rules)})


async def refused_at(house: House, after: int, status: int) -> float:
    """Wait for the call that got this status; gives its time."""

    async def found() -> float | None:
        times = [
            call["time"] for call in await calls_after(house, after) if call["status"] == status
        ]
        return times[0] if times else None

    return await eventually(found, f"a call is answered {status}")


async def rejoin(house: House, status: str, **rights: bool) -> None:
    """Make the bot what it shall be in its channel."""
    path = f"chats/{house.chat}/members/{house.bot_id}"
    await house.telegram.ask("PUT", path, {"status": status, **rights})


async def shows(house: House, *codes: str) -> None:
    """Wait until the operator is told of just this."""

    async def kept() -> bool:
        rows = house.ledger.rows("SELECT problems FROM store_integration WHERE id = ?", house.id)
        found = [problem["code"] for problem in json.loads(rows[0]["problems"])]
        return sorted(found) == sorted(codes)

    await eventually(kept, f"the problems are {codes}")
    assert sorted(house.problems()) == sorted(codes)


async def door_is(house: House, person: Person, state: str) -> None:
    async def answered() -> bool:
        room = await house.telegram.get(f"chats/{house.chat}")
        states = [one["state"] for one in room["join_requests"] if one["user"] == person.id]
        return states[-1:] == [state]

    await eventually(answered, f"the request is {state}")


async def test_when_telegram_asks_for_patience_the_bot_is_silent_for_as_long(house: House) -> None:
    first, second = await house.person(), await house.person()
    mark = await last_call(house)
    await fail(house, {"match": "sendMessage", "status": 429, "retry_after": 2})
    await first.tell("/start")
    refused = await refused_at(house, mark, 429)
    await second.tell("/status")
    await asyncio.gather(first.hears_after(0), second.hears_after(0))
    calls = await calls_after(house, mark)
    assert not [call for call in calls if refused < call["time"] < refused + 2]


async def test_a_chat_that_needs_patience_keeps_only_that_chat_waiting(house: House) -> None:
    member, other = await house.person(), await house.person()
    await house.buy(member)
    invitation = await house.invitation(member)
    mark = await last_call(house)
    await fail(house, {"match": "approveChatJoinRequest", "status": 429, "retry_after": 2})
    await member.follow(invitation)
    refused = await refused_at(house, mark, 429)
    await other.say("/start")
    await member.gets_in(house.chat)
    calls = await calls_after(house, mark)
    approved = [call for call in calls if call["method"] == "approveChatJoinRequest"][-1]
    answered = next(call for call in calls if call["params"].get("chat_id") == other.id)
    assert approved["time"] >= refused + 2
    assert answered["time"] < approved["time"]


async def test_the_patience_asked_for_is_kept_over_a_restart(house: House) -> None:
    person = await house.person()
    await person.say("/start")
    before = await person.last_id()
    mark = await last_call(house)
    await fail(house, {"match": "sendMessage", "status": 429, "retry_after": 5})
    await person.tell("/status")
    refused = await refused_at(house, mark, 429)
    ledger = house.ledger

    async def kept() -> int:
        then = str(datetime.fromtimestamp(refused, UTC).replace(tzinfo=None))
        return ledger.count("SELECT count(*) FROM store_integration WHERE paused_until > ?", then)

    await eventually(kept, "the pause is written down")
    house.installation.kill()
    await asyncio.to_thread(house.installation.start)
    await person.tell("/help")
    await person.hears_after(before)
    calls = await calls_after(house, mark)
    assert not [call for call in calls if refused < call["time"] < refused + 5]


async def test_broken_answers_are_asked_for_again_until_they_are_whole(house: House) -> None:
    person = await house.person()
    await fail(
        house,
        {"match": "sendMessage", "status": 502, "body": HTML},
        {"match": "sendMessage", "status": 500},
    )
    await person.tell("/start")
    await person.hears_after(0)
    await calm(house)
    assert len([one for one in await person.messages() if one.from_ == house.bot]) == 1


async def test_lost_answers_double_a_message_at_most_and_leave_access_right(
    house: House,
) -> None:
    person = await house.person()
    lost = ("sendMessage", "answerCallbackQuery", "createChatInviteLink")
    await fail(house, *({"match": method, "lose_answer": True} for method in lost))
    plans = await person.say("/start")
    await person.touch(plans, "plan:")

    async def link() -> str | None:
        offered = [b.url for one in await person.messages() for b in one.buttons]
        return next((url for url in offered if "/checkout/" in url), None)

    session = session_of(await eventually(link, "the link to pay is there"))
    await fail(house, {"match": "approveChatJoinRequest", "lose_answer": True})
    await house.pay(session)
    await person.follow(await house.invitation(person))
    await person.gets_in(house.chat)
    await calm(house)
    said = [one.text for one in await person.messages() if one.from_ == house.bot]
    assert len(said) - len(set(said)) <= 1, said
    assert house.shown(person)["access"][0]["seen"] == "inside"
    await fail(house, {"match": "unbanChatMember", "lose_answer": True})
    subscription = await house.subscription_of(person)
    await house.stripe.post(f"subscriptions/{subscription['id']}", {"cancel": "now"})
    await person.gets_out(house.chat)
    await calm(house)
    assert house.shown(person)["access"][0]["seen"] == "outside"
    assert not house.ledger.dead()


async def test_a_revoked_token_is_shown_and_a_new_one_lets_everything_go_on(house: House) -> None:
    person, payer = await house.person(), await house.person()
    session = await house.offer(payer)
    token = (await house.telegram.post(f"bots/{house.bot}/token"))["token"]
    await person.tell("/start")
    await house.pay(session)
    await shows(house, "bot_unauthorized")
    with Browser(house.installation, PASSWORD) as browser:
        browser.change(f"/admin/store/integration/{house.id}/change/", new_token=token)
    await person.hears_after(0)
    await payer.follow(await house.invitation(payer))
    await payer.gets_in(house.chat)
    await shows(house)


async def test_a_button_pressed_too_long_ago_is_no_failure(house: House) -> None:
    person = await house.person()
    plans = await person.say("/start")
    old = "Bad Request: query is too old and response timeout expired or query ID is invalid"
    await fail(house, {"match": "answerCallbackQuery", "status": 400, "description": old})
    picker = {"bot": house.bot, "message_id": plans.id, "data": "language", "wait": 0}
    await house.telegram.post(f"users/{person.id}/callbacks", picker)
    await person.hears_after(plans.id)
    await calm(house)
    assert not house.ledger.dead()


async def test_rights_that_are_taken_suspend_the_door_until_they_are_given_back(
    house: House,
) -> None:
    member, person = await house.person(), await house.person()
    await house.let_in(member)
    session = await house.offer(person)
    await person.follow(await house.invitation(member))
    await door_is(house, person, "pending")
    await person.say("/help")  # the same lane: the request has been looked at by now
    await rejoin(house, "administrator", can_invite_users=False, can_restrict_members=False)
    await shows(house, "missing_rights")
    await house.pay(session)
    subscription = await house.subscription_of(member)
    await house.stripe.post(f"subscriptions/{subscription['id']}", {"cancel": "now"})
    ledger = house.ledger

    async def suspended() -> bool:
        waiting = ledger.rows("SELECT method FROM store_outboxitem WHERE state = 'suspended'")
        methods = sorted(one["method"] for one in waiting)
        return methods == ["approveChatJoinRequest", "unbanChatMember"]

    await eventually(suspended, "both calls wait for the operator")
    await person.say("/status")
    await rejoin(house, "administrator")
    await person.gets_in(house.chat)
    await member.gets_out(house.chat)
    await shows(house)
    assert not ledger.dead()


async def test_a_payer_is_answered_while_the_bot_is_out_of_its_channel(house: House) -> None:
    person = await house.person()
    session = await house.offer(person)
    await rejoin(house, "kicked")
    await shows(house, "bot_not_in_chat")
    await house.later(2 * 3600)  # the link that was known is looked at again
    before = await person.last_id()
    await house.pay(session)
    thanks = await person.hears_after(before)
    await rejoin(house, "administrator")
    await shows(house)
    door = await person.press(thanks, "enter")
    await person.follow(door.button("https://t.me/+").url)
    await person.gets_in(house.chat)
