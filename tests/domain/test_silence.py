"""The more people subscribe, the sooner silence is news."""

from __future__ import annotations

from datetime import timedelta

from velvetrope.domain.silence import SHORTEST, silence_bound
from velvetrope.domain.states import Interval

DAY = timedelta(days=1)


def test_nothing_is_expected_where_nobody_subscribes() -> None:
    assert silence_bound([]) is None
    assert silence_bound([(Interval.MONTH, 1, 0), (Interval.ONE_TIME, 1, 5)]) is None


def test_one_subscriber_is_heard_of_once_in_a_period() -> None:
    assert silence_bound([(Interval.MONTH, 1, 1)]) == timedelta(days=34)
    assert silence_bound([(Interval.MONTH, 3, 1)]) == timedelta(days=96)
    assert silence_bound([(Interval.YEAR, 1, 5), (Interval.DAY, 1, 1)]) == 4 * DAY


def test_many_subscribers_make_silence_news_within_hours() -> None:
    some = silence_bound([(Interval.MONTH, 1, 100)])
    assert some is not None
    assert 2 * DAY < some < 3 * DAY
    assert silence_bound([(Interval.MONTH, 1, 10_000)]) == SHORTEST
