"""What was lost comes back: events that nobody delivered, and the whole database."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from tests.faults.calm import calm
from velvetrope.sandbox.handset import eventually

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.house import House
    from velvetrope.sandbox.handset import Person

MONTHLY, YEARLY, ONCE = 0, 1, 2
MANY = 10_000
#: What has to be the same in another database.
STATE = {
    "people": "SELECT telegram_user_id, telegram_language, stripe_customer_id"
    " FROM store_customer ORDER BY 1",
    "rights": "SELECT customer.telegram_user_id, own.external_id, own.kind, plan.stripe_price_id,"
    " own.status, own.starts_at, own.period_end, own.ends_at, own.trial_end, own.holds,"
    " own.reason, own.refund, own.dispute, own.collection_paused FROM store_entitlement own"
    " JOIN store_customer customer ON customer.id = own.customer_id"
    " JOIN store_plan plan ON plan.id = own.plan_id ORDER BY 1, 2",
    "places": "SELECT customer.telegram_user_id, chat.telegram_id, access.desired,"
    " access.observed, access.let_in_at IS NOT NULL AS let_in FROM store_access access"
    " JOIN store_customer customer ON customer.id = access.customer_id"
    " JOIN store_chat chat ON chat.id = access.chat_id ORDER BY 1, 2",
}


async def run(house: House, *arguments: str) -> list[dict[str, Any]]:
    """Run a command beside the server; gives what it printed."""
    done = await asyncio.to_thread(house.installation.command, *arguments, "--json")
    assert done.code == 0, done.err
    printed: list[dict[str, Any]] = done.json
    return printed


async def the_pass_of_the_start(house: House) -> None:
    """Wait until the server has fetched by itself what it would fetch; the next is in an hour."""

    async def is_done() -> bool:
        done = "SELECT count(*) FROM store_inboxevent WHERE kind = 'backfill' AND state = 'done'"
        return bool(house.ledger.count(done))

    await eventually(is_done, "the pass of the start")


@pytest.mark.timeout(120)
async def test_the_hourly_pass_alone_mends_what_every_lost_event_told(house: House) -> None:
    """The first pass of a server comes as soon as it listens, the others an hour apart."""
    leaving, staying, coming = [await house.person() for _ in range(3)]
    for person in (leaving, staying):
        await house.let_in(person, ONCE)
    await calm(house)
    await house.stripe.post("faults", {"drop": MANY})
    refunded = await house.payment_of(leaving)
    await house.stripe.post(f"payments/{refunded['id']}/refund")
    await house.buy(coming)
    events = house.ledger.events("stripe")
    await calm(house)
    assert house.ledger.events("stripe") == events  # not one of them came
    await asyncio.to_thread(house.installation.stop)
    await asyncio.to_thread(house.installation.start)
    await coming.follow(await house.invitation(coming))
    await coming.gets_in(house.chat)
    await leaving.gets_out(house.chat)
    assert await staying.is_in(house.chat)


@pytest.mark.timeout(120)
async def test_an_operator_has_lost_events_fetched_at_once(house: House) -> None:
    person = await house.person()
    await the_pass_of_the_start(house)
    await house.stripe.post("faults", {"drop": MANY})
    await house.buy(person)
    [before] = await run(house, "backfill", "--since", "1h")
    assert before["new"] > 0
    assert before["found"] == before["known"] + before["new"]
    await house.invitation(person)
    [after] = await run(house, "backfill", "--since", "1h")
    assert after["new"] == 0


@pytest.mark.timeout(120)
async def test_an_operator_has_everything_gone_through_at_once(house: House) -> None:
    left, bought = await house.person(), await house.person()
    await house.let_in(left)
    await calm(house)
    await house.stripe.post("faults", {"drop": MANY})
    await house.buy(bought)
    found = await run(house, "reconcile", "--bot", str(house.id))
    assert any(one["found"].get("unknown") for one in found)
    assert any(one["found"].get("checked") for one in found)
    await bought.follow(await house.invitation(bought))
    await bought.gets_in(house.chat)


@pytest.mark.timeout(180)
async def test_a_lost_database_is_rebuilt_from_stripe_and_nobody_hears_of_it(
    house: House, migrated_file: Path
) -> None:
    people = [await house.person(language) for language in ("en", "uk", "en", "en", "uk")]
    subscribed, yearly, once, ended, refunded = people
    for person, price in (
        (subscribed, MONTHLY),
        (yearly, YEARLY),
        (once, ONCE),
        (ended, MONTHLY),
        (refunded, ONCE),
    ):
        await house.let_in(person, price)
    expiring = await house.subscription_of(yearly)
    await house.stripe.post(f"subscriptions/{expiring['id']}", {"cancel": "at_period_end"})
    over = await house.subscription_of(ended)
    await house.stripe.post(f"subscriptions/{over['id']}", {"cancel": "now"})
    paid = await house.payment_of(refunded)
    await house.stripe.post(f"payments/{paid['id']}/refund")
    for person in (ended, refunded):
        await person.gets_out(house.chat)
    await calm(house)
    before, heard = state(house, people), await heard_by(people)

    await asyncio.to_thread(house.installation.stop)
    lose(house.installation.database, migrated_file)
    await connect_again(house)
    await asyncio.to_thread(house.installation.start)
    await run(house, "rebuild")
    await calm(house)
    assert state(house, people) == before
    assert await heard_by(people) == heard

    # And all goes on as if nothing had been.
    mine = await house.subscription_of(subscribed)
    await house.stripe.post(f"subscriptions/{mine['id']}", {"cancel": "now"})
    await subscribed.gets_out(house.chat)
    assert await once.is_in(house.chat)


def lose(database: Path, migrated: Path) -> None:
    for beside in database.parent.glob(f"{database.name}*"):
        if not beside.name.endswith(".lock"):
            beside.unlink()
    database.write_bytes(migrated.read_bytes())


async def connect_again(house: House) -> None:
    """Have the operator put in again what an operator puts in."""
    done = await asyncio.to_thread(
        house.installation.command,
        "bots",
        "add",
        "--token",
        "-",
        *(part for chat in house.chats for part in ("--chat", str(chat))),
        *(part for price in house.prices for part in ("--price", price)),
        "--name",
        house.bot,
        "--json",
        stdin=house.token,
    )
    assert done.code == 0, done.err
    house.id = done.json["id"]

    async def registered() -> bool:
        return not house.problems()

    await eventually(registered, "the bot is registered again")


async def heard_by(people: list[Person]) -> list[int]:
    return [await person.last_id() for person in people]


def state(house: House, people: list[Person]) -> dict[str, list[dict[str, Any]]]:
    """Give what has to be the same afterwards: people, rights, places."""
    ids = {person.id for person in people}
    return {
        name: [row for row in house.ledger.rows(statement) if row["telegram_user_id"] in ids]
        for name, statement in STATE.items()
    }
