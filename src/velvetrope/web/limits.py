"""Token buckets whose number is bounded: a flood of addresses doesn't fill the memory."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Hashable

    K = TypeVar("K", bound=Hashable)
else:
    K = TypeVar("K")

#: Buckets that are remembered; the one that wasn't used for longest is forgotten first.
MOST_BUCKETS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `burst` at once and `per_second` in the long run."""

    per_second: float
    burst: float

    @classmethod
    def per_minute(cls, count: int) -> Rate:
        return cls(count / 60.0, count)


class Buckets(Generic[K]):
    """One bucket for each key; `now` is in seconds of a clock that never runs backwards."""

    def __init__(self, rate: Rate, *, most: int = MOST_BUCKETS) -> None:
        self._rate = rate
        self._most = most
        self._levels: OrderedDict[K, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._levels)

    def take(self, key: K, now: float) -> bool:
        """Take a token if there is one."""
        level = self._level(key, now)
        left = level - 1.0 if level >= 1.0 else level
        self._levels[key] = (left, now)
        self._levels.move_to_end(key)
        if len(self._levels) > self._most:
            self._levels.popitem(last=False)
        return level >= 1.0

    def is_spent(self, key: K, now: float) -> bool:
        """Tell whether there is no token, without taking one."""
        return key in self._levels and self._level(key, now) < 1.0

    def retry_after(self, key: K, now: float) -> int:
        """Tell in how many whole seconds there is a token again, at least one."""
        missing = 1.0 - self._level(key, now)
        return max(1, int(missing / self._rate.per_second + 0.999))

    def _level(self, key: K, now: float) -> float:
        known = self._levels.get(key)
        if known is None:
            return self._rate.burst
        level, at = known
        return min(self._rate.burst, level + (now - at) * self._rate.per_second)
