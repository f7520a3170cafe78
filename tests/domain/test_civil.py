"""Civil hours in every time zone there is, over the days when clocks are put forward and back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from velvetrope.domain.civil import CivilHours, zone_of

#: Years in which no zone skips a whole day.
MOMENTS = st.datetimes(
    min_value=datetime(2024, 1, 1),  # noqa: DTZ001  made aware below
    max_value=datetime(2035, 1, 1),  # noqa: DTZ001  the same
    timezones=st.just(UTC),
)
ZONES = st.sampled_from(sorted(available_timezones() - {"localtime"})).map(zone_of)
HOURS = st.integers(0, 21).flatmap(
    lambda first: st.integers(first + 3, 24).map(lambda end: (first, end))
)
CIVIL = st.builds(lambda zone, hours: CivilHours(zone, *hours), ZONES, HOURS)


@given(CIVIL, MOMENTS, st.integers(1, 60))
def test_a_reminder_is_planned_for_a_civil_hour_of_the_day_it_is_for(
    civil: CivilHours, moment: datetime, days: int
) -> None:
    planned = civil.days_before(moment, days)
    assert civil.holds(planned)
    local, about = planned.astimezone(civil.zone), moment.astimezone(civil.zone)
    assert about.date() - local.date() == timedelta(days=days)
    assert planned < moment


@given(CIVIL, MOMENTS)
def test_what_comes_too_late_waits_for_the_next_civil_hour_and_no_longer(
    civil: CivilHours, moment: datetime
) -> None:
    later = civil.next_from(moment)
    assert civil.holds(later)
    assert moment <= later < moment + timedelta(hours=25)
    if civil.holds(moment):
        assert later == moment
    else:
        assert not civil.holds(later - timedelta(seconds=1))


@pytest.mark.parametrize(
    ("zone", "moment", "planned"),
    [
        # The clocks of Kyiv go forward on 28 March 2027 and back on 31 October.
        ("Europe/Kyiv", "2027-03-30T12:00+03:00", "2027-03-27T12:00+02:00"),
        ("Europe/Kyiv", "2027-11-02T03:00+02:00", "2027-10-30T09:00+03:00"),
        ("America/New_York", "2027-03-16T23:30-04:00", "2027-03-13T20:00-05:00"),
        ("Asia/Kathmandu", "2027-03-16T05:00+05:45", "2027-03-13T09:00+05:45"),
    ],
)
def test_three_days_before_is_counted_by_the_calendar_of_the_place(
    zone: str, moment: str, planned: str
) -> None:
    civil = CivilHours(zone_of(zone), 9, 21)
    found = civil.days_before(datetime.fromisoformat(moment), 3)
    assert found == datetime.fromisoformat(planned)


def test_a_zone_that_the_machine_does_not_know_counts_as_utc() -> None:
    assert zone_of("Moon/Tranquility") is UTC
