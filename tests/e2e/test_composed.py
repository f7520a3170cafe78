"""Two web processes and two workers on PostgreSQL behind a proxy, as compose.yaml says."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from typing import TYPE_CHECKING

import httpx
import pytest

from tests import postgres
from tests.e2e.composed import SERVING, Composed, find_caddy
from tests.e2e.house import build_house, open_till
from tests.processes import STRIPE_API_KEY
from velvetrope.sandbox.handset import Control, eventually
from velvetrope.sandbox.journey import MONTH, Log, play
from velvetrope.sandbox.world import build_world

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import aiohttp

    from tests.e2e.house import House
    from tests.processes import Sandbox
    from velvetrope.sandbox.handset import Person


@pytest.fixture(scope="module")
def composed(
    sandbox: Sandbox,
    migrated_file: Path,
    postgresql: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Composed]:
    caddy = find_caddy()
    name = f"composed_{os.getpid()}"
    place = Composed(
        tmp_path_factory.mktemp("composed"),
        migrated_file,
        sandbox,
        postgres.create(postgresql, name),
        caddy,
    )
    try:
        place.start()
        yield place
    finally:
        place.close()
        postgres.drop(postgresql, name)


async def test_the_script_of_the_demo_passes(
    session: aiohttp.ClientSession, sandbox: Sandbox, composed: Composed
) -> None:
    telegram = Control(session, sandbox.telegram_url)
    stripe = Control(session, sandbox.stripe_url)
    world = await build_world(sandbox.telegram_url, sandbox.stripe_url, stripe_key=STRIPE_API_KEY)
    await open_till(stripe, composed.installation)
    prices = [part for price in world.price_ids for part in ("--price", price)]
    added = composed.installation.command(
        *("bots", "add", "--token", "-", "--chat", str(world.chat_id), *prices, "--json"),
        stdin=world.bot_token,
    )
    assert added.code == 0, added.err
    log = Log(print)
    await play(telegram, stripe, world, log)
    assert len(log.steps) > 10


def test_a_web_process_that_is_asked_to_stop_says_so_first_and_serves_on_meanwhile(
    composed: Composed,
) -> None:
    process = composed.processes["web-1"]
    os.kill(process.pid, signal.SIGTERM)
    seen: list[tuple[int, int]] = []
    with contextlib.suppress(httpx.TransportError):
        while True:
            said = composed.ask("web-1", "/up").status_code
            seen.append((said, composed.ask("web-1", "/admin/login/").status_code))
    assert (503, 200) in seen
    assert composed.ask("proxy", "/up").status_code == 200
    assert process.stop() == 0
    process.start()


async def test_an_update_restarts_every_process_and_nobody_who_buys_meanwhile_notices(
    session: aiohttp.ClientSession, sandbox: Sandbox, composed: Composed
) -> None:
    house = await build_house(session, sandbox, composed.installation)
    people: list[Person] = []
    done = asyncio.Event()

    async def buy_until_done() -> None:
        while not done.is_set():
            person = await house.person()
            await house.let_in(person)
            people.append(person)

    async with asyncio.TaskGroup() as group:
        for _ in range(3):
            group.create_task(buy_until_done())
        for name in SERVING:
            assert await asyncio.to_thread(composed.restart, name) == 0, name
        done.set()

    assert len(people) > len(SERVING)
    assert {person.id for person in people} <= await house.members()
    for person in people:
        texts = [message.text for message in await person.messages()]
        assert len(set(texts)) == len(texts), "said twice"
    assert not [
        line for line in composed.proxy.log_text().splitlines() if '"level":"error"' in line
    ]
    await renews_and_ends(house, people)


async def renews_and_ends(house: House, people: list[Person]) -> None:
    """A month later everybody has paid again and is in; who cancels then goes out, alone."""
    leaver, *others = people
    subscription = await house.subscription_of(leaver)
    ends = house.shown(leaver)["entitlements"][0]["period_end"]
    await house.later(MONTH)

    async def renewed() -> bool:
        (right,) = house.shown(leaver)["entitlements"]
        return bool(right["holds"]) and right["period_end"] > ends

    await eventually(renewed, "the renewal is known")
    assert {person.id for person in people} <= await house.members()
    await house.stripe.post(f"subscriptions/{subscription['id']}", {"cancel": "now"})
    await leaver.gets_out(house.chat)
    assert {person.id for person in others} <= await house.members()
