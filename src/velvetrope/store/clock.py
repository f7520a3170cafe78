"""What time it is for code that is given no clock: the console's and the command line's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings

if TYPE_CHECKING:
    from datetime import datetime

    from velvetrope.domain.clock import Clock


def present() -> datetime:
    """Give the present as the whole installation sees it; in a sandbox that is not the system's."""
    clock: Clock = settings.VELVETROPE_CLOCK
    return clock()
