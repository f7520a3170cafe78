"""Bots while they have something to say: calls that wait, the client, what keeps one silent."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Final, Protocol

from velvetrope.domain.errors import NeedsOperator, Permanent
from velvetrope.gateways.telegram.pacing import Pacer
from velvetrope.pipeline.bot_queue import BotQueue

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    import msgspec

    from velvetrope.domain.errors import VelvetError
    from velvetrope.pipeline.events import Item
    from velvetrope.store.catalogue import IntegrationView
    from velvetrope.store.encryption import Secret

#: Seconds for which a bot's token and switch are taken for what they were.
BOT_AGE: Final = 2.0

#: Seconds after which a bot that has nothing to say is forgotten; every pace is full by then.
IDLE_AGE: Final = 120.0

#: Seconds without a call after which another process may make the bot's calls.
LINGERS: Final = 3.0

#: These concern the bot as a whole, other ones that need an operator concern one chat.
_WHOLE_BOT: Final = frozenset({"bot_unauthorized", "bot_not_found", "conflict", "bot_inactive"})


class Performed(Protocol):
    @property
    def result(self) -> msgspec.Raw | None:
        """Telegram's answer as JSON text; None if there was nothing left to do."""


class Caller(Protocol):
    """One bot at the Bot API."""

    async def perform(self, method: str, params: Mapping[str, object]) -> Performed: ...


class Bot:
    """All methods belong to the event loop."""

    def __init__(self, integration_id: int) -> None:
        self.integration_id = integration_id
        self.queue = BotQueue(Pacer())
        self.in_flight = 0
        self.timer: asyncio.TimerHandle | None = None
        #: When the last call ended, or its first one came.
        self.used_at = monotonic()
        #: Whether another process makes its calls by now.
        self.is_gone = False
        self._caller: Caller | None = None
        self._known_at = float("-inf")
        #: What an operator has to mend before the bot, or a chat, is called again.
        self._trouble: VelvetError | None = None
        self._chat_troubles: dict[int, VelvetError] = {}
        #: Until when groups are to be left alone, as Telegram asked.
        self._quiet_groups: dict[int, float] = {}

    @property
    def remote(self) -> str:
        """The name of the breaker."""
        return f"telegram:{self.integration_id}"

    def is_idle(self, now: float) -> bool:
        """Tell whether forgetting the bot changes nothing: even its paces are full again."""
        return (
            not self.in_flight
            and not len(self.queue)
            and self._trouble is None
            and not self._chat_troubles
            and now - self._known_at > IDLE_AGE
            and self.queue.pacer.paused_until(None) < now
            and all(until < now for until in self._quiet_groups.values())
        )

    def is_resting(self, now: float) -> bool:
        """Tell whether another process could go on without knowing what this one did."""
        return (
            not self.in_flight
            and not len(self.queue)
            and now - self.used_at > LINGERS
            and self._trouble is None
            and not self._chat_troubles
            and all(until < now for until in self._quiet_groups.values())
            and self.queue.pacer.is_full(now)
        )

    def known_caller(self) -> Caller | None:
        """Give the client if it was looked at a moment ago: its token or switch may change."""
        return self._caller if monotonic() - self._known_at < BOT_AGE else None

    def know(self, view: IntegrationView | None, make: Callable[[Secret], Caller]) -> Caller:
        """Take note of what the bot is configured to be; raises if it isn't to be used."""
        if view is None:
            raise Permanent("integration_gone")
        if not view.active:
            raise NeedsOperator("bot_inactive")
        self._caller, self._known_at = make(view.token), monotonic()
        return self._caller

    def trouble_for(self, item: Item) -> VelvetError | None:
        """Tell what keeps an item from being sent, if anything."""
        return self._trouble or self._chat_troubles.get(item.chat_id)

    def mended(self, item: Item) -> None:
        """Forget what kept such an item from being sent."""
        self._trouble = None
        self._known_at = float("-inf")
        self._chat_troubles.pop(item.chat_id, None)

    def in_trouble(self, item: Item, error: VelvetError) -> list[Item]:
        """Remember what an operator has to mend; gives the other items that wait for it."""
        if error.code in _WHOLE_BOT:
            self._trouble = error
            return self.queue.remove(lambda _: True)
        if item.chat_id < 0:
            self._chat_troubles[item.chat_id] = error
            return self.queue.remove(lambda other: other.chat_id == item.chat_id)
        return []

    def silence(self, item: Item, until: float) -> bool:
        """Obey a `retry_after`; tells whether the whole bot keeps silent, or only a group.

        Telegram doesn't say which it means, but counts groups by themselves. A second group that
        is told so while the first waits means that it is the bot.
        """
        now = monotonic()
        self._quiet_groups = {chat: at for chat, at in self._quiet_groups.items() if at > now}
        others = self._quiet_groups.keys() - {item.chat_id}
        if item.chat_id < 0 and not others:
            self._quiet_groups[item.chat_id] = until
            self.queue.pacer.pause(until, item.chat_id)
            return False
        self.queue.pacer.pause(until)
        return True


class Bots:
    """The bots of this process, and how many of their calls wait; belongs to the event loop."""

    def __init__(self) -> None:
        self._bots: dict[int, Bot] = {}
        self._look_for_idle_at = 0.0
        #: Counted along, since it is asked for after every commit.
        self.queued = 0

    def __iter__(self) -> Iterator[Bot]:
        return iter(self._bots.values())

    def of(self, integration_id: int) -> Bot:
        bot = self._bots.get(integration_id)
        if bot is None:
            bot = self._bots[integration_id] = Bot(integration_id)
        return bot

    def put(
        self, bot: Bot, item: Item, *, not_before: float = float("-inf"), first: bool = False
    ) -> None:
        """Queue a call up, in front of the others of its key if it is tried again."""
        if bot.is_gone:
            return
        bot.queue.put(item, not_before=not_before, first=first)
        self.queued += 1

    def take(self, bot: Bot, now: float) -> Item | None:
        """Take the next call that may be made now, if any."""
        item = bot.queue.take(now)
        if item is not None:
            self.queued -= 1
        return item

    def remove(self, bot: Bot, which: Callable[[Item], bool]) -> list[Item]:
        """Take the calls of a kind out of a bot's queue."""
        removed = bot.queue.remove(which)
        self.queued -= len(removed)
        return removed

    def in_trouble(self, bot: Bot, item: Item, error: VelvetError) -> list[Item]:
        """Remember what an operator has to mend; gives the other calls that wait for it."""
        removed = bot.in_trouble(item, error)
        self.queued -= len(removed)
        return removed

    def resting(self) -> list[int]:
        """Give those that another process could take over."""
        now = monotonic()
        return [key for key, bot in self._bots.items() if bot.is_resting(now)]

    def forget(self, integration_id: int) -> None:
        """Forget a bot whose calls another process makes from now on."""
        bot = self._bots.pop(integration_id, None)
        if bot is not None:
            bot.is_gone = True
            if bot.timer is not None:
                bot.timer.cancel()
            self.remove(bot, lambda _: True)

    def forget_all(self) -> None:
        for key in list(self._bots):
            self.forget(key)

    def forget_idle(self) -> None:
        """Forget bots that have had nothing to say for a while; looks once in a while only."""
        now = monotonic()
        if now >= self._look_for_idle_at:
            self._look_for_idle_at = now + IDLE_AGE / 2
            self._bots = {key: bot for key, bot in self._bots.items() if not bot.is_idle(now)}


def loop_time(at: datetime, now: datetime) -> float:
    """Tell when on the clock of queues and paces, which never runs backwards, a moment is."""
    return monotonic() + (at - now).total_seconds()
