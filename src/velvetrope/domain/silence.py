"""How long Stripe may say nothing while people subscribe, before that is news."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from velvetrope.domain.states import Interval

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Nobody is told earlier, however many people subscribe.
SHORTEST: Final = timedelta(hours=6)
#: Renewals that are left out one after another by chance once in a thousand times.
EXPECTED: Final = 7
#: How late the renewal of a single subscription may be.
LATE: Final = timedelta(days=3)

_LENGTHS: Final = {
    Interval.DAY: timedelta(days=1),
    Interval.WEEK: timedelta(weeks=1),
    Interval.MONTH: timedelta(days=31),
    Interval.YEAR: timedelta(days=366),
}


def silence_bound(subscriptions: Iterable[tuple[Interval, int, int]]) -> timedelta | None:
    """Tell after which silence something is wrong; None if nothing is to be heard at all.

    `subscriptions` are (interval, how many of it make a period, how many people subscribe so).
    """
    periods = [
        (_LENGTHS[interval] * max(times, 1), people)
        for interval, times, people in subscriptions
        if interval in _LENGTHS and people > 0
    ]
    if not periods:
        return None
    each_hour = sum(people / (period / timedelta(hours=1)) for period, people in periods)
    likely = timedelta(hours=EXPECTED / each_hour)
    shortest = min(period for period, _ in periods) + LATE
    return max(SHORTEST, min(likely, shortest))
