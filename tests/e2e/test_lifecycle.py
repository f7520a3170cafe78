"""The server is stopped as systemd stops it, in the middle of everything, and goes on later."""

from __future__ import annotations

import asyncio
import time
from random import Random
from typing import TYPE_CHECKING

import pytest

from tests.e2e.test_crash import AT_ONCE, crowd_of, hurry
from tests.faults.calm import calm
from tests.faults.judgement import judge
from velvetrope.sandbox.handset import eventually

if TYPE_CHECKING:
    from tests.e2e.house import House

STOPS = 2
LONGEST = 10.0


@pytest.mark.timeout(120)
async def test_stopped_under_load_it_ends_soon_and_well_and_goes_on_where_it_was(
    house: House,
) -> None:
    crowd, rng = await crowd_of(house, seed=5), Random(5)
    async with asyncio.TaskGroup() as group:
        group.create_task(crowd.come(AT_ONCE, AT_ONCE))
        for _ in range(STOPS):
            await asyncio.sleep(rng.uniform(0.3, 1.0))
            before = time.monotonic()
            code = await asyncio.to_thread(house.installation.stop)
            assert code == 0
            assert time.monotonic() - before < LONGEST
            await asyncio.to_thread(house.installation.start)
        crowd.close()
        await hurry(house)
    await calm(house, patience=45)
    await judge(house, crowd, deaths=0)


async def test_it_stops_soon_though_a_vendor_keeps_it_waiting(house: House) -> None:
    person = await house.person()
    silence = {"delay": 30.0, "lose_answer": True}
    await house.telegram.post("faults", {"fail_next": {"match": "sendMessage", **silence}})
    await person.tell("/start")

    async def under_way() -> int:
        return house.ledger.count("SELECT count(*) FROM store_outboxitem WHERE state = 'claimed'")

    await eventually(under_way, "the call is under way")
    before = time.monotonic()
    assert await asyncio.to_thread(house.installation.stop) == 0
    assert time.monotonic() - before < LONGEST
    await asyncio.to_thread(house.installation.start)
    await person.hears_after(0)
