"""What time alone gives a reason to say of one entitlement, and when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from velvetrope.domain.access import Reason
from velvetrope.domain.messages import MessageKind, MessageSettings

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime, timedelta

    from velvetrope.domain.civil import CivilHours


@dataclass(frozen=True, slots=True)
class Coming:
    """What is going to happen to an entitlement by itself: the kind that announces it, and when."""

    kind: MessageKind
    at: datetime


@dataclass(frozen=True, slots=True)
class Reminder:
    """One message about what is coming; `at` is civil, from `until` on it is of no use."""

    kind: MessageKind
    #: How many days before it is to be said.
    days: int
    at: datetime
    until: datetime
    #: What it announces.
    about: datetime


def coming(
    reason: Reason,
    *,
    period_end: datetime | None,
    ends_at: datetime | None,
    trial_end: datetime | None,
    grace_end: datetime | None,
    collection_paused: bool,
    paid_for: timedelta | None,
    settings: MessageSettings,
) -> Coming | None:
    """Tell what comes next to an entitlement that is open for `reason`; None if nothing does.

    `paid_for` is how long the plan is paid for at once; None for what is not renewed.
    """
    match reason:
        case Reason.TRIAL if trial_end is not None and not collection_paused:
            return Coming(MessageKind.TRIAL_ENDS, trial_end)
        case Reason.EXPIRING if ends_at is not None:
            return Coming(MessageKind.ACCESS_ENDS, ends_at)
        case Reason.GRACE if grace_end is not None:
            return Coming(MessageKind.GRACE_ENDS, grace_end)
        case Reason.PAID | Reason.GRANTED if period_end is not None:
            return Coming(MessageKind.ACCESS_ENDS, period_end)
        case Reason.ACTIVE if period_end is not None and not collection_paused:
            long = paid_for is not None and paid_for.days >= settings.renews_on_from
            return Coming(MessageKind.RENEWS_ON, period_end) if long else None
        case _:
            return None


def plan_reminders(
    what: Coming | None, settings: MessageSettings, hours: CivilHours
) -> tuple[Reminder, ...]:
    """Give the messages that announce it, the earliest first.

    On the day of the next one it is too late for the one before: both would say the same.
    """
    if what is None or not settings.days_of(what.kind):
        return ()
    times = [(days, hours.days_before(what.at, days)) for days in settings.days_of(what.kind)]
    ends = [hours.start_of_day(at) for _, at in times[1:]] + [what.at]
    return tuple(
        Reminder(what.kind, days, at, until, what.at)
        for (days, at), until in zip(times, ends, strict=True)
        if at < until
    )


def next_notice(
    reminders: Iterable[Reminder], planned: datetime | None, now: datetime
) -> datetime | None:
    """Give when to write next; None if there is nothing to say.

    What was planned before and is overdue stays planned. What would have had to be said before its
    reason was known is left out: somebody who buys or cancels has just read the date.
    """
    times = [one.at for one in reminders if one.at > now or one.at == planned]
    return min(times, default=None)
