"""A bounded, numbered record of what happened, cheap to write and readable from any point."""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator

T = TypeVar("T")


class Journal(Generic[T]):
    """The last `size` records, numbered from 1; old ones fall off."""

    def __init__(self, size: int) -> None:
        self._records: deque[T] = deque(maxlen=size)
        self.last = 0

    def append(self, record: T) -> int:
        """Keep `record` and give its number."""
        self.last += 1
        self._records.append(record)
        return self.last

    def after(self, number: int, limit: int = 1000) -> Iterator[tuple[int, T]]:
        """Give up to `limit` records that came after `number`, oldest first, with their numbers."""
        first = self.last - len(self._records) + 1
        start = max(number + 1, first)
        return enumerate(islice(self._records, start - first, start - first + limit), start)
