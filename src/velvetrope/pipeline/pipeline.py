"""The pipeline of one process: what is stored gets done, once, whatever happens in between."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from velvetrope.domain.backoff import DEFAULT
from velvetrope.domain.states import ItemState
from velvetrope.pipeline import jobs
from velvetrope.pipeline.applying import ApplyEvents
from velvetrope.pipeline.breakers import Breakers
from velvetrope.pipeline.closing import CloseItems
from velvetrope.pipeline.delivery import Delivery
from velvetrope.pipeline.dispatch.alone import Alone, Capacity
from velvetrope.pipeline.dispatch.embedded import EmbeddedDispatcher
from velvetrope.pipeline.failing import RecordFailures
from velvetrope.pipeline.inbox import Inbox
from velvetrope.pipeline.ledger import Forever, Ledger, Nobody
from velvetrope.pipeline.outbox import Outbox
from velvetrope.pipeline.reviewing import Review
from velvetrope.pipeline.stats import Load, Stats
from velvetrope.pipeline.storing import StoreEvents
from velvetrope.store.models import InboxEvent, OutboxItem

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Collection, Sequence

    from velvetrope.domain.backoff import Backoff
    from velvetrope.domain.clock import Clock
    from velvetrope.pipeline.bots import Caller
    from velvetrope.pipeline.database import Database
    from velvetrope.pipeline.events import Event, Item
    from velvetrope.pipeline.ledger import Lease
    from velvetrope.pipeline.links import InviteLinks
    from velvetrope.pipeline.routes import Routes
    from velvetrope.store.catalogue import Catalogue
    from velvetrope.store.encryption import Secret


class Supply(Protocol):
    """Where the work of this process comes from; belongs to the event loop."""

    async def start(self) -> None:
        """Begin to take work up; raises if another process keeps this one from it."""

    async def stop_taking(self) -> None:
        """Take nothing more up."""

    async def close(self) -> None:
        """Leave what is not done to others; nothing is in flight any more."""

    def wake(self) -> None:
        """Have work looked for at once."""


class Pipeline:
    """Dispatches events, delivers items and runs what is periodic, in one event loop."""

    def __init__(
        self,
        db: Database,
        catalogue: Catalogue,
        clock: Clock,
        routes: Routes,
        bots: Callable[[Secret], Caller],
        invite_links: InviteLinks,
        *,
        backoff: Backoff = DEFAULT,
        breakers: Breakers | None = None,
        rng: random.Random | None = None,
        capacity: Capacity | None = None,
    ) -> None:
        self._db = db
        self._clock = clock
        self._capacity = capacity or Capacity()
        self.stats = Stats()
        self.breakers = breakers or Breakers()
        self._ledger = Ledger(
            db.dialect,
            catalogue,
            clock,
            Inbox(db.dialect),
            Outbox(db.dialect),
            Nobody(),
            routes.witness,
        )
        db.writer.on_rollback = catalogue.forget
        self._store = StoreEvents(self._ledger, routes, self.stats)
        lease: Lease = Forever()
        if db.dialect.is_shared:
            from velvetrope.pipeline.shared.worker import Worker  # noqa: PLC0415  not on SQLite

            self._worker: Worker | None = Worker(db, clock, self._ledger, routes, self.stats)
            lease = self._worker.presence
        else:
            self._worker = None
        self._dispatcher = EmbeddedDispatcher(
            db,
            routes,
            clock,
            ApplyEvents(self._ledger),
            RecordFailures(self._ledger),
            self.breakers,
            self.stats,
            backoff=backoff,
            rng=rng,
            lease=lease,
        )
        self._delivery = Delivery(
            db,
            catalogue,
            clock,
            bots,
            invite_links,
            CloseItems(self._ledger, routes),
            review=Review(db, routes),
            breakers=self.breakers,
            stats=self.stats,
            backoff=backoff,
            rng=rng,
            lease=lease,
        )
        self._supply: Supply
        if self._worker is not None:
            self._worker.feed(self._dispatcher, self._delivery)
            self._supply = self._worker
        else:
            self._supply = Alone(
                db,
                clock,
                self._ledger,
                self._dispatcher,
                self._delivery,
                capacity=self._capacity,
                periodic=routes.periodic,
                stats=self.stats,
            )
        self._works = False

    async def store(self, event: Event) -> bool:
        """Store an event that came in; True if it is new. Returns when it is on the disk.

        RetryLater `database_unavailable` or `database_busy` if it can't be stored now.
        """
        return await self._db.submit(self._store, event)

    async def start(self) -> None:
        """Take up the work; raises if another process keeps this one from it."""
        self._works = True
        self._ledger.receiver = self
        await self._supply.start()

    async def stop(self, patience: float = 10.0) -> None:
        """Take nothing more, finish what is in flight; the rest stays stored."""
        if not self._works:
            return
        await self._supply.stop_taking()
        await asyncio.gather(self._dispatcher.stop(patience), self._delivery.stop(patience))
        await self._supply.close()

    def wake(self) -> None:
        """Have pending rows looked for at once; from any thread."""
        self._supply.wake()

    async def run_one(self, event_id: int) -> str | None:
        """Claim one pending event and run it, in a process that doesn't serve.

        Gives the outcome, or None if the event isn't pending, or its lane is run by somebody;
        raises what the handler raises. What follows from it is left for those that serve.
        """
        if self._worker is None:
            return await self._run_claimed(event_id)
        lane = await self._db.read(lambda: _lane_of(event_id))
        if lane is None:
            return None
        async with self._worker.visiting(lane) as leased:
            return await self._run_claimed(event_id) if leased else None

    async def _run_claimed(self, event_id: int) -> str | None:
        event = await self._db.write(lambda: self._db.dialect.claim_one(event_id))
        return None if event is None else await self._dispatcher.run_one(event)

    async def resume(self, integration_id: int, chat_id: int | None = None) -> int:
        """Send what waited for an operator; gives how many items that are."""
        return await self._db.write(lambda: resume(integration_id, chat_id))

    async def quiesced(self) -> bool:
        """Tell whether everything that can be done has been done."""
        if not self._quiet():
            return False
        now = self._clock()
        if await self._db.read(lambda: self._db.dialect.has_pending(now)):
            self.wake()
            return False
        return self._quiet()

    def _quiet(self) -> bool:
        return self._dispatcher.quiet and self._delivery.quiet and not self._db.writer.waiting

    def load(self) -> Load:
        """Tell what is in hand."""
        writer = self._db.writer
        return Load(
            events=self._dispatcher.events,
            lanes=self._dispatcher.lanes,
            lanes_held=self._dispatcher.held,
            items=self._delivery.items,
            items_in_flight=self._delivery.in_flight,
            writes_waiting=writer.waiting,
            transactions=writer.transactions,
            replays=writer.replays,
            remotes_down=tuple(self.breakers.down()),
        )

    # What a commit leaves in the hands of this process

    def take_events(self, events: Sequence[Event]) -> None:
        self._dispatcher.take(events)
        if (
            self._dispatcher.events > self._capacity.events
            or self._dispatcher.payload_bytes > self._capacity.payload_bytes
        ):
            self._ledger.inbox.spilling = True

    def take_items(self, items: Sequence[Item], *, resumed: bool = False) -> None:
        self._delivery.take(items, resumed=resumed)
        if self._delivery.items > self._capacity.items:
            self._ledger.outbox.spilling = True


def _lane_of(event_id: int) -> str | None:
    return InboxEvent.objects.filter(id=event_id).values_list("lane", flat=True).first()


def resume(
    integration_id: int, chat_id: int | None = None, *, but_for: Collection[int] = ()
) -> int:
    """Have suspended items sent again, within the caller's transaction; gives how many.

    `but_for` names chats that are not mended yet.
    """
    items = OutboxItem.objects.filter(
        integration_id=integration_id, state=ItemState.SUSPENDED.value
    ).exclude(chat_id__in=but_for)
    if chat_id is not None:
        items = items.filter(chat_id=chat_id)
    count = items.update(state=ItemState.PENDING.value, attempts=0, due_at=None)
    if count:
        jobs.wake(bots=[integration_id])
    return count
