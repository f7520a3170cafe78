"""A lock that is given to those who wait in the order in which they came."""

from __future__ import annotations

import threading
from collections import deque


class FairLock:
    """A first-come-first-served lock; whoever holds it may release it from any thread.

    SQLite's own waiting is a poll with growing pauses, so that a busy writer is met by luck only.
    """

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._held = False
        self._waiting: deque[threading.Lock] = deque()

    def acquire(self, timeout: float) -> bool:
        """Wait at most `timeout` seconds; tell whether the lock is now held."""
        with self._mutex:
            if not self._held:
                self._held = True
                return True
            turn = threading.Lock()
            turn.acquire()
            self._waiting.append(turn)
        if turn.acquire(timeout=timeout):
            return True
        with self._mutex:
            if turn in self._waiting:
                self._waiting.remove(turn)
                return False
        return True  # it was handed over at the very end

    def release(self) -> None:
        """Hand the lock over to who waits longest."""
        with self._mutex:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._held = False


_locks: dict[str, FairLock] = {}
_locks_mutex = threading.Lock()


def lock_of(path: str) -> FairLock:
    """Give this process's one lock for a database file."""
    with _locks_mutex:
        return _locks.setdefault(path, FairLock())
