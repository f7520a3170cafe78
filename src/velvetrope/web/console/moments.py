"""Times as operators read them: UTC to the second, and how long ago."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils.html import format_html
from django.utils.safestring import SafeString

from velvetrope.gateways.clock import ShiftedClock, system_clock

if TYPE_CHECKING:
    from velvetrope.domain.clock import Clock
    from velvetrope.settings import Settings

NOTHING = SafeString("–")

_MINUTE = 60
_HOUR = 60 * _MINUTE
_DAY = 24 * _HOUR


def now() -> datetime:
    """Give the product's time, which the sandbox may have moved."""
    return _clock()()


def when(moment: datetime | None) -> SafeString:
    """Show a moment in UTC, with how long ago it was as its title."""
    if moment is None:
        return NOTHING
    utc = moment.astimezone(UTC)
    text = utc.strftime("%Y-%m-%d %H:%M:%S UTC")
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', utc.isoformat(), distance(utc), text
    )


def ago(moment: datetime | None) -> SafeString:
    """Show how long ago a moment was (or is to come), with the moment as its title."""
    if moment is None:
        return NOTHING
    utc = moment.astimezone(UTC)
    title = utc.strftime("%Y-%m-%d %H:%M:%S UTC")
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', utc.isoformat(), title, distance(utc)
    )


def distance(moment: datetime) -> str:
    seconds = (now() - moment).total_seconds()
    span = _span(timedelta(seconds=abs(seconds)))
    return f"in {span}" if seconds < 0 else f"{span} ago"


def _span(length: timedelta) -> str:
    seconds = int(length.total_seconds())
    if seconds < _MINUTE:
        return f"{seconds} s"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE} min"
    if seconds < 2 * _DAY:
        return f"{seconds // _HOUR} h"
    return f"{seconds // _DAY} days"


def _clock() -> Clock:
    configured: Settings | None = getattr(settings, "VELVETROPE", None)
    if configured is None or configured.clock_file is None:
        return system_clock
    return ShiftedClock(configured.clock_file)
