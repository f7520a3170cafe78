"""Work that is done again and again while the process serves."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import TYPE_CHECKING

import structlog

from velvetrope.domain.errors import VelvetError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from velvetrope.pipeline.routes import Periodic
    from velvetrope.pipeline.stats import Stats

log = structlog.get_logger()


class Ticker:
    """Runs each periodic function in a task of its own, never twice at once."""

    def __init__(self, periodic: Sequence[Periodic], stats: Stats) -> None:
        self._periodic = periodic
        self._stats = stats
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(self._repeat(one)) for one in self._periodic]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _repeat(self, one: Periodic) -> None:
        at = monotonic() + one.first_after
        while True:
            await asyncio.sleep(max(at - monotonic(), 0.0))
            try:
                await one.run()
            except Exception as error:
                if isinstance(error, VelvetError):
                    log.warning("periodic_failed", name=one.name, code=error.code)
                else:
                    log.exception("periodic_failed", name=one.name)
                self._stats.periodic[one.name, "failed"] += 1
            else:
                self._stats.periodic[one.name, "ok"] += 1
            at = max(at + one.every, monotonic())  # a tick that was missed is gone
