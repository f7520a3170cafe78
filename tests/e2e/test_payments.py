"""Money that comes at once, later, not at all, and goes back."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from velvetrope.sandbox.handset import SandboxError

if TYPE_CHECKING:
    from tests.e2e.house import House

MONTHLY, YEARLY, ONCE = 0, 1, 2
DAY = 24 * 3600.0


async def test_a_declined_card_opens_nothing_and_a_good_one_afterwards_does(house: House) -> None:
    person = await house.person()
    session = await house.offer(person)
    with pytest.raises(SandboxError):
        await house.pay(session, "declined")
    await person.say("/status")
    assert not await person.is_in(house.chat)
    await house.pay(session)
    await person.follow(await house.invitation(person))
    await person.gets_in(house.chat)


async def test_delayed_money_is_announced_and_opens_the_door_when_it_comes(house: House) -> None:
    person = await house.person()
    session = await house.offer(person, ONCE)
    after = await person.last_id()
    await house.pay(session, "delayed")
    pending = await person.hears_after(after)
    assert not [button for button in pending.buttons if button.url.startswith("https://t.me/+")]
    payment = await house.payment_of(person)
    await house.stripe.post(f"payments/{payment['id']}/settle", {"succeeded": True})
    await person.follow(await house.invitation(person))
    await person.gets_in(house.chat)


async def test_delayed_money_that_does_not_come_is_told(house: House) -> None:
    person = await house.person()
    session = await house.offer(person, ONCE)
    after = await person.last_id()
    await house.pay(session, "delayed")
    pending = await person.hears_after(after)
    payment = await house.payment_of(person)
    await house.stripe.post(f"payments/{payment['id']}/settle", {"succeeded": False})
    assert (await person.hears_after(pending.id)).text
    assert not await person.is_in(house.chat)


async def test_a_full_refund_ends_access_and_a_partial_one_does_not(house: House) -> None:
    full, partial = await house.person(), await house.person()
    for person in (full, partial):
        await house.let_in(person, ONCE)
    await house.stripe.post(
        f"payments/{(await house.payment_of(partial))['id']}/refund", {"amount": 100}
    )
    await house.stripe.post(f"payments/{(await house.payment_of(full))['id']}/refund")
    await full.gets_out(house.chat)
    assert await partial.is_in(house.chat)


async def test_a_dispute_suspends_access_and_winning_it_restores_it(house: House) -> None:
    person = await house.person()
    await house.let_in(person, ONCE)
    payment = await house.payment_of(person)
    dispute = await house.stripe.post(f"payments/{payment['id']}/dispute")
    await person.gets_out(house.chat)
    after = await person.last_id()
    await house.stripe.post(f"disputes/{dispute['id']}", {"status": "won"})
    welcome = await person.hears_after(after)
    await person.follow(welcome.button("https://t.me/+").url)
    await person.gets_in(house.chat)


async def test_every_event_twice_and_at_once_has_its_effects_once(house: House) -> None:
    await house.stripe.post("faults", {"duplicates": 3, "shuffle": 0.2})
    await house.telegram.post("faults", {"duplicates": 2})
    person = await house.person()
    await house.let_in(person)
    await asyncio.sleep(0)
    said = [one.text for one in await person.messages() if one.from_ == house.bot]
    welcomes = [
        one
        for one in await person.messages()
        if any(b.url.startswith("https://t.me/+") for b in one.buttons)
    ]
    assert len(welcomes) == 1, said


async def test_a_renewal_that_fails_keeps_access_for_the_grace_period(house: House) -> None:
    person = await house.person()
    await house.let_in(person)
    subscription = await house.subscription_of(person)
    await house.stripe.post(f"customers/{subscription['customer']}/card", {"card": "declined"})
    after = await person.last_id()
    await house.later(32 * DAY)
    warned = await person.hears_after(after)
    warned.button("portal")
    assert await person.is_in(house.chat)
    await house.later(9 * DAY)
    await person.gets_out(house.chat)


async def test_an_archived_price_is_not_sold_any_more(house: House) -> None:
    person = await house.person()
    assert len((await person.say("/start")).buttons) >= 3
    await house.stripe.post(f"prices/{house.prices[YEARLY]}", {"active": False})
    try:
        for _ in range(100):
            buttons = (await person.say("/plans")).buttons
            if len([one for one in buttons if one.callback_data.startswith("plan:")]) == 2:
                break
        else:
            raise AssertionError("the archived price is still for sale")
    finally:
        await house.stripe.post(f"prices/{house.prices[YEARLY]}", {"active": True})


async def test_what_belongs_to_another_product_is_stored_as_foreign_and_left_alone(
    house: House,
) -> None:
    await house.stripe.post(
        "events",
        {
            "type": "customer.created",
            "object": {"id": "cus_elsewhere", "object": "customer", "metadata": {}},
        },
    )
    listed = house.installation.command("events", "list", "--source", "stripe", "--json")
    assert listed.code == 0, listed.err


async def test_a_change_of_plan_in_the_portal_keeps_the_person_inside_and_is_told_once(
    house: House,
) -> None:
    person = await house.person()
    await house.let_in(person, MONTHLY)
    subscription = await house.subscription_of(person)
    before = await person.last_id()
    made = (await house.telegram.get("calls?limit=1"))["last"]
    await house.stripe.post(f"subscriptions/{subscription['id']}", {"price": house.prices[YEARLY]})
    told = await person.hears_after(before)
    assert "Plan 2" in told.text
    shown = house.shown(person)
    assert [(one["plan"], one["holds"]) for one in shown["entitlements"]] == [("Plan 2", True)]
    answer = await person.say("/status")
    said = [one for one in await person.messages() if before < one.id < answer.id]
    assert [one.text for one in said] == [told.text, "/status"]
    assert await person.is_in(house.chat)
    calls = (await house.telegram.get(f"calls?after={made}&limit=1000"))["calls"]
    leaving = {"banChatMember", "unbanChatMember"}
    about = [one for one in calls if one["params"].get("user_id") == person.id]
    assert [one["method"] for one in about if one["method"] in leaving] == []
