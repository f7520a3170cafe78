"""How work comes to the one process that does everything: handed over in memory, or claimed.

What is stored while it serves is in hand at once; what others leave pending is looked for.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import structlog

from velvetrope.domain.errors import VelvetError
from velvetrope.pipeline import jobs
from velvetrope.pipeline.dialect import claims
from velvetrope.pipeline.periodic import Ticker
from velvetrope.pipeline.shared.bots import read_pauses
from velvetrope.pipeline.storing import ClaimPending, Room
from velvetrope.store.models import Lane
from velvetrope.store.serving import serve_alone
from velvetrope.store.unfinished import unfinished_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from velvetrope.domain.clock import Clock
    from velvetrope.pipeline.database import Database
    from velvetrope.pipeline.delivery import Delivery
    from velvetrope.pipeline.dispatch.embedded import EmbeddedDispatcher
    from velvetrope.pipeline.ledger import Ledger
    from velvetrope.pipeline.routes import Periodic
    from velvetrope.pipeline.stats import Stats
    from velvetrope.store.serving import Serving

log = structlog.get_logger()

#: Seconds between two looks for rows that others have left pending.
POLL: Final = 0.5
#: Rows claimed in one transaction, so that none lasts long.
_CLAIM: Final = 500


@dataclass(frozen=True, slots=True)
class Capacity:
    """How much is kept in memory; what is more waits in the database."""

    events: int = 50_000
    payload_bytes: int = 128 * 1024 * 1024
    items: int = 50_000
    #: Bulk that has been taken up, of all bots.
    claimed_items: int = 10_000


class Alone:
    """Feeds dispatcher and delivery of the one process that serves; belongs to the event loop."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        ledger: Ledger,
        dispatcher: EmbeddedDispatcher,
        delivery: Delivery,
        *,
        capacity: Capacity,
        periodic: Sequence[Periodic],
        stats: Stats,
    ) -> None:
        self._db = db
        self._clock = clock
        self._ledger = ledger
        self._dispatcher = dispatcher
        self._delivery = delivery
        self._capacity = capacity
        self._claim = ClaimPending(ledger)
        self.ticker = Ticker(periodic, stats)
        self._pending = asyncio.Event()
        self._claimer: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._forget_waker: Callable[[], None] | None = None
        self._serving: Serving | None = None

    async def start(self) -> None:
        """Take over everything that is unfinished; raises if another process serves already."""
        self._loop = asyncio.get_running_loop()
        self._serving = serve_alone()
        await self._db.write(claims.reset)
        held = await self._db.write(_tidy)
        pauses = await self._db.read(lambda: read_pauses(self._clock()))
        self._dispatcher.expect_held(held)
        self._delivery.pause(pauses)
        self._dispatcher.start()
        self._forget_waker = jobs.listen(self.wake)
        self._claimer = self._loop.create_task(self._claim_again_and_again())
        self.ticker.start()

    async def stop_taking(self) -> None:
        if self._forget_waker is not None:
            self._forget_waker()
        await self.ticker.stop()
        if self._claimer is not None:
            self._claimer.cancel()
            await asyncio.wait([self._claimer])
        self._ledger.inbox.spilling = True
        self._ledger.outbox.spilling = True

    async def close(self) -> None:
        if self._serving is not None:
            self._serving.close()

    def wake(self) -> None:
        """Have pending rows looked for at once; from any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._pending.set)

    async def _claim_again_and_again(self) -> None:
        while True:
            self._pending.clear()
            self._delivery.forget_idle()
            try:
                while await self._claim_some():
                    pass
            except VelvetError as error:
                log.warning("claiming_failed", code=error.code)
            except Exception:
                log.exception("claiming_failed")
            with suppress(TimeoutError):
                await asyncio.wait_for(self._pending.wait(), POLL)

    async def _claim_some(self) -> bool:
        """Claim what there is room for; True if there may be more."""
        inbox, outbox, now = self._ledger.inbox, self._ledger.outbox, self._clock()
        spilling = inbox.spilling or outbox.spilling
        if not spilling and not await self._db.read(lambda: self._db.dialect.has_pending(now)):
            return False
        capacity = self._capacity
        heavy = self._dispatcher.payload_bytes > capacity.payload_bytes // 2
        events = 0 if heavy else capacity.events // 2 - self._dispatcher.events
        room = Room(
            min(max(events, 0), _CLAIM),
            min(max(capacity.claimed_items - self._delivery.items, 0), _CLAIM),
        )
        if not (room.events or room.items):
            return False
        claimed = await self._db.submit(self._claim, room)
        more_events = room.events > 0 and claimed.events == room.events
        return more_events or (room.items > 0 and claimed.items == room.items)


def _tidy() -> dict[str, datetime]:
    """Drop the times of lanes that have nothing to run any more; give the others."""
    kept = dict(Lane.objects.values_list("key", "retry_at"))
    unfinished = set(unfinished_of(kept).values_list("lane", flat=True))
    Lane.objects.exclude(key__in=unfinished).delete()
    return {key: at for key, at in kept.items() if key in unfinished}
