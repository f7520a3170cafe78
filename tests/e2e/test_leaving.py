"""People leave by a fresh look, and never too many at once, through the front door."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from tests.e2e.house import set_policy
from velvetrope.sandbox.handset import eventually

if TYPE_CHECKING:
    from tests.e2e.house import House
    from velvetrope.sandbox.handset import Person

PEOPLE = 7
PATIENCE = 45.0


async def test_when_many_are_to_leave_the_rest_waits_for_a_word_and_goes_by_it(
    house: House,
) -> None:
    people = [await house.person(name=f"Guest {number}") for number in range(PEOPLE)]
    await asyncio.gather(*(house.let_in(person) for person in people))
    set_policy(house.installation, house.id, "brake_members=5", "brake_percent=5")

    for person in people:
        found = await house.subscription_of(person)
        await house.stripe.post(f"subscriptions/{found['id']}", {"cancel": "now"})
    waiting = await held(house, PEOPLE - 5)
    assert all("was cancelled and ended" in row["because"][0] for row in waiting)
    inside = {person.id for person in people} & await house.members()
    assert len(inside) == PEOPLE - 5
    assert {person.id for person in people if await goodbyes(person)}.isdisjoint(inside)
    alert = house.installation.command("alerts", "list", "--json").json
    assert [one["code"] for one in alert] == ["removals_held"]

    back = next(person for person in people if person.id in inside)
    await house.buy(back)
    [row] = await held(house, 1)

    chat = ("--bot", str(house.id), "--chat", str(house.chat))
    done = house.installation.command("removals", "confirm", str(row["member"]), *chat, "--json")
    assert done.json == {"confirmed": 1}, done.err

    async def out() -> bool:
        return {person.id for person in people} & await house.members() == {back.id}

    await eventually(out, "who was confirmed is out, and who paid again is in")
    await held(house, 0)

    async def all_told() -> bool:
        return [await goodbyes(one) for one in people] == [int(one is not back) for one in people]

    await eventually(all_told, "everybody but who paid again hears it once")
    set_policy(house.installation, house.id, "brake_members=10000")


async def test_nobody_leaves_while_stripe_is_away_though_the_end_is_known(house: House) -> None:
    person = await house.person()
    await house.let_in(person)
    found = await house.subscription_of(person)
    # The event's own look gets through, the look before the removal doesn't.
    away = [{"match": "GET /v1/subscriptions", "status": 500, "count": 1000}]
    await house.stripe.post("faults", {"fail_next": away})
    await house.stripe.post(f"subscriptions/{found['id']}", {"cancel": "now"})
    await eventually(lambda: lost(house, person), "the end is known", patience=PATIENCE)
    assert person.id in await house.members()
    await house.stripe.post("faults", {"fail_next": []})
    await house.later(15 * 60)  # the next try is due, however many there were

    async def out() -> bool:
        return person.id not in await house.members()

    await eventually(out, "Stripe is back, and the person is out", patience=PATIENCE)


async def test_a_dry_run_lists_who_would_leave_and_lets_everybody_stay(house: House) -> None:
    person, other = await house.person(name="Dora"), await house.person(name="Emil")
    await house.let_in(person)
    await house.let_in(other)
    found = await house.subscription_of(person)
    await house.stripe.post("faults", {"hold": True})
    await house.stripe.post(f"subscriptions/{found['id']}", {"cancel": "now"})
    done = await asyncio.to_thread(
        house.installation.command, "reconcile", "--dry-run", "--bot", str(house.id), "--json"
    )
    assert done.code == 0, done.err
    leaving, told = [row for row in done.json if row["name"] == "Dora"]
    assert (leaving["effect"], told["effect"]) == ("leave", "message")
    assert "was cancelled and ended" in leaving["because"]
    assert [row for row in done.json if row["name"] == "Emil"] == []
    assert "nothing was changed" in done.err
    assert person.id in await house.members()
    assert house.shown(person)["entitlements"][0]["holds"]


async def goodbyes(person: Person) -> int:
    return sum("Your access has ended" in one.text for one in await person.messages())


async def held(house: House, number: int) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []

    async def listed() -> bool:
        done = await asyncio.to_thread(house.installation.command, "removals", "list", "--json")
        assert done.code == 0, done.err
        rows[:] = done.json
        return len(rows) == number

    await eventually(listed, f"{number} wait for an operator's word")
    return rows


async def lost(house: House, person: Person) -> bool:
    shown = await asyncio.to_thread(house.shown, person)
    return not any(one["holds"] for one in shown["entitlements"])
