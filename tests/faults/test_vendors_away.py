"""Telegram and Stripe are down, slow, talk nonsense, lose answers, or ask for patience."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.faults.relay import Relay
    from tests.faults.scene import Scene

#: Seconds; as long as it takes for several tries of everything.
SHORT = 4.0
MINUTE = 60.0
NONSENSE = "<html><body><h1>502 Bad Gateway</h1></body></html>"


@asynccontextmanager
async def unreachable(seconds: float, *roads: Relay) -> AsyncIterator[None]:
    """Refuse every connection to a vendor, and cut those that there are."""
    for road in roads:
        road.refuse()
    await asyncio.sleep(seconds)
    for road in roads:
        road.accept()
    yield


@asynccontextmanager
async def failing(scene: Scene, seconds: float = 0.0, **how: Any) -> AsyncIterator[None]:
    """Have calls to Telegram and requests to Stripe go wrong in some way, for a while."""
    house = scene.house
    for vendor in (house.telegram, house.stripe):
        await vendor.post("faults", {"fail_next": [{"match": "*", "count": 10_000, **how}]})
    await scene.is_called()
    await asyncio.sleep(seconds)
    for vendor in (house.telegram, house.stripe):
        await vendor.post("faults", {"fail_next": []})
    yield


def check_words(scene: Scene, *remotes: str) -> None:
    """The log said who was away, what to do, and when it was over."""
    for what in ("remote_down", "remote_up"):
        told = {one["remote"].partition(":")[0] for one in scene.told(what)}
        assert told >= set(remotes), scene.said
    assert all(one["remedy"] for one in scene.told("remote_down"))


async def test_telegram_cannot_be_reached(scene: Scene) -> None:
    harm = unreachable(SHORT, scene.fleet.telegram)
    await scene.play("Telegram refuses connections", harm, loses_answers=True)
    check_words(scene, "telegram")


async def test_answers_are_lost(scene: Scene) -> None:
    harm = failing(scene, lose_answer=True, count=10)
    await scene.play("answers of vendors lost", harm, loses_answers=True)


@pytest.mark.long
async def test_answers_are_slow(scene: Scene) -> None:
    harm = failing(scene, delay=3.0)
    await scene.play("vendors answer after 3 s", harm)


@pytest.mark.long
async def test_servers_of_the_vendors_fail(scene: Scene) -> None:
    harm = failing(scene, seconds=20.0, status=503)
    await scene.play("vendors answer 503", harm)


@pytest.mark.long
async def test_patience_is_asked_for_again_and_again(scene: Scene) -> None:
    harm = failing(scene, seconds=20.0, status=429, retry_after=2)
    await scene.play("429 for 20 s", harm)


@pytest.mark.long
async def test_nobody_can_be_reached_for_a_minute(scene: Scene) -> None:
    harm = unreachable(MINUTE, scene.fleet.telegram, scene.fleet.stripe)
    await scene.play("no vendor reachable", harm, loses_answers=True)
    check_words(scene, "telegram", "stripe")


async def test_answers_are_nonsense(scene: Scene) -> None:
    harm = failing(scene, status=200, body=NONSENSE)
    await scene.play("vendors answer nonsense", harm)


async def test_everybody_is_asked_for_patience(scene: Scene) -> None:
    harm = failing(scene, status=429, retry_after=1)
    await scene.play("429 to every call", harm)
