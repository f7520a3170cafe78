"""The server is killed while many people want something, again and again."""

from __future__ import annotations

import asyncio
import os
from random import Random
from typing import TYPE_CHECKING

import pytest

from tests.faults.calm import calm
from tests.faults.crowd import Crowd
from tests.faults.judgement import judge

if TYPE_CHECKING:
    from tests.e2e.house import House

#: Another seed is another story: `VELVETROPE_TEST_SEED=7 pytest tests/e2e/test_crash.py`.
SEED = int(os.environ.get("VELVETROPE_TEST_SEED", "20261122"))
KILLS = 5
PEOPLE = 24
AT_ONCE = 8
#: Vendors try again sooner than they would, so that a story lasts seconds.
HASTE = {"telegram": 0.01, "stripe": 0.002}


async def crowd_of(house: House, seed: int) -> Crowd:
    """Prepare a crowd that knows the channel's link from somebody inside."""
    await house.telegram.post("faults", {"retry_scale": HASTE["telegram"]})
    await house.stripe.post("faults", {"retry_scale": HASTE["stripe"]})
    member = await house.person(name="Sharer")
    await house.let_in(member)
    crowd = Crowd(house, await house.invitation(member), Random(seed))
    crowd.asked.add(member.id)
    return crowd


async def hurry(house: House) -> None:
    """Let the time pass for which Stripe waits after many vain tries."""
    await house.stripe.post("clock", {"seconds": 60, "settle": False})


async def kill_at_random(house: House, times: int, rng: Random) -> None:
    """Let the server live for about a second at a time."""
    for _ in range(times):
        await asyncio.sleep(rng.uniform(0.2, 1.2))
        house.installation.kill()
        await asyncio.to_thread(house.installation.start)


@pytest.mark.timeout(120)
async def test_killed_at_random_moments_it_ends_as_stripes_truth_implies(house: House) -> None:
    crowd = await crowd_of(house, SEED)
    async with asyncio.TaskGroup() as group:
        group.create_task(crowd.come(AT_ONCE, PEOPLE))
        await kill_at_random(house, KILLS, Random(SEED))
        crowd.close()
        await hurry(house)
    await calm(house, patience=45)
    print(f"{len(crowd.people)} people: {dict(crowd.deeds)}")
    await judge(house, crowd, deaths=KILLS)
