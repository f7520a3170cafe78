"""Billing periods in calendar steps from an anchor, as Stripe counts them (UTC)."""

from __future__ import annotations

import calendar
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from velvetrope.sandbox.stripe.shapes import Obj

_MONTHS = {"month": 1, "year": 12}
_DAYS = {"day": 1, "week": 7}


def step(anchor: int, interval: str, count: int) -> int:
    """Give the moment `count` intervals after `anchor`; a short month ends the step early."""
    moment = datetime.fromtimestamp(anchor, tz=UTC)
    if interval in _DAYS:
        return int((moment + timedelta(days=_DAYS[interval] * count)).timestamp())
    month = moment.month - 1 + _MONTHS[interval] * count
    year, month = moment.year + month // 12, month % 12 + 1
    day = min(moment.day, calendar.monthrange(year, month)[1])
    return int(moment.replace(year=year, month=month, day=day).timestamp())


def end_after(anchor: int, start: int, recurring: Obj) -> int:
    """Give the end of the period that begins at `start`: the first step from `anchor` after it."""
    interval, every = recurring["interval"], recurring["interval_count"]
    length = step(anchor, interval, every) - anchor
    count = max(1, (start - anchor) // max(length, 1) - 2)
    while (end := step(anchor, interval, every * count)) <= start:
        count += 1
    return end
