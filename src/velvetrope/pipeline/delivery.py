"""Delivery: the calls to the Bot API, paced bot by bot, in order within each chat."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from datetime import datetime
from time import monotonic
from typing import TYPE_CHECKING, Final

import msgspec
import structlog

from velvetrope.domain.backoff import DEFAULT
from velvetrope.domain.errors import RetryLater, VelvetError
from velvetrope.domain.states import ItemState
from velvetrope.gateways.telegram.errors import migrated_to
from velvetrope.pipeline.bot_queue import speaks
from velvetrope.pipeline.bots import IDLE_AGE, Bot
from velvetrope.pipeline.closing import NOT_WANTED, OUTCOME_FAILED, Closing
from velvetrope.pipeline.events import Item
from velvetrope.pipeline.links import params_to_send
from velvetrope.pipeline.verdicts import Again, Never, code_of, is_worth_keeping, judge, trace_of
from velvetrope.store.models import Integration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from velvetrope.domain.backoff import Backoff
    from velvetrope.domain.clock import Clock
    from velvetrope.pipeline.bots import Caller
    from velvetrope.pipeline.breakers import Breakers
    from velvetrope.pipeline.closing import CloseItems
    from velvetrope.pipeline.database import Database
    from velvetrope.pipeline.links import InviteLinks
    from velvetrope.pipeline.reviewing import Review
    from velvetrope.pipeline.stats import Stats
    from velvetrope.store.catalogue import Catalogue
    from velvetrope.store.encryption import Secret

log = structlog.get_logger()

#: Calls of one bot at once.
IN_FLIGHT: Final = 16
#: Seconds until what was done is written down again, if the database was away.
_WRITE_AGAIN: Final = 1.0
#: After these a person isn't written to until they come back.
UNREACHABLE: Final = frozenset({"blocked_by_user", "user_deactivated"})
#: A person who never pressed /start, or took it back: they are written to once they do.
NOT_STARTED: Final = frozenset({"cannot_initiate"})
#: The call came too late: somebody else answered the request, or nobody waits any more.
OVERTAKEN: Final = frozenset({"query_expired", "request_missing"})


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
    ) -> None:
        self._db = db
        self._catalogue = catalogue
        self._clock = clock
        self._bots_of = bots
        self._invite_links = invite_links
        self._close_items = close
        self._review = review
        self._breakers = breakers
        self._stats = stats
        self._backoff = backoff
        self._rng = rng or random.Random()  # noqa: S311  jitter is no secret
        self._bots: dict[int, Bot] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = 0
        self._queued = 0
        self._look_for_idle_at = 0.0
        self._all_closed = asyncio.Event()
        self._stopping = False

    @property
    def items(self) -> int:
        """How many items are in memory, those included that are being written down."""
        return self._queued + len(self._tasks) + self._closing

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
            self._bot(integration_id).queue.pacer.pause(self._monotonic(until), chat_id)

    def take(self, items: Sequence[Item], *, resumed: bool = False) -> None:
        """Take over items that this process holds.

        `resumed`: they were pending, so somebody may have mended what kept them.
        """
        bots: dict[int, Bot] = {}
        for item in items:
            bot = bots[item.integration_id] = self._bot(item.integration_id)
            if resumed:
                bot.mended(item)
            if (trouble := bot.trouble_for(item)) is None:
                self._put(bot, item)
            else:
                self._suspend(item, trouble)
        for bot in bots.values():
            self._pump(bot)

    async def stop(self, patience: float) -> None:
        """Send nothing more, finish what is in flight, write it down."""
        self._stopping = True
        for bot in self._bots.values():
            if bot.timer is not None:
                bot.timer.cancel()
        ends = monotonic() + patience
        if self._tasks:
            _, unfinished = await asyncio.wait(self._tasks, timeout=patience)
            for task in unfinished:
                task.cancel()
        self._all_closed.clear()
        if self._closing:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._all_closed.wait(), ends - monotonic())

    def forget_idle(self) -> None:
        """Forget bots that have had nothing to say for a while; looks once in a while only."""
        now = monotonic()
        if now >= self._look_for_idle_at:
            self._look_for_idle_at = now + IDLE_AGE / 2
            self._bots = {key: bot for key, bot in self._bots.items() if not bot.is_idle(now)}

    def _put(
        self, bot: Bot, item: Item, *, not_before: float = float("-inf"), first: bool = False
    ) -> None:
        bot.queue.put(item, not_before=not_before, first=first)
        self._queued += 1

    def _bot(self, integration_id: int) -> Bot:
        bot = self._bots.get(integration_id)
        if bot is None:
            bot = self._bots[integration_id] = Bot(integration_id)
        return bot

    # Sending

    def _pump(self, bot: Bot) -> None:
        """Start as many calls as may be made now; come back when time allows another."""
        if bot.timer is not None:
            bot.timer.cancel()
            bot.timer = None
        breaker = self._breakers.of(bot.remote)
        while bot.in_flight < IN_FLIGHT and len(bot.queue) and not self._stopping:
            now = monotonic()
            if (at := breaker.next_at(now)) > now:
                self._come_back(bot, at - now)
                return
            item = bot.queue.take(now)
            if item is None:
                if bot.queue.wake_at is not None:
                    self._come_back(bot, bot.queue.wake_at - now)
                return
            self._queued -= 1
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
            self._failed(bot, item, failure)
        else:
            if performed is None:
                self._leave(item, now)
                return
            self._breakers.record(bot.remote, None)
            self._sent(item, performed.result)
        finally:
            bot.in_flight -= 1
            bot.queue.free(item)
            if not self._stopping:
                self._pump(bot)

    async def _caller(self, bot: Bot) -> Caller:
        if (caller := bot.known_caller()) is not None:
            return caller
        view = await self._db.read(lambda: self._catalogue.view(bot.integration_id))
        return bot.know(view, self._bots_of)

    # What comes of it

    def _leave(self, item: Item, until: Item | datetime | None) -> None:
        """Don't make a call: not before some time, when it is taken up again, or not at all."""
        if isinstance(until, datetime):
            self._close(Closing(item, ItemState.PENDING, item.attempts, due_at=until))
            return
        self._stats.items[item.method, ItemState.SKIPPED.value] += 1
        log.info("item_overtaken", item_id=item.id, method=item.method)
        self._close(Closing(item, ItemState.SKIPPED, item.attempts, error_code=NOT_WANTED))

    def _sent(self, item: Item, result: msgspec.Raw | None) -> None:
        self._stats.items[item.method, ItemState.SENT.value] += 1
        answer = msgspec.Raw(b"true") if result is None else result
        self._close(Closing(item, ItemState.SENT, item.attempts + 1, result=answer))

    def _failed(self, bot: Bot, item: Item, failure: Exception) -> None:
        if isinstance(failure, RetryLater) and (new_id := _moved_to(item, failure)) is not None:
            self._move(bot, item, new_id, failure)
            return
        verdict = judge(failure, item.attempts, self._clock(), self._rng, self._backoff)
        if isinstance(verdict, Again):
            self._try_again(bot, item, verdict)
        elif verdict.needs_operator:
            self._needs_operator(bot, item, verdict)
        else:
            self._give_up(bot, item, verdict)

    def _try_again(self, bot: Bot, item: Item, verdict: Again) -> None:
        code = verdict.error.code
        self._stats.items[item.method, "retried"] += 1
        log.warning("item_retried", item_id=item.id, method=item.method, code=code)
        not_before = self._monotonic(verdict.at)
        if code == "too_many_requests" and bot.silence(item, not_before):
            self._keep_pause(bot.integration_id, verdict.at)
        again = msgspec.structs.replace(item, attempts=verdict.attempts)
        self._put(bot, again, not_before=not_before, first=True)
        if is_worth_keeping(verdict):
            self._close(
                Closing(
                    again,
                    ItemState.CLAIMED,
                    verdict.attempts,
                    error_code=code_of(verdict.error),
                    trace=verdict.trace,
                    due_at=verdict.at,
                )
            )

    def _keep_pause(self, integration_id: int, until: datetime) -> None:
        def keep() -> None:
            Integration.objects.filter(pk=integration_id).update(paused_until=until)

        try:
            future = self._db.submit(self._db.urgent, keep)
        except VelvetError:
            return  # the item's own time is kept, or tried to be, as well
        future.add_done_callback(_look_at)

    def _move(self, bot: Bot, item: Item, new_id: int, failure: RetryLater) -> None:
        """Call again where the chat has moved to; the outcome learns of the move."""
        params = msgspec.json.decode(item.params) | {"chat_id": new_id}
        moved = msgspec.structs.replace(
            item, chat_id=new_id, params=msgspec.json.encode(params), attempts=item.attempts + 1
        )
        self._put(bot, moved, first=True)
        self._stats.items[item.method, "retried"] += 1
        told = RetryLater(failure.code, None, migrate_to_chat_id=new_id, from_chat_id=item.chat_id)
        self._close(
            Closing(
                moved,
                ItemState.CLAIMED,
                moved.attempts,
                error=told,
                error_code=code_of(failure),
            )
        )

    def _needs_operator(self, bot: Bot, item: Item, verdict: Never) -> None:
        error = verdict.error
        log.error("item_suspended", item_id=item.id, method=item.method, code=error.code)
        self._stats.items[item.method, ItemState.SUSPENDED.value] += 1
        self._close(
            Closing(
                item,
                ItemState.SUSPENDED,
                verdict.attempts,
                error=error,
                error_code=code_of(error),
                trace=verdict.trace,
            )
        )
        others = bot.in_trouble(item, error)
        self._queued -= len(others)
        for other in others:
            self._suspend(other, error)

    def _suspend(self, item: Item, error: VelvetError) -> None:
        """Put an item aside that waits for the same as another one."""
        self._stats.items[item.method, ItemState.SUSPENDED.value] += 1
        self._close(Closing(item, ItemState.SUSPENDED, item.attempts, error_code=code_of(error)))

    def _give_up(self, bot: Bot, item: Item, verdict: Never) -> None:
        error = verdict.error
        unreachable = error.code in UNREACHABLE and speaks(item)
        expected = unreachable or error.code in OVERTAKEN | NOT_STARTED
        state = ItemState.SKIPPED if expected else ItemState.DEAD
        self._stats.items[item.method, state.value] += 1
        log.warning("item_failed", item_id=item.id, method=item.method, code=error.code)
        self._close(
            Closing(
                item,
                state,
                verdict.attempts,
                error=error,
                error_code=code_of(error),
                trace="" if expected else verdict.trace,
            )
        )
        if unreachable:
            same = bot.queue.remove(lambda one: one.chat_id == item.chat_id and speaks(one))
            self._queued -= len(same)
            for other in same:
                self._stats.items[other.method, state.value] += 1
                self._close(Closing(other, state, other.attempts, error_code=code_of(error)))

    # Writing it down

    def _close(self, closing: Closing) -> None:
        self._closing += 1
        try:
            future = self._db.submit(self._close_items, closing)
        except VelvetError as error:
            self._close_later(closing, error)
        else:
            future.add_done_callback(lambda done: self._closed(closing, done))

    def _closed(self, closing: Closing, done: asyncio.Future[None]) -> None:
        error = None if done.cancelled() else done.exception()
        if error is None:
            self._closing -= 1
            if not self._closing:
                self._all_closed.set()
        else:
            self._close_later(closing, error)

    def _close_later(self, closing: Closing, error: BaseException) -> None:
        """Write again what could not be written; an outcome at fault is left out of it."""
        log.error("item_not_closed", item_id=closing.item.id, reason=type(error).__name__)
        if not isinstance(error, VelvetError):
            closing = Closing(
                closing.item,
                closing.state,
                closing.attempts,
                error_code=closing.error_code or OUTCOME_FAILED,
                trace=closing.trace or trace_of(error),
                due_at=closing.due_at,
            )
        self._closing -= 1
        asyncio.get_running_loop().call_later(_WRITE_AGAIN, self._close, closing)

    def _monotonic(self, at: datetime) -> float:
        return monotonic() + (at - self._clock()).total_seconds()


def _moved_to(item: Item, failure: RetryLater) -> int | None:
    """Tell where the chat that an item names has moved to.

    None if the failure is about another call, that for a link in a message, or if the item knows
    of the move already.
    """
    new_id = migrated_to(failure.data)
    if failure.data.get("method", item.method) != item.method:
        return None
    return None if msgspec.json.decode(item.params).get("chat_id") == new_id else new_id


def _look_at(done: asyncio.Future[None]) -> None:
    """Log a failure that nobody waits for."""
    if not done.cancelled() and (error := done.exception()) is not None:
        log.warning("pause_not_kept", reason=type(error).__name__)
