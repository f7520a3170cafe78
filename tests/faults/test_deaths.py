"""Processes are killed while people talk, pay and come in."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.faults.scene import Scene


@asynccontextmanager
async def killed(scene: Scene, *names: str) -> AsyncIterator[None]:
    """Kill processes as a power cut does; the supervisor starts them again."""
    scene.fleet.kill(*names)
    await asyncio.to_thread(scene.fleet.start, *names)
    yield


async def test_everything_is_killed(scene: Scene) -> None:
    await scene.play("kill -9 of everything", killed(scene), loses_answers=True)
