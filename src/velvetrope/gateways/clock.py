"""The clocks that the product can run on."""

from __future__ import annotations

import contextlib
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from velvetrope.domain.clock import Clock

#: How long a read of the shift is trusted, in seconds: a look at the file costs a system call.
SHIFT_TRUSTED = 0.05


def system_clock() -> datetime:
    return datetime.now(UTC)


def clock_of(shift: Path | None) -> Clock:
    """Give the clock that the installation runs on; `shift` is the file of a sandbox's time."""
    return system_clock if shift is None else ShiftedClock(shift)


class ShiftedClock:
    """System time plus the seconds written in a file: the sandbox moves time by writing it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._shift = timedelta()
        self._read_at = float("-inf")

    def __call__(self) -> datetime:
        now = time.monotonic()
        if now - self._read_at > SHIFT_TRUSTED:
            self._read_at = now
            # Not written yet, or being written: the last shift stands until the next look.
            with contextlib.suppress(OSError, ValueError):
                self._shift = timedelta(seconds=float(self._path.read_text(encoding="ascii")))
        return datetime.now(UTC) + self._shift
