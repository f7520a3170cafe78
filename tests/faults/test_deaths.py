"""Processes are killed while people talk, pay and come in."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.faults.scene import Scene


@asynccontextmanager
async def killed(scene: Scene, *names: str) -> AsyncIterator[None]:
    """Kill processes as a power cut does; the supervisor starts them again."""
    scene.fleet.kill(*names)
    await asyncio.to_thread(scene.fleet.start, *names)
    yield


@asynccontextmanager
async def restarted(scene: Scene, *names: str) -> AsyncIterator[None]:
    """Stop processes in order, one after another, and start each before the next one stops."""
    for name in names:
        assert await asyncio.to_thread(scene.fleet.parts[name].stop) == 0
        await asyncio.to_thread(scene.fleet.start, name)
    yield


@pytest.mark.quick_on_both
async def test_everything_is_killed(scene: Scene) -> None:
    await scene.play("kill -9 of everything", killed(scene), loses_answers=True)


@pytest.mark.only_on("postgresql")
async def test_a_worker_is_killed(scene: Scene) -> None:
    await scene.play("kill -9 of one worker", killed(scene, "worker-1"), loses_answers=True)


@pytest.mark.only_on("postgresql")
async def test_a_web_process_is_killed(scene: Scene) -> None:
    await scene.play("kill -9 of one web process", killed(scene, "web-1"))


async def test_everything_is_restarted(scene: Scene) -> None:
    await scene.play("restart, one by one", restarted(scene, *scene.fleet.parts))
