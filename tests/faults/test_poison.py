"""A thousand events with a valid signature and broken contents, among people who are served."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import asynccontextmanager
from random import Random
from typing import TYPE_CHECKING

from tests.faults import poison

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.faults.scene import Scene

EACH = 500
AT_ONCE = 8


@asynccontextmanager
async def poisoned(scene: Scene, seed: int, statuses: Counter[int | None]) -> AsyncIterator[None]:
    """Bring all of it, some at a time."""
    rng = Random(seed)
    events = [(scene.door.bring_stripe, *one) for one in poison.of_stripe(rng, EACH)]
    updates = [(scene.door.bring_telegram, *one) for one in poison.of_telegram(rng, EACH)]
    waiting = [*events, *updates]
    rng.shuffle(waiting)
    scene.poison |= {name for _, name, _ in waiting}

    async def bring() -> None:
        while waiting:
            carry, _, body = waiting.pop()
            statuses[(await carry(body)).status] += 1

    await asyncio.gather(*(bring() for _ in range(AT_ONCE)))
    yield


async def test_a_thousand_poisoned_events(scene: Scene) -> None:
    statuses: Counter[int | None] = Counter()
    await scene.play("1,000 poisoned events", poisoned(scene, 20261123, statuses))
    assert set(statuses) <= {200, 400}, statuses
    assert min(statuses.values()) > EACH // 10
