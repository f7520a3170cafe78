"""Telegram and Stripe are down, slow, talk nonsense, lose answers, or ask for patience."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.faults.scene import Scene

#: Seconds; as long as it takes for several tries of everything.
SHORT = 4.0
NONSENSE = "<html><body><h1>502 Bad Gateway</h1></body></html>"


@asynccontextmanager
async def unreachable(scene: Scene, seconds: float = SHORT) -> AsyncIterator[None]:
    """Refuse every connection to both vendors, and cut those that there are."""
    roads = (scene.fleet.telegram, scene.fleet.stripe)
    for road in roads:
        road.refuse()
    await asyncio.sleep(seconds)
    for road in roads:
        road.accept()
    yield


@asynccontextmanager
async def failing(scene: Scene, **how: Any) -> AsyncIterator[None]:
    """Have calls to Telegram and requests to Stripe fail in some way, for a while."""
    house = scene.house
    for vendor in (house.telegram, house.stripe):
        await vendor.post("faults", {"fail_next": [{"match": "*", "count": 10_000, **how}]})
    await scene.calls_fail()
    for vendor in (house.telegram, house.stripe):
        await vendor.post("faults", {"fail_next": []})
    yield


async def test_nobody_can_be_reached(scene: Scene) -> None:
    await scene.play("vendors refuse connections", unreachable(scene), loses_answers=True)
    for what in ("remote_down", "remote_up"):
        told = {one["remote"].partition(":")[0] for one in scene.told(what)}
        assert "telegram" in told, scene.said


async def test_answers_are_nonsense(scene: Scene) -> None:
    harm = failing(scene, status=200, body=NONSENSE)
    await scene.play("vendors answer nonsense", harm)


async def test_everybody_is_asked_for_patience(scene: Scene) -> None:
    harm = failing(scene, status=429, retry_after=1)
    await scene.play("429 to every call", harm)
