"""The parts of the look-alike put together: state, time, faults, records and deliveries."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from velvetrope.sandbox.faults import Faults
from velvetrope.sandbox.journal import Journal

from .billing import timeline
from .delivery import Deliveries, StripeKnobs
from .idempotency import Answers
from .world import World

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from velvetrope.sandbox.clock import SandboxClock

    from .api import Record
    from .shapes import Obj

_TICK = 0.25
_RECORDS = 20_000
#: How long the clock waits at each moment for the webhooks of that moment to be answered.
_SETTLE = 2.0


class Simulator:
    """One Stripe; runs its timeline and deliveries between `running()`'s begin and end."""

    def __init__(self, clock: SandboxClock, product: str | None = None) -> None:
        self.clock = clock
        #: Where the product is served, for webhook addresses that are only a path.
        self.product = product
        self.world = World(clock)
        self.faults = Faults(StripeKnobs())
        self.answers = Answers()
        self.calls: Journal[Record] = Journal(_RECORDS)
        self.deliveries = Deliveries(self.world, self.faults)
        #: Account, the moment at which the event could be seen, the event.
        self.events: Journal[tuple[str, float, Obj]] = Journal(_RECORDS)
        self.world.on_event.append(lambda account, event: self._note(account.id, event))
        self._moving = asyncio.Lock()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Let time do its work and webhooks go out."""
        async with self.deliveries.running():
            ticking = asyncio.create_task(self._tick())
            try:
                yield
            finally:
                ticking.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await ticking

    def _note(self, account: str, event: Obj) -> None:
        self.events.append((account, self.clock.time(), event))

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(_TICK)
            self.catch_up()

    def catch_up(self) -> None:
        """Do what fell due since the last time."""
        timeline.run(self.world, self.clock.time())

    async def advance(self, seconds: float, *, settle: bool = True) -> None:
        """Move the clock forward, stopping at every moment at which something is due.

        With `settle` the webhooks of each moment are sent, and tried once, before time goes on, so
        that their receiver lives through the same moments.
        """
        async with self._moving:
            target = self.clock.time() + seconds
            while (due := self.world.next_look()) is not None and due <= target:
                self.clock.advance(max(0.0, due - self.clock.time()))
                self.catch_up()
                if settle:
                    await self.deliveries.settle(_SETTLE)
            self.clock.advance(max(0.0, target - self.clock.time()))
            self.catch_up()
