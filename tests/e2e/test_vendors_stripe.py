"""Stripe limits, breaks, loses answers, is away for a while, and refuses the key."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.faults.calm import calm
from velvetrope.sandbox.handset import eventually, session_of

if TYPE_CHECKING:
    from typing import Any

    from tests.e2e.house import House
    from velvetrope.sandbox.handset import Person

HTML = "<html><body><h1>503 Service Unavailable</h1></body></html>"
MAKE_SESSION = "POST /v1/checkout/sessions"
MAKE_CUSTOMER = "POST /v1/customers"


async def fail(house: House, *rules: dict[str, Any]) -> None:
    """Have the next requests fail: those of this test, not late ones of the last."""
    if rules:
        await calm(house)
    await house.stripe.post("faults", {"fail_next": list(rules)})


async def press_plan(house: House, person: Person) -> int:
    """Choose the first plan without waiting; gives the id after which the answers are."""
    plans = await person.say("/start")
    press = {
        "bot": house.bot,
        "message_id": plans.id,
        "data": plans.button("plan:").callback_data,
        "wait": 0,
    }
    await house.telegram.post(f"users/{person.id}/callbacks", press)
    return plans.id


async def link_to_pay(person: Person, after: int, patience: float = 20) -> str:
    """Wait for a link to Checkout; gives the session's id."""

    async def offered() -> str | None:
        news = [one for one in await person.messages() if one.id > after]
        urls = [button.url for one in news for button in one.buttons]
        return next((url for url in urls if "/checkout/" in url), None)

    return session_of(await eventually(offered, "a link to pay", patience=patience))


async def of_person(house: House, kind: str, person: Person) -> list[dict[str, Any]]:
    tag = str(person.id)
    rows = (await house.truth())[kind]
    return [one for one in rows if (one["metadata"] or {}).get("telegram_user_id") == tag]


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 429, "retry_after": 1},
        {"status": 503, "body": HTML},
        {"status": 500, "count": 2},
        {"lose_answer": True},
    ],
    ids=["429", "503 in HTML", "500 that is kept", "lost"],
)
async def test_whoever_chooses_a_plan_is_answered_and_gets_one_link(
    house: House, fault: dict[str, Any]
) -> None:
    person = await house.person()
    await fail(house, {"match": MAKE_CUSTOMER, **fault}, {"match": MAKE_SESSION, **fault})
    after = await press_plan(house, person)
    await person.hears_after(after)
    session = await link_to_pay(person, after)
    await house.pay(session)
    await person.follow(await house.invitation(person))
    await person.gets_in(house.chat)
    assert len(await of_person(house, "customers", person)) == 1
    assert len(await of_person(house, "sessions", person)) == 1


async def test_trouble_that_comes_back_is_told_again(house: House) -> None:
    person = await house.person()
    plans = await person.say("/start")
    for _ in range(2):
        after = await person.last_id()
        await fail(house, {"match": "* /v1/checkout/sessions*", "status": 503})
        apology = await person.press(plans, "plan:")
        assert not [button for button in apology.buttons if button.url]
        await link_to_pay(person, after)


async def test_a_purchase_that_is_over_already_leads_to_a_new_one(house: House) -> None:
    person = await house.person()
    session = await house.offer(person)
    await house.stripe.post("faults", {"drop": 1000})
    await house.pay(session)
    subscription = await house.subscription_of(person)
    await house.stripe.post(f"subscriptions/{subscription['id']}", {"cancel": "now"})
    await house.stripe.post("faults", {"drop": 0})
    after = await press_plan(house, person)
    assert await link_to_pay(person, after) != session


async def test_answers_that_fail_after_the_payment_only_delay_the_welcome(house: House) -> None:
    person = await house.person()
    session = await house.offer(person)
    await fail(
        house,
        {"match": "GET /v1/checkout/sessions/*", "status": 500},
        {"match": "GET /v1/subscriptions/*", "status": 429, "retry_after": 1},
        {"match": "GET /v1/subscriptions/*", "lose_answer": True},
        {"match": "GET /v1/*", "status": 502, "body": HTML},
    )
    await house.pay(session)
    await person.follow(await house.invitation(person))
    await person.gets_in(house.chat)
    await calm(house)
    welcomes = [
        message
        for message in await person.messages()
        if any(button.url.startswith("https://t.me/+") for button in message.buttons)
    ]
    assert len(welcomes) == 1


async def test_people_who_pay_while_stripe_is_away_get_in_when_it_is_back(house: House) -> None:
    payers = [await house.person() for _ in range(5)]
    sessions = [await house.offer(payer) for payer in payers]
    await house.stripe.post(
        "faults", {"hold": True, "fail_next": {"match": "* /v1/*", "status": 503, "count": 1000}}
    )
    for session in sessions:
        await house.pay(session)
    chooser = await house.person()
    after = await press_plan(house, chooser)
    await chooser.hears_after(after)  # though there is no link
    mark = (await house.stripe.get("calls?limit=1"))["last"]
    await house.stripe.post("faults", {"hold": False})  # the events come, their objects don't

    async def asked_in_vain() -> bool:
        calls = (await house.stripe.get(f"calls?after={mark}"))["calls"]
        return len([call for call in calls if call["fault"]]) > len(payers)

    await eventually(asked_in_vain, "the objects are asked for in vain")
    await payers[0].say("/help")
    await fail(house)

    async def enters(payer: Person) -> None:
        await payer.follow(await eventually(lambda: _door(payer), "the door", patience=60))
        await payer.gets_in(house.chat)

    await asyncio.gather(*(enters(payer) for payer in payers), link_to_pay(chooser, after, 60))
    await calm(house, patience=60)
    assert not house.ledger.dead()


async def _door(person: Person) -> str | None:
    buttons = [button for one in await person.messages() for button in one.buttons]
    return next((one.url for one in buttons if one.url.startswith("https://t.me/+")), None)


async def test_a_refused_key_is_told_to_both_sides_and_what_waited_is_replayed(
    house: House,
) -> None:
    payer, chooser = await house.person(), await house.person()
    session = await house.offer(payer)
    await fail(house, {"match": "* /v1/*", "status": 401, "count": 1000})
    await house.pay(session)
    after = await press_plan(house, chooser)
    await chooser.hears_after(after)

    async def dead() -> bool:
        return {one["error_code"] for one in house.ledger.dead()} == {"stripe_key_invalid"}

    await eventually(dead, "the operator sees what failed")
    await calm(house)
    await fail(house)
    done = house.installation.command("deadletters", "replay", "--all", "--json")
    assert done.code == 0, done.err
    await payer.follow(await house.invitation(payer))
    await payer.gets_in(house.chat)
    await link_to_pay(chooser, after)
    await calm(house)
    assert not house.ledger.dead()


@pytest.mark.timeout(90)
async def test_vendors_that_don_t_answer_keep_nobody_else_waiting(house: House) -> None:
    reader, chooser, other = [await house.person() for _ in range(3)]
    await house.offer(other)
    after = await press_plan(house, chooser)
    await link_to_pay(chooser, after)
    silence = {"delay": 30.0, "lose_answer": True}
    await fail(house, {"match": "GET /v1/checkout/sessions/*", **silence})
    await house.telegram.post("faults", {"fail_next": {"match": "sendMessage", **silence}})
    await reader.tell("/start")
    after = await press_plan(house, chooser)

    async def under_way() -> bool:
        knobs = [await house.telegram.get("faults"), await house.stripe.get("faults")]
        return not any(one["fail_next"] for one in knobs)

    await eventually(under_way, "both calls are under way")
    await other.say("/status")
    assert not [one for one in await reader.messages() if one.from_ == house.bot]
    await asyncio.gather(
        eventually(lambda: _heard(house, reader), "an answer", patience=30),
        link_to_pay(chooser, after, 30),
    )


async def _heard(house: House, person: Person) -> bool:
    return any(one.from_ == house.bot for one in await person.messages())
