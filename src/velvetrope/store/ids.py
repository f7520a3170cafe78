"""Ids of the busy tables, made by the process and ordered by time.

So rows can refer to one another before the database has seen them.
"""

from __future__ import annotations

import secrets
import threading
import time

#: 2026-01-01T00:00:00Z in milliseconds. 41 bits of milliseconds from here last until 2095.
EPOCH_MS = 1_767_225_600_000
#: Random low bits: two processes that start in one millisecond don't walk in step.
LOW_BITS = 22

_lock = threading.Lock()
_last = 0


def new_id() -> int:
    """Give an id greater than every one given before by this process; 63 bits, never negative."""
    global _last  # noqa: PLW0603  the order of ids is a property of the process
    earliest = (time.time_ns() // 1_000_000 - EPOCH_MS) << LOW_BITS
    with _lock:
        if _last >= earliest:  # the same millisecond: asking for randomness costs a system call
            _last += 1
        else:
            _last = earliest | secrets.randbits(LOW_BITS - 2)
        return _last
