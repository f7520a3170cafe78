"""A membership's life as it is read on a phone, though Stripe says everything three times."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.faults.calls import calls_after, last_call
from tests.faults.calm import calm
from velvetrope.sandbox.handset import Message, Person, eventually

if TYPE_CHECKING:
    import aiohttp

    from tests.e2e.house import House

MONTHLY, ONCE = 0, 2
DAY = 24 * 3600.0
#: The search for what is due runs every 20 seconds.
PATIENCE = 45.0

pytestmark = pytest.mark.timeout(300)


def offer_trial(house: House, days: int) -> None:
    """Give the monthly plan a trial, as the console does."""
    with closing(sqlite3.connect(house.installation.database, timeout=10)) as database, database:
        database.execute(
            "UPDATE store_plan SET trial_days = ? WHERE stripe_price_id = ?",
            (days, house.prices[MONTHLY]),
        )
        database.execute("UPDATE store_integration SET revision = revision + 1")


def set_messages(house: House, *changes: str) -> None:
    done = house.installation.command("bots", "messages", str(house.id), *changes, "--json")
    assert done.code == 0, done.err


async def hears(person: Person, part: str, after: int = 0) -> Message:
    async def found() -> Message | None:
        news = [one for one in await person.messages() if one.id > after and part in one.text]
        return news[0] if news else None

    async def recall() -> str:
        return "\n".join(one.text for one in await person.messages())

    return await eventually(found, f"hears {part!r}", recall, patience=PATIENCE)


async def said(house: House, person: Person) -> list[str]:
    """Give the first lines of all that the bot has said."""
    return [one.text.splitlines()[0] for one in await person.messages() if one.from_ == house.bot]


async def test_a_life_is_told_once_from_the_trial_to_the_return(
    house: House, session: aiohttp.ClientSession
) -> None:
    offer_trial(house, days=7)
    set_messages(house, "--set", "hour_from=0", "--set", "hour_to=24")
    await house.stripe.post("faults", {"duplicates": 3})
    person = await house.person()
    await house.let_in(person, MONTHLY)
    subscription = await house.subscription_of(person)

    await house.later(4 * DAY + 60)
    trial = await hears(person, "trial is coming to its end")
    assert "(in 3 days)" in trial.text
    assert "€9.00 per month" in trial.text
    trial.button("portal")

    await house.stripe.post(f"customers/{subscription['customer']}/card", {"card": "declined"})
    await house.later(3 * DAY + 2 * 3600)
    failed = await hears(person, "did not go through")
    assert "/invoice/" in failed.button("http").url
    failed.button("portal")
    assert await person.is_in(house.chat)

    await house.later(6 * DAY)
    last = await hears(person, "still missing")
    assert "tomorrow at" in last.text or "today at" in last.text
    assert "/invoice/" in last.button("http").url
    assert await person.is_in(house.chat)

    await house.later(2 * DAY)
    ended = await hears(person, "Your access has ended")
    assert "could not be collected" in ended.text

    async def is_out() -> bool:
        return not await person.is_in(house.chat)

    await eventually(is_out, "out", patience=PATIENCE)
    starts = [
        "✅ Your free trial has begun",
        "🎉 You’re in",
        "🎁 Your free trial is coming to its end",
        "⚠️ The payment did not go through",
        "⏰ The payment is still missing",
        "Your access has ended",
    ]
    told = await said(house, person)
    assert [len([one for one in told if one.startswith(start)]) for start in starts] == [1] * 6

    async with session.post(ended.button("http").url, data={"card": "good"}) as paid:
        assert paid.status == 200
    back = await hears(person, "open again", ended.id)
    await person.follow(back.button("https://t.me/+").url)
    await person.gets_in(house.chat)


async def test_a_welcome_that_fails_is_repeated_alone(house: House) -> None:
    person = await house.person()
    await house.buy(person, ONCE)
    paid = await hears(person, "payment has arrived")
    assert "/receipt/" in paid.buttons[-1].url
    await calm(house)  # somebody else's welcome may be on its way
    before = await last_call(house)
    await house.telegram.post(
        "faults", {"fail_next": {"match": "sendMessage", "status": 502, "count": 2}}
    )
    await person.follow(paid.button("https://t.me/+").url)
    await person.gets_in(house.chat)
    await hears(person, "You’re in")
    assert len(await calls_after(house, before, "approveChatJoinRequest")) == 1
    assert len(await calls_after(house, before, "sendMessage")) == 3
    told = await said(house, person)
    assert len([one for one in told if one.startswith("🎉 You’re in")]) == 1


async def test_what_was_paid_once_is_refunded_in_part_and_told_with_its_amount(
    house: House,
) -> None:
    person = await house.person(language="uk")
    await house.let_in(person, ONCE)
    payment = await house.payment_of(person)
    after = await person.last_id()
    await house.stripe.post("faults", {"duplicates": 3})
    await house.stripe.post(f"payments/{payment['id']}/refund", {"amount": 1000})
    told = await hears(person, "частину грошей", after)
    assert "10,00\N{NO-BREAK SPACE}€" in told.text
    assert await person.is_in(house.chat)
