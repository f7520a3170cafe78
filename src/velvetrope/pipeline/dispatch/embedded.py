"""The dispatcher of a process that serves alone: lanes in memory, rows as the truth behind them.

A lane runs its events one by one, in order; many lanes run at once. What is ready waits in a queue
for each source, so that slow answers of one vendor don't take the places of the other's events.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import msgspec
import structlog

from velvetrope.domain.backoff import DEFAULT
from velvetrope.domain.states import EventOutcome, Source
from velvetrope.pipeline.applying import Prepared
from velvetrope.pipeline.failing import FailedTry
from velvetrope.pipeline.ledger import Forever
from velvetrope.pipeline.verdicts import Again, Never, is_worth_keeping, judge
from velvetrope.pipeline.writer import Fenced

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from velvetrope.domain.backoff import Backoff
    from velvetrope.domain.clock import Clock
    from velvetrope.pipeline.applying import ApplyEvents
    from velvetrope.pipeline.breakers import Breakers
    from velvetrope.pipeline.database import Database
    from velvetrope.pipeline.events import CustomerKey, Event
    from velvetrope.pipeline.failing import RecordFailures
    from velvetrope.pipeline.ledger import Lease
    from velvetrope.pipeline.routes import Handler, Routes
    from velvetrope.pipeline.stats import Stats
    from velvetrope.pipeline.work import Work

log = structlog.get_logger()

#: Lanes that run at once, by source.
CONCURRENCY: Final[Mapping[str, int]] = {
    Source.TELEGRAM.value: 256,
    Source.STRIPE.value: 64,
    Source.JOB.value: 64,
}
#: Seconds until an event is tried again whose failure could not even be written down.
_UNRECORDED_WAIT: Final = timedelta(seconds=1)


class Unhandled:
    """Stands in for the handler of a kind that the routing table doesn't know."""

    async def prepare(self, event: Event) -> None:
        """Nothing is to be found out."""

    def subjects(self, event: Event, facts: None) -> Sequence[CustomerKey]:  # noqa: ARG002  port
        return ()

    def apply(self, event: Event, facts: None, work: Work) -> str:  # noqa: ARG002  port
        return EventOutcome.UNHANDLED.value


def _nothing(_key: str) -> None:
    """Nobody has to be told."""


class _Lane:
    """Events that run one after another; `busy` while a task runs it or a timer holds it."""

    __slots__ = ("busy", "events", "held", "kept", "key", "timer")

    def __init__(self, key: str) -> None:
        self.key = key
        self.events: deque[Event] = deque()
        self.busy = False
        #: Whether it waits for its next try.
        self.held = False
        #: Whether a row of the table of lanes tells of it.
        self.kept = False
        self.timer: asyncio.TimerHandle | None = None


class EmbeddedDispatcher:
    """Runs events that it is given; all methods belong to the event loop."""

    def __init__(
        self,
        db: Database,
        routes: Routes,
        clock: Clock,
        apply: ApplyEvents,
        failures: RecordFailures,
        breakers: Breakers,
        stats: Stats,
        *,
        backoff: Backoff = DEFAULT,
        rng: random.Random | None = None,
        lease: Lease | None = None,
    ) -> None:
        self._db = db
        self._lease = lease or Forever()
        self._routes = routes
        self._clock = clock
        self._apply = apply
        self._failures = failures
        self._breakers = breakers
        self._stats = stats
        self._backoff = backoff
        self._rng = rng or random.Random()  # noqa: S311  jitter is no secret
        self._unhandled: Handler[Any] = Unhandled()
        self._lanes: dict[str, _Lane] = {}
        self._held_rows: dict[str, datetime] = {}
        self._ready: dict[str, deque[_Lane]] = {source: deque() for source in CONCURRENCY}
        self._running: dict[str, int] = dict.fromkeys(CONCURRENCY, 0)
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping = False
        #: Called with a lane that was dropped, since somebody else had changed its events.
        self.on_lost: Callable[[str], None] = _nothing
        self.events = 0
        self.payload_bytes = 0

    @property
    def lanes(self) -> int:
        return len(self._lanes)

    @property
    def held(self) -> int:
        return sum(lane.held for lane in self._lanes.values())

    @property
    def quiet(self) -> bool:
        """Whether nothing runs and nothing could; lanes that wait for a try don't count."""
        return not self._tasks and not any(self._ready.values())

    def expect_held(self, rows: Mapping[str, datetime]) -> None:
        """Tell which lanes wait, from before they came to this process, and until when."""
        self._held_rows |= rows

    def has(self, key: str) -> bool:
        """Tell whether a lane has anything in hand."""
        return key in self._lanes

    def drop(self, key: str) -> None:
        """Forget a lane that is somebody else's; what runs of it has no effect any more."""
        lane = self._lanes.pop(key, None)
        self._held_rows.pop(key, None)
        if lane is None:
            return
        if lane.timer is not None:
            lane.timer.cancel()
        for event in lane.events:
            self.events -= 1
            self.payload_bytes -= len(event.payload)
        lane.events.clear()

    def drop_all(self) -> None:
        """Forget everything: this process was taken for dead."""
        for key in list(self._lanes):
            self.drop(key)
        self._held_rows.clear()

    def take(self, events: Iterable[Event]) -> None:
        """Take over events that this process holds, in the order in which they were stored."""
        for event in events:
            lane = self._lanes.get(event.lane)
            if lane is None:
                lane = self._lanes[event.lane] = _Lane(event.lane)
            lane.events.append(event)
            self.events += 1
            self.payload_bytes += len(event.payload)
            if not lane.busy:
                lane.busy = True
                until = self._held_rows.pop(event.lane, None) if self._held_rows else None
                if until is None:
                    self._make_ready(lane)
                else:
                    lane.kept = True
                    self._hold(lane, until)

    def start(self) -> None:
        self._stopping = False
        self._start_more()

    async def stop(self, patience: float) -> None:
        """Let every running lane finish its event, for `patience` seconds at most."""
        self._stopping = True
        for lane in self._lanes.values():
            if lane.timer is not None:
                lane.timer.cancel()
        if self._tasks:
            _, unfinished = await asyncio.wait(self._tasks, timeout=patience)
            for task in unfinished:
                task.cancel()
            if unfinished:
                log.warning("events_left", count=len(unfinished))
                await asyncio.wait(unfinished, timeout=1)

    async def run_one(self, event: Event) -> str:
        """Run an event outside of any lane; a failure is written down as ever, and raised."""
        handler = self._routes.handler(event.source, event.kind) or self._unhandled
        try:
            facts = await self._prepare(handler, event)
            return await self._db.submit(self._apply, Prepared(event, handler, facts))
        except Exception as error:
            verdict = judge(error, event.attempts, self._clock(), self._rng, self._backoff)
            await self._db.submit(self._failures, FailedTry(event, verdict, hand_back=True))
            raise

    def _make_ready(self, lane: _Lane) -> None:
        source = lane.events[0].source
        if self._running[source] < CONCURRENCY[source] and not self._stopping:
            self._run(lane, source)
        else:
            self._ready[source].append(lane)

    def _start_more(self) -> None:
        for source, ready in self._ready.items():
            while ready and self._running[source] < CONCURRENCY[source] and not self._stopping:
                lane = ready.popleft()
                if lane.events:  # else it was dropped
                    self._run(lane, source)

    def _run(self, lane: _Lane, source: str) -> None:
        self._running[source] += 1
        task = asyncio.get_running_loop().create_task(self._drain(lane, source))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _hold(self, lane: _Lane, until: datetime) -> None:
        """Have the lane wait; no task waits with it."""
        lane.held = True
        seconds = max((until - self._clock()).total_seconds(), 0.0)
        lane.timer = asyncio.get_running_loop().call_later(seconds, self._release, lane)

    def _release(self, lane: _Lane) -> None:
        lane.held, lane.timer = False, None
        if not self._stopping and lane.events:
            self._make_ready(lane)

    async def _drain(self, lane: _Lane, source: str) -> None:
        """Run the lane's events until there are none, one fails, or another's turn has come."""
        until: datetime | None = None
        try:
            while lane.events and until is None and not self._stopping:
                until = await self._try_first(lane)
                if self._ready[source]:
                    break  # others wait for this place
        finally:
            self._running[source] -= 1
            if not self._stopping:
                self._go_on(lane, until)
                self._start_more()

    def _go_on(self, lane: _Lane, until: datetime | None) -> None:
        if not lane.events:
            if self._lanes.get(lane.key) is lane:
                del self._lanes[lane.key]
        elif until is not None:
            self._hold(lane, until)
        else:
            self._ready[lane.events[0].source].append(lane)

    async def _try_first(self, lane: _Lane) -> datetime | None:
        """Try the lane's first event; gives when to try again if it failed and may work later."""
        event = lane.events[0]
        handler = self._routes.handler(event.source, event.kind) or self._unhandled
        if not self._lease.holds:
            return self._clock() + _UNRECORDED_WAIT
        try:
            facts = await self._prepare(handler, event)
            is_last = len(lane.events) == 1
            outcome = await self._db.submit(
                self._apply, Prepared(event, handler, facts, was_held=lane.kept, is_last=is_last)
            )
        except Fenced:
            self._fence(lane, event)
            return None
        except Exception as error:  # noqa: BLE001  every failure is judged in one place
            return await self._fail(lane, event, error)
        else:
            self._stats.events_done[event.source, outcome] += 1
            lane.kept = False
        self._drop_first(lane, event)
        return None

    def _fence(self, lane: _Lane, event: Event) -> None:
        """Forget an event that isn't in the hands of this process any more."""
        log.info("event_fenced", event_id=event.id, kind=event.kind)
        if self._db.dialect.is_shared:
            if self._lanes.get(lane.key) is lane:
                self.drop(lane.key)
                self.on_lost(lane.key)
        else:
            self._drop_first(lane, event)

    async def _prepare(self, handler: Handler[Any], event: Event) -> object:
        self._breakers.watch()
        try:
            if event.source == Source.STRIPE:
                self._breakers.enter(f"stripe:{event.account}")
            facts: object = await handler.prepare(event)
        except Exception as error:
            self._breakers.settle(error)
            raise
        self._breakers.settle(None)
        return facts

    async def _fail(self, lane: _Lane, event: Event, error: Exception) -> datetime | None:
        verdict = judge(error, event.attempts, self._clock(), self._rng, self._backoff)
        if is_worth_keeping(verdict):
            try:
                is_last = len(lane.events) == 1
                await self._db.submit(self._failures, FailedTry(event, verdict, is_last=is_last))
            except Fenced:
                self._fence(lane, event)
                return None
            except Exception as trouble:  # noqa: BLE001  the event is tried again as it was
                log.warning("failure_unrecorded", event_id=event.id, reason=type(trouble).__name__)
                return self._clock() + _UNRECORDED_WAIT
            lane.kept = isinstance(verdict, Again)
        facts = {"event_id": event.id, "source": event.source, "kind": event.kind}
        code, attempts = verdict.error.code, verdict.attempts
        if isinstance(verdict, Never):
            self._stats.events_dead[event.source, code] += 1
            log.error("event_dead", **facts, code=code, attempts=attempts, trace=verdict.trace)
            self._drop_first(lane, event)
            return None
        self._stats.events_retried[event.source, code] += 1
        log.warning("event_retried", **facts, code=code, attempts=attempts)
        if lane.events and lane.events[0] is event:
            lane.events[0] = msgspec.structs.replace(event, attempts=attempts)
        return verdict.at

    def _drop_first(self, lane: _Lane, event: Event) -> None:
        """Forget the lane's first event, unless the lane was dropped meanwhile."""
        if lane.events and lane.events[0] is event:
            lane.events.popleft()
            self.events -= 1
            self.payload_bytes -= len(event.payload)
