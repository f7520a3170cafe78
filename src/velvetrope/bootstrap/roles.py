"""Which part of the work a process does."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    ALL = "all"  # everything
    WEB = "web"  # takes webhooks in, shows the console, leaves the work to others
    WORKER = "worker"  # does the work, and answers nothing but questions about itself

    @property
    def works(self) -> bool:
        return self is not Role.WEB

    @property
    def is_reached(self) -> bool:
        """Whether the outside reaches it: vendors, operators, programs."""
        return self is not Role.WORKER
