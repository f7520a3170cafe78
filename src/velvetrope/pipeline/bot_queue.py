"""The calls that wait for one bot: who is next, and when.

Grants go before answers, answers before bulk; within one of them a person's messages keep their
order, and different people take turns.
"""

from __future__ import annotations

import heapq
from collections import deque
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Final, TypeAlias, cast

from velvetrope.domain.states import Priority

if TYPE_CHECKING:
    from collections.abc import Callable

    from velvetrope.gateways.telegram.pacing import Pacer
    from velvetrope.gateways.telegram.pacing import Priority as PacedPriority
    from velvetrope.pipeline.events import Item

#: What runs one at a time: a chat, or for calls that speak in no chat (chat, customer).
Key: TypeAlias = int | tuple[int, int | None]

_SPEAKING: Final = ("send", "copy", "forward", "edit")
_ORDER: Final = (Priority.GRANT.value, Priority.ANSWER.value, Priority.BULK.value)


def speaks(item: Item) -> bool:
    """Tell messages, which the limits of a chat count, from other calls."""
    return item.method.startswith(_SPEAKING)


def key_of(item: Item) -> Key:
    return item.chat_id if speaks(item) else (item.chat_id, item.customer_id)


@dataclass(slots=True)
class _Entry:
    item: Item
    not_before: float


class _Level:
    """The calls of one priority; a key is queued if it stands in `ready` or waits for its time."""

    __slots__ = ("entries", "priority", "queued", "ready")

    def __init__(self, priority: str) -> None:
        self.priority = cast("PacedPriority", priority)
        self.entries: dict[Key, deque[_Entry]] = {}
        self.ready: deque[Key] = deque()
        self.queued: set[Key] = set()

    def queue(self, key: Key) -> None:
        if key not in self.queued:
            self.queued.add(key)
            self.ready.append(key)


class BotQueue:
    """All times are seconds of one clock that never runs backwards."""

    def __init__(self, pacer: Pacer) -> None:
        self.pacer = pacer
        self._levels = {priority: _Level(priority) for priority in _ORDER}
        self._busy: set[Key] = set()
        self._waiting: list[tuple[float, int, str, Key]] = []
        self._ticket = count()
        self._length = 0
        #: When `take` may give something though it just gave nothing; None: not by time alone.
        self.wake_at: float | None = None

    def __len__(self) -> int:
        return self._length

    def put(self, item: Item, *, not_before: float = float("-inf"), first: bool = False) -> None:
        """Queue a call up, in front of the others of its key if it is tried again."""
        level, key = self._levels[item.priority], key_of(item)
        entries = level.entries.setdefault(key, deque())
        (entries.appendleft if first else entries.append)(_Entry(item, not_before))
        self._length += 1
        if key not in self._busy:
            level.queue(key)

    def take(self, now: float) -> Item | None:
        """Take the next call that may be made now; its key is busy until `free`."""
        while self._waiting and self._waiting[0][0] <= now:
            _, _, priority, key = heapq.heappop(self._waiting)
            self._levels[priority].ready.append(key)
        self.wake_at = None
        for level in self._levels.values():
            if not level.ready:
                continue
            at = self.pacer.next_at(None, is_group=False, priority=level.priority, now=now)
            if at > now:
                self._wake_by(at)
                continue
            item = self._take_from(level, now)
            if item is not None:
                return item
        if self._waiting:
            self._wake_by(self._waiting[0][0])
        return None

    def free(self, item: Item, now: float) -> None:
        """Let the next call of the same key go, after the item's was made."""
        self.pacer.end(priority=self._levels[item.priority].priority, now=now)
        key = key_of(item)
        self._busy.discard(key)
        for level in self._levels.values():
            if key in level.entries:
                level.queue(key)

    def remove(self, wanted: Callable[[Item], bool]) -> list[Item]:
        """Take out all calls that are wanted, oldest first in each priority."""
        removed: list[Item] = []
        for level in self._levels.values():
            for key, entries in list(level.entries.items()):
                found = [entry.item for entry in entries if wanted(entry.item)]
                if not found:
                    continue
                removed += found
                left = deque(entry for entry in entries if not wanted(entry.item))
                if left:
                    level.entries[key] = left
                else:
                    del level.entries[key]
        self._length -= len(removed)
        return removed

    def _take_from(self, level: _Level, now: float) -> Item | None:
        while level.ready:
            key = level.ready.popleft()
            level.queued.discard(key)
            entries = level.entries.get(key)
            if entries is None or key in self._busy:
                continue
            item = entries[0].item
            chat_id = item.chat_id if speaks(item) else None
            is_group = item.chat_id < 0
            at = max(
                entries[0].not_before,
                self.pacer.paused_until(item.chat_id),
                self.pacer.next_at(chat_id, is_group=is_group, priority=level.priority, now=now),
            )
            if at > now:
                level.queued.add(key)
                heapq.heappush(self._waiting, (at, next(self._ticket), level.priority, key))
                continue
            self.pacer.take(chat_id, is_group=is_group, priority=level.priority, now=now)
            entries.popleft()
            if not entries:
                del level.entries[key]
            self._busy.add(key)
            self._length -= 1
            return item
        return None

    def _wake_by(self, at: float) -> None:
        self.wake_at = at if self.wake_at is None else min(self.wake_at, at)
