"""When time gives a reason to write about an entitlement, from its row and the settings."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from velvetrope.domain import reminders
from velvetrope.domain.access import Reason
from velvetrope.domain.civil import CivilHours, zone_of
from velvetrope.domain.states import EntitlementKind, Interval

if TYPE_CHECKING:
    from datetime import datetime

    from velvetrope.domain.reminders import Coming, Reminder
    from velvetrope.pipeline.work import Work
    from velvetrope.store.catalogue import IntegrationView, PlanView
    from velvetrope.store.models import Entitlement

#: Near enough to tell long periods from short ones.
_LENGTHS: Final = {Interval.DAY: 1, Interval.WEEK: 7, Interval.MONTH: 30, Interval.YEAR: 365}


def next_notice_at(work: Work, row: Entitlement) -> datetime | None:
    """Give when to write next about a row that has just been decided."""
    customer = work.customer_by_id(row.customer_id)
    if customer is None:
        return None
    view = work.integration(customer.integration_id)
    return reminders.next_notice(reminders_of(view, row), row.notice_at, work.now)


def reminders_of(view: IntegrationView, row: Entitlement) -> tuple[Reminder, ...]:
    """Give all messages that announce what is coming to a row, those of the past included."""
    return reminders.plan_reminders(coming_to(view, row), view.messages, hours_of(view))


def coming_to(view: IntegrationView, row: Entitlement) -> Coming | None:
    if not row.holds or row.reason not in {*Reason}:
        return None
    plan = view.plan(row.plan_id)
    return reminders.coming(
        Reason(row.reason),
        period_end=row.period_end,
        ends_at=row.ends_at,
        trial_end=row.trial_end,
        grace_end=grace_end_of(view, row),
        collection_paused=row.collection_paused,
        paid_for=None if plan is None else _paid_for(row, plan),
        settings=view.messages,
    )


def grace_end_of(view: IntegrationView, row: Entitlement) -> datetime | None:
    """Give when access ends if what is due stays unpaid."""
    return None if row.past_due_since is None else row.past_due_since + view.policy.grace


def hours_of(view: IntegrationView) -> CivilHours:
    return CivilHours(zone_of(view.time_zone), view.messages.hour_from, view.messages.hour_to)


def _paid_for(row: Entitlement, plan: PlanView) -> timedelta | None:
    """Give how long is paid for at once; None for what doesn't renew itself."""
    days = _LENGTHS.get(plan.interval)
    if row.kind != EntitlementKind.SUBSCRIPTION.value or days is None:
        return None
    return timedelta(days=days * plan.interval_count)
