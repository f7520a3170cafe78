"""How fast a bot may speak: token buckets that never look at a clock themselves.

Telegram publishes no exact limits (facts: «Pace»), so bulk is paced below what is known, what a
person waits for goes first, and whatever Telegram says by `retry_after` is obeyed on top.
"""

from __future__ import annotations

from collections import deque
from typing import Final, Literal, TypeAlias

import msgspec

Priority: TypeAlias = Literal["answer", "grant", "bulk"]

#: Buckets are looked through for idle ones when there are twice as many as after the last look.
_SWEEP_FLOOR: Final = 1024


class Rate(msgspec.Struct, frozen=True):
    """At most `count` in any `window` seconds, of which `burst` at once."""

    count: int
    window: float
    burst: int = 1

    @property
    def interval(self) -> float:
        """Seconds between two when the burst is spent."""
        return self.window / (self.count - self.burst + 1)

    @property
    def slack(self) -> float:
        """How far ahead of its even pace a bucket may be, in seconds."""
        return self.interval * (self.burst - 1)

    @property
    def steady(self) -> Rate:
        """Allow as many in the long run, and what was late to catch up: a window bounds them."""
        return Rate(count=self.count + self.burst - 1, window=self.window, burst=self.burst)


class Limits(msgspec.Struct, frozen=True):
    """The paces of one bot.

    `everything` bounds answers, grants and bulk together, far above `bulk`: so bulk can never
    take the share of those who wait. A private chat gets a message a second in the long run.
    """

    bulk: Rate = Rate(count=30, window=1.0, burst=3)
    everything: Rate = Rate(count=2000, window=1.0, burst=200)
    private: Rate = Rate(count=64, window=60.0, burst=5)
    group: Rate = Rate(count=20, window=60.0, burst=4)


class _Bucket:
    """A bucket as one number: the time at which it would be full again at its even pace."""

    __slots__ = ("full_at",)

    def __init__(self) -> None:
        self.full_at = float("-inf")

    def open_at(self, rate: Rate) -> float:
        return self.full_at - rate.slack

    def take(self, rate: Rate, now: float) -> None:
        self.full_at = max(self.full_at, now) + rate.interval


class _Window:
    """Calls of the last window, counted from their ends: a late one doesn't meet the next ones.

    A call was at Telegram before it ended. So Telegram never sees more in any window than the rate
    allows, however long some are on their way.
    """

    __slots__ = ("_ended", "_under_way")

    def __init__(self) -> None:
        self._under_way = 0
        self._ended: deque[float] = deque()

    def open_at(self, rate: Rate, now: float) -> float:
        ended = self._ended
        while ended and ended[0] <= now - rate.window:
            ended.popleft()
        over = self._under_way + len(ended) - rate.count
        if over < 0:
            return now
        # Where all are under way, the end of one is looked for again.
        return ended[over] + rate.window if over < len(ended) else now + rate.window

    def is_empty(self, rate: Rate, now: float) -> bool:
        return not self._under_way and (not self._ended or self._ended[-1] <= now - rate.window)

    def begin(self) -> None:
        self._under_way += 1

    def end(self, now: float) -> None:
        self._under_way -= 1
        self._ended.append(now)


class Pacer:
    """The pace of one bot; all times are seconds of one clock that never runs backwards.

    `chat_id` None is a call that speaks in no chat, such as an approval.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._bulk = _Bucket()
        self._bulk_window = _Window()
        self._everything = _Bucket()
        self._chats: dict[int, _Bucket] = {}
        self._pauses: dict[int | None, float] = {}
        self._sweep_at = _SWEEP_FLOOR

    def __len__(self) -> int:
        """How many chats are remembered."""
        return len(self._chats) + len(self._pauses)

    def next_at(
        self, chat_id: int | None, *, is_group: bool, priority: Priority, now: float
    ) -> float:
        """Tell the earliest time, `now` at the earliest, at which such a call may be made."""
        at = max(now, self.paused_until(chat_id), self._everything.open_at(self._limits.everything))
        if priority == "bulk":
            bulk = self._limits.bulk
            at = max(at, self._bulk.open_at(bulk.steady), self._bulk_window.open_at(bulk, now))
        bucket = None if chat_id is None else self._chats.get(chat_id)
        return at if bucket is None else max(at, bucket.open_at(self._rate(is_group=is_group)))

    def take(self, chat_id: int | None, *, is_group: bool, priority: Priority, now: float) -> bool:
        """Take the right to make a call now; False, with nothing taken, if it is too early."""
        if self.next_at(chat_id, is_group=is_group, priority=priority, now=now) > now:
            return False
        self._count(chat_id, is_group=is_group, priority=priority, now=now)
        return True

    def count(self, chat_id: int | None, *, is_group: bool, priority: Priority, now: float) -> None:
        """Count a call that was made, such as by another process before this one."""
        self._count(chat_id, is_group=is_group, priority=priority, now=now)
        self.end(priority=priority, now=now)

    def _count(
        self, chat_id: int | None, *, is_group: bool, priority: Priority, now: float
    ) -> None:
        self._everything.take(self._limits.everything, now)
        if priority == "bulk":
            self._bulk.take(self._limits.bulk.steady, now)
            self._bulk_window.begin()
        if chat_id is not None:
            bucket = self._chats.get(chat_id)
            if bucket is None:
                self._make_room(now)
                bucket = self._chats[chat_id] = _Bucket()
            bucket.take(self._rate(is_group=is_group), now)

    def is_full(self, now: float) -> bool:
        """Tell whether every pace is as it was at the start: nobody needs to remember it."""
        return (
            max(self._everything.full_at, self._bulk.full_at) <= now
            and self._bulk_window.is_empty(self._limits.bulk, now)
            and all(bucket.full_at <= now for bucket in self._chats.values())
        )

    def end(self, *, priority: Priority, now: float) -> None:
        """Tell that a call that was taken has been made, whatever came of it."""
        if priority == "bulk":
            self._bulk_window.end(now)

    def pause(self, until: float, chat_id: int | None = None) -> None:
        """Obey a `retry_after`: for one chat, or for the whole bot; never shortens a pause."""
        self._pauses[chat_id] = max(until, self._pauses.get(chat_id, until))

    def paused_until(self, chat_id: int | None) -> float:
        """Tell until when a chat, or the whole bot, is paused; may lie in the past."""
        pauses = self._pauses
        if not pauses:
            return float("-inf")
        whole = pauses.get(None, float("-inf"))
        return whole if chat_id is None else max(whole, pauses.get(chat_id, whole))

    def forget_idle(self, now: float) -> None:
        """Drop what no longer holds anything back."""
        self._chats = {chat: at for chat, at in self._chats.items() if at.full_at > now}
        self._pauses = {chat: until for chat, until in self._pauses.items() if until > now}
        self._sweep_at = max(_SWEEP_FLOOR, 2 * len(self))

    def _make_room(self, now: float) -> None:
        if len(self) >= self._sweep_at:
            self.forget_idle(now)

    def _rate(self, *, is_group: bool) -> Rate:
        return self._limits.group if is_group else self._limits.private
