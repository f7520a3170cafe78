"""A worker among others: takes lanes up as jobs name them, looks after those of the dead."""

from __future__ import annotations

import asyncio
import random
from contextlib import asynccontextmanager, suppress
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Final

import structlog

from velvetrope.domain.errors import VelvetError
from velvetrope.pipeline.announcing import EVERYWHERE
from velvetrope.pipeline.dialect import leases
from velvetrope.pipeline.dispatch.procrastinate import JobWorker
from velvetrope.pipeline.shared.crontab import crontab
from velvetrope.pipeline.shared.ending import CHANNEL, Announcing, Working
from velvetrope.pipeline.shared.presence import Presence
from velvetrope.pipeline.shared.taking import (
    PERIODIC,
    CallsWanted,
    DropLanes,
    EndLanes,
    LeasePeriodic,
    LookAround,
    TakeCalls,
    TakeLanes,
)
from velvetrope.pipeline.writer import GroupWriter

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
    from datetime import datetime

    from velvetrope.domain.clock import Clock
    from velvetrope.pipeline.database import Database
    from velvetrope.pipeline.delivery import Delivery
    from velvetrope.pipeline.dialect.leases import Calls
    from velvetrope.pipeline.dispatch.embedded import EmbeddedDispatcher
    from velvetrope.pipeline.events import Event
    from velvetrope.pipeline.ledger import Ledger
    from velvetrope.pipeline.routes import Periodic, Routes
    from velvetrope.pipeline.shared.bots import Made, Pause
    from velvetrope.pipeline.stats import Stats

log = structlog.get_logger()

#: Events in hand with which a worker takes no more lanes: others may have less to do.
ROOM: Final = 1_000
#: Bulk in hand, of all bots, with which a worker takes no more of it.
BULK: Final = 10_000
#: Seconds between two looks for what nobody runs, and for calls that have become due.
LOOK: Final = 1.0
CALLS: Final = 0.5
_WAIT_FOR_ROOM: Final = 0.005


class Worker:
    """Feeds the dispatcher and the delivery of this process; belongs to the event loop."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        ledger: Ledger,
        routes: Routes,
        stats: Stats,
    ) -> None:
        self._db = db
        self._ledger = ledger
        self._stats = stats
        self.presence = Presence(self._became)
        self._taker = GroupWriter(db.dialect, budget=0, name="velvetrope-taker")
        self._ending = Working(db.dialect, clock, self)
        shared = (db.dialect, clock, self._ending, self)
        self._take_lanes = TakeLanes(*shared)
        self._look = LookAround(*shared)
        self._take_calls = TakeCalls(*shared)
        self._lease_periodic = LeasePeriodic(*shared)
        self._drop_lanes = DropLanes(*shared)
        self._end_lanes = EndLanes(*shared)
        self._jobs = JobWorker(self._take, self._called, CHANNEL)
        for one in routes.periodic:
            self._jobs.repeat(one.name, crontab(one.every), partial(self._tick, one))
        self._told: set[int] = set()
        self._wake = asyncio.Event()
        self._wake_calls = asyncio.Event()
        self._everywhere = False
        self._call_at = 0.0
        self._tasks: list[asyncio.Task[None]] = []
        self._attend(Announcing())

    def _attend(self, ending: Announcing) -> None:
        self._db.writer.ending = ending
        self._ledger.attend(ending)

    def feed(self, dispatcher: EmbeddedDispatcher, delivery: Delivery) -> None:
        self._dispatcher = dispatcher
        self._delivery = delivery
        dispatcher.on_lost = self._lost

    async def start(self) -> None:
        loop = asyncio.get_running_loop()

        def doubt() -> None:
            loop.call_soon_threadsafe(self.presence.doubt)

        self._taker.on_doubt = self._db.writer.on_doubt = doubt
        self._taker.start(loop)
        self._attend(self._ending)
        self._ledger.outbox.spilling = False
        await self.presence.start()
        self._dispatcher.start()
        self._jobs.start()
        self._tasks = [
            loop.create_task(self._repeat(self._look_around, LOOK, self._wake)),
            loop.create_task(self._repeat(self._call_on, CALLS, self._wake_calls)),
        ]

    async def stop_taking(self) -> None:
        await self._jobs.stop()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def close(self) -> None:
        """Let everything go that is still leased, for others to take up at once."""
        owner = self._db.dialect.owner or 0

        def give_up() -> None:
            self._ending.stored(leases.give_up(owner))

        with suppress(VelvetError):
            await self._db.write(give_up)
        await self.presence.stop()
        thread = self._taker.stop()
        if thread is not None:
            await asyncio.to_thread(thread.join)

    def wake(self) -> None:
        """Have what nobody runs looked for at once."""
        self._everywhere = True
        self._wake.set()

    @asynccontextmanager
    async def visiting(self, lane: str) -> AsyncIterator[bool]:
        """Lease a lane in a process that doesn't serve; gives whether nobody else has it."""
        await self.presence.start()
        try:
            owner = self._db.dialect.owner or 0
            taken = await self._db.write(lambda: leases.take(owner, [lane]))
            try:
                yield bool(taken)
            finally:
                if taken:
                    await self._db.write(partial(self._leave, owner, lane))
        finally:
            await self.presence.stop()

    def _leave(self, owner: int, lane: str) -> None:
        leases.drop(owner, [lane])
        self._ledger.ending.stored([lane])

    def _became(self, worker: int) -> None:
        """Begin as this worker: whatever the one before had in hand is others' by now."""
        self._db.dialect.owner = worker
        self._ending.leased.clear()
        self._dispatcher.drop_all()
        self._delivery.bots.forget_all()

    # What a commit leaves in the hands of this process

    def take_lanes(self, events: Sequence[Event], held: Mapping[str, datetime]) -> None:
        if held:
            self._dispatcher.expect_held(held)
        self._ledger.receiver.take_events(events)

    def take_bots(self, calls: Calls, pauses: Sequence[Pause], made: Sequence[Made]) -> None:
        self._delivery.count(made)
        self._delivery.pause(pauses)
        self._ledger.receiver.take_items(calls.waited, resumed=True)
        self._ledger.receiver.take_items(calls.new)

    def leave_bots(self, bots: Sequence[int]) -> None:
        for bot in bots:
            self._delivery.bots.forget(bot)

    # How work comes here

    async def _take(self, lanes: Collection[str]) -> None:
        """Take lanes up that a job names, once there is room."""
        while self._dispatcher.events > ROOM or not self.presence.holds:  # noqa: ASYNC110  of two things
            await asyncio.sleep(_WAIT_FOR_ROOM)
        if EVERYWHERE in lanes:
            self.wake()
        await self._taker.submit(self._take_lanes, lanes)

    async def _look_around(self) -> None:
        if self._dispatcher.events > ROOM or not self.presence.holds:
            return
        everywhere, self._everywhere = self._everywhere, False
        await self._taker.submit(self._look, everywhere)

    def _called(self, bot: str) -> None:
        """Hear that calls wait for a bot, which may be another worker's."""
        self._told.add(int(bot))
        self._wake_calls.set()

    async def _call_on(self) -> None:
        """Take calls up that wait for bots of this worker; have resting ones let go."""
        told, self._told = frozenset(self._told & self._ending.leased), set()
        is_due = monotonic() >= self._call_at
        if not (self._ending.leased and self.presence.holds and (told or is_due)):
            return
        bulk = max(BULK - self._delivery.items, 0)
        if not is_due:
            await self._taker.submit(self._take_calls, CallsWanted(told, bulk))
            return
        self._call_at = monotonic() + CALLS
        if bulk:
            self._ledger.outbox.spilling = False
        await self._taker.submit(self._take_calls, CallsWanted(frozenset(), bulk))
        if resting := set(self._delivery.bots.resting()) & self._ending.leased:
            await self._db.write(partial(self._ending.resting.update, resting))

    def _lost(self, lane: str) -> None:
        """Have a lane looked at anew that somebody else has changed."""
        with suppress(VelvetError):
            self._taker.submit(self._drop_lanes, lane)
        self._wake.set()

    async def _tick(self, one: Periodic) -> None:
        """Run a periodic function, unless it still runs somewhere from the last time."""
        lane = f"{PERIODIC}{one.name}"
        if not await self._taker.submit(self._lease_periodic, lane):
            return
        try:
            await one.run()
        except Exception:
            log.exception("periodic_failed", name=one.name)
            self._stats.periodic[one.name, "failed"] += 1
        else:
            self._stats.periodic[one.name, "ok"] += 1
        finally:
            await self._taker.submit(self._end_lanes, lane)

    async def _repeat(
        self, run: Callable[[], Awaitable[None]], every: float, wake: asyncio.Event
    ) -> None:
        while True:
            wake.clear()
            try:
                await run()
            except VelvetError as error:
                log.warning("taking_failed", code=error.code)
            except Exception:
                log.exception("taking_failed")
            with suppress(TimeoutError):
                # Workers that were started together don't look together.
                await asyncio.wait_for(wake.wait(), every * random.uniform(0.8, 1.2))  # noqa: S311
