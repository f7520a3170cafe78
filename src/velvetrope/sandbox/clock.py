"""The time of the sandbox: the system's time plus an offset that a person may move forward.

The offset is kept in a file so that the product, which runs in another process and reads the same
file, lives at the same moment.
"""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class SandboxClock:
    """System time plus an offset in seconds, kept in `file` if one is given."""

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self._offset = 0.0
        if file is not None:
            if file.exists():
                self._offset = float(file.read_text().strip() or 0)
            self._store()

    @property
    def offset(self) -> float:
        """Seconds that the sandbox is ahead of the system."""
        return self._offset

    def time(self) -> float:
        """Give the seconds since 1970 in the sandbox."""
        return time.time() + self._offset

    def now(self) -> datetime:
        """Give the sandbox's moment, aware, in UTC."""
        return datetime.fromtimestamp(self.time(), tz=UTC)

    def advance(self, seconds: float) -> datetime:
        """Move forward by `seconds` and give the new moment; ValueError if that would go back."""
        if not 0 <= seconds < float("inf"):
            raise ValueError("The sandbox's time only moves forward.")
        self._offset += seconds
        self._store()
        return self.now()

    def _store(self) -> None:
        if self._file is None:
            return
        self._file.parent.mkdir(parents=True, exist_ok=True)
        draft = self._file.with_name(f"{self._file.name}.new")
        draft.write_text(f"{self._offset:.3f}\n")
        os.replace(draft, self._file)  # noqa: PTH105  a reader must never see half a number
