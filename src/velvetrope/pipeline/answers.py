"""What follows from an answer of the Bot API: done, again, elsewhere, put aside or given up."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

import msgspec
import structlog

from velvetrope.domain.errors import RetryLater
from velvetrope.domain.states import ItemState
from velvetrope.gateways.telegram.errors import UNREACHABLE, migrated_to
from velvetrope.pipeline.bot_queue import speaks
from velvetrope.pipeline.bots import loop_time
from velvetrope.pipeline.closing import NOT_WANTED, Closing
from velvetrope.pipeline.verdicts import Again, Never, code_of, is_worth_keeping, judge

if TYPE_CHECKING:
    from random import Random

    from velvetrope.domain.backoff import Backoff
    from velvetrope.domain.clock import Clock
    from velvetrope.domain.errors import VelvetError
    from velvetrope.pipeline.bookkeeping import Bookkeeper
    from velvetrope.pipeline.bots import Bot, Bots
    from velvetrope.pipeline.events import Item
    from velvetrope.pipeline.stats import Stats

log = structlog.get_logger()

#: Ends that are nobody's fault: a person who never pressed /start, or took it back, is written to
#: once they do; somebody else answered the request, or nobody waits for the answer any more.
_EXPECTED: Final = frozenset({"cannot_initiate", "query_expired", "request_missing"})


class Answers:
    """Decides what follows and has it written down; all methods belong to the event loop."""

    def __init__(
        self,
        bots: Bots,
        books: Bookkeeper,
        clock: Clock,
        stats: Stats,
        rng: Random,
        backoff: Backoff,
    ) -> None:
        self._bots = bots
        self._books = books
        self._clock = clock
        self._stats = stats
        self._rng = rng
        self._backoff = backoff

    def leave(self, item: Item, until: Item | datetime | None) -> None:
        """Don't make a call: not before some time, when it is taken up again, or not at all."""
        if isinstance(until, datetime):
            self._books.close(Closing(item, ItemState.PENDING, item.attempts, due_at=until))
            return
        self._stats.items[item.method, ItemState.SKIPPED.value] += 1
        log.info("item_overtaken", item_id=item.id, method=item.method)
        self._books.close(Closing(item, ItemState.SKIPPED, item.attempts, error_code=NOT_WANTED))

    def sent(self, item: Item, result: msgspec.Raw | None) -> None:
        self._stats.items[item.method, ItemState.SENT.value] += 1
        answer = msgspec.Raw(b"true") if result is None else result
        self._books.close(Closing(item, ItemState.SENT, item.attempts + 1, result=answer))

    def failed(self, bot: Bot, item: Item, failure: Exception) -> None:
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
        not_before = loop_time(verdict.at, self._clock())
        if code == "too_many_requests" and bot.silence(item, not_before):
            self._books.keep_pause(bot.integration_id, verdict.at)
        again = msgspec.structs.replace(item, attempts=verdict.attempts)
        self._bots.put(bot, again, not_before=not_before, first=True)
        if is_worth_keeping(verdict):
            self._books.close(
                Closing(
                    again,
                    ItemState.CLAIMED,
                    verdict.attempts,
                    error_code=code_of(verdict.error),
                    trace=verdict.trace,
                    due_at=verdict.at,
                )
            )

    def _move(self, bot: Bot, item: Item, new_id: int, failure: RetryLater) -> None:
        """Call again where the chat has moved to; the outcome learns of the move."""
        params = msgspec.json.decode(item.params) | {"chat_id": new_id}
        moved = msgspec.structs.replace(
            item, chat_id=new_id, params=msgspec.json.encode(params), attempts=item.attempts + 1
        )
        self._bots.put(bot, moved, first=True)
        self._stats.items[item.method, "retried"] += 1
        told = RetryLater(failure.code, None, migrate_to_chat_id=new_id, from_chat_id=item.chat_id)
        self._books.close(
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
        self._books.close(
            Closing(
                item,
                ItemState.SUSPENDED,
                verdict.attempts,
                error=error,
                error_code=code_of(error),
                trace=verdict.trace,
            )
        )
        for other in self._bots.in_trouble(bot, item, error):
            self.suspend(other, error)

    def suspend(self, item: Item, error: VelvetError) -> None:
        """Put an item aside that waits for the same as another one."""
        self._stats.items[item.method, ItemState.SUSPENDED.value] += 1
        self._books.close(
            Closing(item, ItemState.SUSPENDED, item.attempts, error_code=code_of(error))
        )

    def _give_up(self, bot: Bot, item: Item, verdict: Never) -> None:
        error = verdict.error
        unreachable = error.code in UNREACHABLE and speaks(item)
        expected = unreachable or error.code in _EXPECTED
        state = ItemState.SKIPPED if expected else ItemState.DEAD
        self._stats.items[item.method, state.value] += 1
        log.warning("item_failed", item_id=item.id, method=item.method, code=error.code)
        self._books.close(
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
            for other in self._bots.remove(
                bot, lambda one: one.chat_id == item.chat_id and speaks(one)
            ):
                self._stats.items[other.method, state.value] += 1
                self._books.close(Closing(other, state, other.attempts, error_code=code_of(error)))


def _moved_to(item: Item, failure: RetryLater) -> int | None:
    """Tell where the chat that an item names has moved to.

    None if the failure is about another call, that for a link in a message, or if the item knows
    of the move already.
    """
    new_id = migrated_to(failure.data)
    if failure.data.get("method", item.method) != item.method:
        return None
    return None if msgspec.json.decode(item.params).get("chat_id") == new_id else new_id
