"""When something is said about what is coming."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from velvetrope.domain.access import Reason
from velvetrope.domain.civil import CivilHours
from velvetrope.domain.messages import MessageKind, MessageSettings
from velvetrope.domain.reminders import Coming, coming, next_notice, plan_reminders

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
HOURS = CivilHours(UTC, 9, 21)
SETTINGS = MessageSettings()
KINDS = st.sampled_from([MessageKind.TRIAL_ENDS, MessageKind.ACCESS_ENDS])


def what(reason: Reason, *, paused: bool = False, days: int | None = 365) -> MessageKind | None:
    found = coming(
        reason,
        period_end=NOW + 30 * DAY,
        ends_at=NOW + 20 * DAY,
        trial_end=NOW + 10 * DAY,
        grace_end=NOW + 7 * DAY,
        collection_paused=paused,
        paid_for=None if days is None else timedelta(days=days),
        settings=SETTINGS,
    )
    return None if found is None else found.kind


def test_each_reason_announces_its_own_end() -> None:
    assert what(Reason.TRIAL) is MessageKind.TRIAL_ENDS
    assert what(Reason.EXPIRING) is MessageKind.ACCESS_ENDS
    assert what(Reason.GRACE) is MessageKind.GRACE_ENDS
    assert what(Reason.PAID) is MessageKind.ACCESS_ENDS
    assert what(Reason.GRANTED) is MessageKind.ACCESS_ENDS
    assert what(Reason.ACTIVE) is MessageKind.RENEWS_ON
    assert what(Reason.UNKNOWN_STATUS) is None


def test_short_periods_renew_without_a_word_and_so_does_what_is_not_collected() -> None:
    assert what(Reason.ACTIVE, days=30) is None
    assert what(Reason.ACTIVE, days=180) is MessageKind.RENEWS_ON
    assert what(Reason.ACTIVE, days=None) is None
    assert what(Reason.ACTIVE, paused=True) is None
    assert what(Reason.TRIAL, paused=True) is None


def test_each_reminder_is_of_use_until_the_day_of_the_next_one() -> None:
    end = NOW + 10 * DAY
    first, second = plan_reminders(Coming(MessageKind.ACCESS_ENDS, end), SETTINGS, HOURS)
    midnight = datetime(2027, 3, 10, tzinfo=UTC)
    assert (first.days, first.at, first.until) == (3, end - 3 * DAY, midnight)
    assert (second.days, second.at, second.until) == (1, end - DAY, end)


@given(
    st.datetimes(
        min_value=datetime(2027, 1, 1),  # noqa: DTZ001  made aware beside it
        max_value=datetime(2028, 1, 1),  # noqa: DTZ001  the same
        timezones=st.just(UTC),
    ),
    st.sets(st.integers(1, 60), min_size=1, max_size=5),
    KINDS,
)
def test_reminders_come_one_after_the_other_and_before_what_they_announce(
    end: datetime, days: set[int], kind: MessageKind
) -> None:
    settings = SETTINGS.changed({f"{kind.value}_days": list(days)})
    found = plan_reminders(Coming(kind, end), settings, HOURS)
    assert [one.days for one in found] == sorted(days, reverse=True)
    assert all(one.at < one.until for one in found)
    for before, after in pairwise(found):
        assert before.until.date() == after.at.date()
        assert before.until <= after.at
    assert found[-1].until == end


def test_a_kind_that_is_off_has_no_reminders() -> None:
    settings = SETTINGS.changed({"access_ends": False})
    assert plan_reminders(Coming(MessageKind.ACCESS_ENDS, NOW), settings, HOURS) == ()


def test_what_is_overdue_stays_planned_and_what_was_past_from_the_start_is_not_said() -> None:
    end = NOW + 2 * DAY
    found = plan_reminders(Coming(MessageKind.ACCESS_ENDS, end), SETTINGS, HOURS)
    missed, coming_one = found
    assert missed.at < NOW < coming_one.at
    assert next_notice(found, None, NOW) == coming_one.at
    assert next_notice(found, missed.at, NOW) == missed.at
    assert next_notice(found, NOW - 5 * DAY, NOW) == coming_one.at
    assert next_notice((), missed.at, NOW) is None
