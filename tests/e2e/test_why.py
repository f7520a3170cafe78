"""A story of a year in a member's life, as `velvetrope members why` tells it afterwards."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

from velvetrope.sandbox.handset import eventually

if TYPE_CHECKING:
    from tests.e2e.house import House
    from velvetrope.sandbox.handset import Person

DAY = 24 * 3600.0


def _why(house: House, person: Person, *more: str) -> Any:
    done = house.installation.command(
        "members", "why", str(person.id), "--bot", str(house.id), *more
    )
    assert done.code == 0, done.err
    return done.json if "--json" in more else done.out


_FAILED = "the payment for the monthly subscription to «Plan 1» failed"
#: The key sentences in their order; a day stands for any day.
STORY = (
    "They pressed /start.",
    "They chose a plan to pay for.",
    "They opened the payment page for «Plan 1», and paid.",
    "Access opens, because the monthly subscription to «Plan 1» is paid until DAY.",
    "Told: «payment received, here is the way in».",
    "They asked to enter «Back Room 1».",
    "The bot asked Telegram to let them in to «Back Room 1».",
    "The bot let them in to «Back Room 1».",
    "Told: «welcome, you are in».",
    f"Access stays: {_FAILED} on DAY, and there is time until DAY to make it good.",
    "Told: «payment failed».",
    f"Access ends, because {_FAILED}, and the time to make it good is over.",
    "The bot asked Telegram to take them out of «Back Room 1».",
    "The bot took them out of «Back Room 1».",
    "Access opens, because the monthly subscription to «Plan 1» is paid until DAY.",
    "Told: «access is open again».",
    "They asked to enter «Back Room 1».",
    "The bot let them in to «Back Room 1».",
)
_DAY = re.compile(r"\d+ [A-Z][a-z]+(?: \d{4})?(?:, \d\d:\d\d)?")


async def test_paying_failing_leaving_and_paying_again_reads_like_a_story(house: House) -> None:
    person = await house.person()
    await house.let_in(person)
    inside = await asyncio.to_thread(_why, house, person, "--json")
    assert "is in, let in by the bot on" in inside["chats"][0]["sentence"]
    subscription = await house.subscription_of(person)
    card = f"customers/{subscription['customer']}/card"
    await house.stripe.post(card, {"card": "declined"})
    after = await person.last_id()
    await house.later(32 * DAY)
    await person.hears_after(after)
    at_risk = await asyncio.to_thread(_why, house, person, "--json")
    assert "there is time until" in at_risk["chats"][0]["sentence"]
    assert "out, unless the payment" in " ".join(at_risk["answers"].values())
    await house.later(9 * DAY)
    await person.gets_out(house.chat)
    gone = await _settled(house, person, "taken out by the bot on")
    assert "the time to make it good is over; is out" in gone
    await house.stripe.post(card, {"card": "good"})
    after = await person.last_id()
    failed = (await house.subscription_of(person))["latest_invoice"]
    await house.stripe.post(f"invoices/{failed}/pay")
    restored = await person.hears_after(after)
    waiting = await asyncio.to_thread(_why, house, person, "--json")
    assert "is still outside" in waiting["chats"][0]["sentence"]
    await person.follow(restored.button("https://t.me/+").url)
    await person.gets_in(house.chat)
    assert "Should be in" in await _settled(house, person, "is in, let in by the bot on")
    told = [
        entry["text"]
        for entry in (await asyncio.to_thread(_why, house, person, "--json"))["timeline"]
    ]
    left = iter(_DAY.sub("DAY", text) for text in told)
    missing = [sentence for sentence in STORY if sentence not in left]
    assert missing == [], "\n".join(told)
    printed = " ".join((await asyncio.to_thread(_why, house, person)).split())
    assert "Have they ever paid? Yes: the monthly subscription to «Plan 1», since" in printed
    assert printed.index("The bot took them out") < printed.rindex("The bot let them in")


async def _settled(house: House, person: Person, part: str) -> str:
    """Wait until the sentence of the channel says so; gives it."""

    async def found() -> str | None:
        story = await asyncio.to_thread(_why, house, person, "--json")
        sentence: str = story["chats"][0]["sentence"]
        return sentence if part in sentence else None

    return await eventually(found, part)


async def test_an_operators_orders_are_carried_out_and_told(house: House) -> None:
    person = await house.person()
    await house.let_in(person)
    whom = (str(person.id), "--bot", str(house.id))
    run = house.installation.command
    synced = await asyncio.to_thread(run, "members", "sync", *whom, "--json")
    assert synced.code == 0, synced.err
    assert (
        "Somebody at the command line had Stripe and Telegram asked again"
        in (synced.json["result"])
    )
    before = await person.last_id()
    written = await asyncio.to_thread(run, "members", "message", *whom[:1], "A <b>& c", *whom[1:])
    assert written.code == 0, written.err
    assert (await person.hears_after(before)).text == "A <b>& c"
    await house.telegram.post(f"users/{person.id}/leave", {"chat": house.chat})
    await _settled(house, person, "having left by themselves")
    before = await person.last_id()
    invited = await asyncio.to_thread(run, "members", "reinvite", *whom)
    assert invited.code == 0, invited.err
    await person.follow((await person.hears_after(before)).button("https://t.me/+").url)
    await person.gets_in(house.chat)
    await house.telegram.post(f"users/{person.id}/block", {"bot": house.bot})

    async def refused() -> str | None:
        done = await asyncio.to_thread(run, "members", "message", *whom[:1], "Hello?", *whom[1:])
        return done.err if done.code == 1 else None

    assert "blocks the bot" in await eventually(refused, "the bot is known to be blocked")
