"""A channel with members from before: who subscribes or is left alone stays, others leave."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from velvetrope.sandbox.handset import eventually, session_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.house import House
    from velvetrope.sandbox.handset import Person

DAY = 24 * 3600.0


async def settle_in(house: House, person: int, status: str = "member") -> None:
    """Have somebody be in the channel without the product's help."""
    path = f"chats/{house.chat}/members/{person}"
    await house.telegram.ask("PUT", path, {"status": status})


async def command(house: House, *words: str) -> object:
    """Run a command that has to succeed; gives what it printed as JSON."""
    done = await asyncio.to_thread(house.installation.command, *words, "--json")
    assert done.code == 0, done.err
    return done.json


async def imported(house: House, folder: Path, people: list[Person], *terms: str) -> dict[str, int]:
    file = folder / "members.csv"
    file.write_text("user_id\n" + "".join(f"{person.id}\n" for person in people))
    whose = ("--bot", str(house.id), "--plan", house.prices[0])
    done = await command(house, "members", "import", str(file), *whose, *terms, "--yes")
    assert isinstance(done, dict)
    outcomes: dict[str, int] = done["outcomes"]
    return {name: number for name, number in outcomes.items() if number}


async def subscribe(house: House, person: Person) -> None:
    """Buy the monthly plan while inside; the bot must not send the person to the door."""
    plans = await person.say("/plans")
    offer = await person.press(plans, "plan:")
    after = await person.last_id()
    await house.pay(session_of(offer.button("http").url))
    received = await person.hears_after(after)
    assert not [one for one in received.buttons if one.url.startswith("https://t.me/+")]


@pytest.mark.timeout(180)
async def test_members_from_before_stay_if_they_subscribe_are_friends_or_are_left_alone(
    house: House, tmp_path: Path
) -> None:
    await command(house, "bots", "policy", str(house.id), "--set", "brake_members=5")
    all_day = ("--set", "hour_from=0", "--set", "hour_to=24")  # whenever this test runs
    await command(house, "bots", "messages", str(house.id), *all_day)
    people = [await house.person(name=f"Member {number}") for number in range(12)]
    admin = await house.person(name="Admin")
    for one in people:
        await settle_in(house, one.id)
    await settle_in(house, admin.id, "administrator")
    listed, friends, claiming, ignored = people[:6], people[6:8], people[8:11], people[11]
    await listed[0].say("/start")  # the only one whom the bot can write to

    before = await listed[0].last_id()
    assert await imported(house, tmp_path, [*listed, admin], "--deadline", "30d") == {
        "adopted": 6,
        "keeper": 1,
    }
    told = await listed[0].hears_after(before)
    assert "place is kept" in told.text
    assert await imported(house, tmp_path, friends, "--comp") == {"adopted": 2}
    await command(house, "bots", "claim", str(house.id), "--until", "30d")
    for one in claiming:
        assert "place is kept" in (await one.say("/start claim")).text
    assert "place is kept" not in (await admin.say("/start claim")).text

    paying = [listed[0], listed[1], claiming[0]]
    for one in paying:
        await subscribe(house, one)
    lapsing = [*listed[2:], *claiming[1:]]
    await house.later(29 * DAY)
    assert {one.id for one in people} <= await house.members()

    await house.later(2 * DAY)

    async def held() -> bool:
        return await gone() == len(lapsing) - 1 and await waiting() == 1

    async def waiting() -> int:
        listed = await command(house, "removals", "list", "--bot", str(house.id))
        assert isinstance(listed, list)
        return len(listed)

    async def gone() -> int:
        inside = await house.members()
        return sum(one.id not in inside for one in lapsing)

    # Six are to leave on one day, and five may go without a question.
    await eventually(held, "five are out, the sixth waits", patience=60)
    chat = ("--bot", str(house.id), "--chat", str(house.chat))
    await command(house, "removals", "confirm", *chat, "--all")

    async def all_gone() -> bool:
        return await gone() == len(lapsing)

    await eventually(all_gone, "everybody who lapsed is out")
    stay = {one.id for one in (*paying, *friends, ignored, admin)} | {house.owner}
    assert stay <= await house.members()


async def test_a_stranger_with_the_link_gets_no_place(house: House) -> None:
    await command(house, "bots", "claim", str(house.id), "--until", "30d")
    stranger = await house.person(name="Stranger")
    said = await stranger.say("/start claim")
    said.button("plan:")
    assert "place is kept" not in said.text
    assert not await stranger.is_in(house.chat)
    assert house.shown(stranger)["entitlements"] == []
