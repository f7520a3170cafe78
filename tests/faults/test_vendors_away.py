"""Telegram and Stripe are down, slow, talk nonsense, lose answers, or ask for patience."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.faults.scene import Scene

NONSENSE = "<html><body><h1>502 Bad Gateway</h1></body></html>"


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


async def test_answers_are_nonsense(scene: Scene) -> None:
    harm = failing(scene, status=200, body=NONSENSE)
    await scene.play("vendors answer nonsense", harm)


async def test_everybody_is_asked_for_patience(scene: Scene) -> None:
    harm = failing(scene, status=429, retry_after=1)
    await scene.play("429 to every call", harm)
