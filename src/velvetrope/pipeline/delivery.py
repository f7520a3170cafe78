"""Delivery: the calls to the Bot API, paced bot by bot, in order within each chat."""

from __future__ import annotations

import asyncio
import random
from time import monotonic
from typing import TYPE_CHECKING, Final, cast

from velvetrope.domain.backoff import DEFAULT
from velvetrope.pipeline.answers import Answers
from velvetrope.pipeline.bookkeeping import Bookkeeper
from velvetrope.pipeline.bot_queue import speaks
from velvetrope.pipeline.bots import Bots, loop_time
from velvetrope.pipeline.events import Item
from velvetrope.pipeline.ledger import Forever
from velvetrope.pipeline.links import params_to_send

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from velvetrope.domain.backoff import Backoff
    from velvetrope.domain.clock import Clock
    from velvetrope.gateways.telegram.pacing import Priority
    from velvetrope.pipeline.bots import Bot, Caller
    from velvetrope.pipeline.breakers import Breakers
    from velvetrope.pipeline.closing import CloseItems
    from velvetrope.pipeline.database import Database
    from velvetrope.pipeline.ledger import Lease
    from velvetrope.pipeline.links import InviteLinks
    from velvetrope.pipeline.reviewing import Review
    from velvetrope.pipeline.stats import Stats
    from velvetrope.store.catalogue import Catalogue
    from velvetrope.store.encryption import Secret

#: Calls of one bot at once.
IN_FLIGHT: Final = 16
#: Seconds until it is looked again whether this process may make calls.
_LEASE_AGAIN: Final = 0.5


class Delivery:
    """Makes the calls that it is given; all methods belong to the event loop."""

    def __init__(
        self,
        db: Database,
        catalogue: Catalogue,
        clock: Clock,
        bots: Callable[[Secret], Caller],
        invite_links: InviteLinks,
        close: CloseItems,
        *,
        review: Review,
        breakers: Breakers,
        stats: Stats,
        backoff: Backoff = DEFAULT,
        rng: random.Random | None = None,
        lease: Lease | None = None,
    ) -> None:
        self._db = db
        self._lease = lease or Forever()
        self._catalogue = catalogue
        self._clock = clock
        self._bots_of = bots
        self._invite_links = invite_links
        self._review = review
        self._breakers = breakers
        self.bots = self._bots = Bots()
        self._books = Bookkeeper(db, close)
        rng = rng or random.Random()  # noqa: S311  jitter is no secret
        self._answers = Answers(self._bots, self._books, clock, stats, rng, backoff)
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping = False

    @property
    def items(self) -> int:
        """How many items are in memory, those included that are being written down."""
        return self._bots.queued + len(self._tasks) + self._books.unwritten

    @property
    def in_flight(self) -> int:
        return len(self._tasks)

    @property
    def quiet(self) -> bool:
        """Whether nothing is being sent, waits to be sent or to be written down."""
        return self.items == 0

    def pause(self, pauses: Iterable[tuple[int, int | None, datetime]]) -> None:
        """Obey what Telegram asked for before a restart: (integration, chat or None, until)."""
        for integration_id, chat_id, until in pauses:
            until_then = loop_time(until, self._clock())
            self._bots.of(integration_id).queue.pacer.pause(until_then, chat_id)

    def count(self, calls: Iterable[tuple[Item, datetime]]) -> None:
        """Learn which calls another process made shortly before, oldest first, so as to pace on."""
        for item, at in calls:
            self._bots.of(item.integration_id).queue.pacer.count(
                item.chat_id if speaks(item) else None,
                is_group=item.chat_id < 0,
                priority=cast("Priority", item.priority),
                now=loop_time(at, self._clock()),
            )

    def take(self, items: Sequence[Item], *, resumed: bool = False) -> None:
        """Take over items that this process holds.

        `resumed`: they were pending, so somebody may have mended what kept them.
        """
        bots: dict[int, Bot] = {}
        for item in items:
            bot = bots[item.integration_id] = self._bots.of(item.integration_id)
            if resumed:
                bot.mended(item)
            if (trouble := bot.trouble_for(item)) is None:
                # Where another process had it in hand, it may wait for its next try.
                due = item.due_at
                not_before = loop_time(due, self._clock()) if due else float("-inf")
                self._bots.put(bot, item, not_before=not_before)
            else:
                self._answers.suspend(item, trouble)
        for bot in bots.values():
            self._pump(bot)

    async def stop(self, patience: float) -> None:
        """Send nothing more, finish what is in flight, write it down."""
        self._stopping = True
        for bot in self._bots:
            if bot.timer is not None:
                bot.timer.cancel()
        ends = monotonic() + patience
        if self._tasks:
            _, unfinished = await asyncio.wait(self._tasks, timeout=patience)
            for task in unfinished:
                task.cancel()
        await self._books.settle(ends - monotonic())

    def forget_idle(self) -> None:
        """Forget bots that have had nothing to say for a while; looks once in a while only."""
        self._bots.forget_idle()

    def _pump(self, bot: Bot) -> None:
        """Start as many calls as may be made now; come back when time allows another."""
        if bot.timer is not None:
            bot.timer.cancel()
            bot.timer = None
        if not self._lease.holds and not self._stopping:
            self._come_back(bot, _LEASE_AGAIN)
            return
        breaker = self._breakers.of(bot.remote)
        while bot.in_flight < IN_FLIGHT and len(bot.queue) and not self._stopping:
            now = monotonic()
            if (at := breaker.next_at(now)) > now:
                self._come_back(bot, at - now)
                return
            item = self._bots.take(bot, now)
            if item is None:
                if bot.queue.wake_at is not None:
                    self._come_back(bot, bot.queue.wake_at - now)
                return
            breaker.take(now)
            bot.in_flight += 1
            task = asyncio.get_running_loop().create_task(self._send(bot, item))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _come_back(self, bot: Bot, seconds: float) -> None:
        # A moment later than asked: a timer that fires early would only be set again.
        bot.timer = asyncio.get_running_loop().call_later(seconds + 0.001, self._pump, bot)

    async def _send(self, bot: Bot, item: Item) -> None:
        try:
            caller = await self._caller(bot)
            performed, now = None, await self._review.look(item)
            if isinstance(now, Item):
                params = await params_to_send(now, self._invite_links)
                performed = await caller.perform(item.method, params)
        except Exception as failure:  # noqa: BLE001  every failure is judged in one place
            self._breakers.record(bot.remote, failure)
            self._answers.failed(bot, item, failure)
        else:
            if performed is None:
                self._answers.leave(item, now)
                return
            self._breakers.record(bot.remote, None)
            self._answers.sent(item, performed.result)
        finally:
            bot.in_flight -= 1
            bot.used_at = monotonic()
            bot.queue.free(item, bot.used_at)
            if not self._stopping and not bot.is_gone:
                self._pump(bot)

    async def _caller(self, bot: Bot) -> Caller:
        if (caller := bot.known_caller()) is not None:
            return caller
        view = await self._db.read(lambda: self._catalogue.view(bot.integration_id))
        return bot.know(view, self._bots_of)
