"""The pipeline of one process: what is stored gets done, once, whatever happens in between."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import structlog
from django.db.models import Exists, Max, OuterRef

from velvetrope.domain.backoff import DEFAULT
from velvetrope.domain.errors import VelvetError
from velvetrope.domain.states import EventState, ItemState
from velvetrope.pipeline import jobs
from velvetrope.pipeline.applying import ApplyEvents
from velvetrope.pipeline.breakers import Breakers
from velvetrope.pipeline.closing import CloseItems
from velvetrope.pipeline.delivery import Delivery
from velvetrope.pipeline.dispatch.embedded import EmbeddedDispatcher
from velvetrope.pipeline.failing import RecordFailures
from velvetrope.pipeline.inbox import Inbox
from velvetrope.pipeline.ledger import Ledger, Nobody
from velvetrope.pipeline.outbox import Outbox
from velvetrope.pipeline.periodic import Ticker
from velvetrope.pipeline.reviewing import Review
from velvetrope.pipeline.stats import Load, Stats
from velvetrope.pipeline.storing import ClaimPending, Room, StoreEvents
from velvetrope.store.models import InboxEvent, Integration, Lane, OutboxItem
from velvetrope.store.serving import serve_alone

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Collection, Sequence
    from datetime import datetime

    from velvetrope.domain.backoff import Backoff
    from velvetrope.domain.clock import Clock
    from velvetrope.pipeline.bots import Caller
    from velvetrope.pipeline.database import Database
    from velvetrope.pipeline.events import Event, Item
    from velvetrope.pipeline.links import InviteLinks
    from velvetrope.pipeline.routes import Routes
    from velvetrope.store.catalogue import Catalogue
    from velvetrope.store.encryption import Secret
    from velvetrope.store.serving import Serving

log = structlog.get_logger()

_UNFINISHED: Final = (
    ItemState.PENDING.value,
    ItemState.CLAIMED.value,
    ItemState.SUSPENDED.value,
)
#: Seconds between two looks for rows that others have left pending.
POLL: Final = 0.5
#: Seconds to wait for a process that served before and has just ended.
PATIENCE: Final = 3.0
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
        self._claim = ClaimPending(self._ledger)
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
        )
        self._ticker = Ticker(routes.periodic, self.stats)
        self._pending = asyncio.Event()
        self._claimer: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._forget_waker: Callable[[], None] | None = None
        self._serving: Serving | None = None

    async def store(self, event: Event) -> bool:
        """Store an event that came in; True if it is new. Returns when it is on the disk.

        RetryLater `database_unavailable` or `database_busy` if it can't be stored now.
        """
        return await self._db.submit(self._store, event)

    async def start(self) -> None:
        """Take over everything that is unfinished; raises if another process serves already."""
        self._loop = asyncio.get_running_loop()
        self._serving = serve_alone(patience=PATIENCE)
        await self._db.write(self._db.dialect.reset_claims)
        held, pauses = await self._db.write(self._tidy), await self._db.read(self._pauses)
        self._dispatcher.expect_held(held)
        self._delivery.pause(pauses)
        self._ledger.receiver = self
        self._dispatcher.start()
        self._forget_waker = jobs.listen(self.wake)
        self._claimer = self._loop.create_task(self._claim_again_and_again())
        self._ticker.start()

    async def stop(self, patience: float = 10.0) -> None:
        """Take nothing more, finish what is in flight; the rest stays stored."""
        if self._forget_waker is not None:
            self._forget_waker()
        await self._ticker.stop()
        if self._claimer is not None:
            self._claimer.cancel()
            await asyncio.wait([self._claimer])
        self._ledger.inbox.spilling = True
        self._ledger.outbox.spilling = True
        await asyncio.gather(self._dispatcher.stop(patience), self._delivery.stop(patience))
        if self._serving is not None:
            self._serving.close()

    def wake(self) -> None:
        """Have pending rows looked for at once; from any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._pending.set)

    async def run_one(self, event_id: int) -> str | None:
        """Claim one pending event and run it, in a process that doesn't serve.

        Gives the outcome, or None if the event isn't pending; raises what the handler raises. What
        follows from it is left for the process that serves.
        """
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

    # Pending rows

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

    def _tidy(self) -> dict[str, datetime]:
        """Drop the times of lanes that have nothing to run any more; give the others."""
        unfinished = InboxEvent.objects.filter(
            lane=OuterRef("key"), state__in=[EventState.PENDING.value, EventState.CLAIMED.value]
        )
        Lane.objects.filter(~Exists(unfinished)).delete()
        return dict(Lane.objects.values_list("key", "retry_at"))

    def _pauses(self) -> list[tuple[int, int | None, datetime]]:
        """Read how long Telegram wants which bots and groups to be silent."""
        now = self._clock()
        bots = Integration.objects.filter(paused_until__gt=now).values_list("id", "paused_until")
        groups = (
            OutboxItem.objects.filter(
                state__in=_UNFINISHED, error_code="too_many_requests", due_at__gt=now, chat_id__lt=0
            )
            .values_list("integration_id", "chat_id")
            .annotate(until=Max("due_at"))
        )
        whole = [(key, None, until) for key, until in bots if until is not None]
        return [*whole, *groups]


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
    jobs.wake_after_commit()
    return count
