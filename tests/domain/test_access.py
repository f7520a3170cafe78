from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from velvetrope.domain.access import (
    ENDED_STATUSES,
    RUNNING_STATUSES,
    Decision,
    EntitlementFacts,
    Reason,
    chats_open,
    decide,
)
from velvetrope.domain.policy import RULES, Policy
from velvetrope.domain.states import Dispute, EntitlementKind, Refund

if TYPE_CHECKING:
    from collections.abc import Sequence

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
POLICY = Policy()
DAY = timedelta(days=1)

moments = st.integers(0, 730 * 24 * 3600).map(
    lambda seconds: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)
statuses = st.sampled_from(
    [*sorted(RUNNING_STATUSES), *sorted(ENDED_STATUSES), "past_due", "never_heard_of"]
)


@st.composite
def any_facts(draw: st.DrawFn) -> EntitlementFacts:
    return EntitlementFacts(
        kind=draw(st.sampled_from(EntitlementKind)),
        status=draw(st.one_of(statuses, st.sampled_from(["succeeded", "processing"]))),
        period_end=draw(st.none() | moments),
        ends_at=draw(st.none() | moments),
        past_due_since=draw(st.none() | moments),
        refund=draw(st.sampled_from(Refund)),
        dispute=draw(st.sampled_from(Dispute)),
        seen_at=draw(st.none() | moments),
        held=draw(st.booleans()),
        collection_paused=draw(st.booleans()),
    )


def subscription(status: str, **facts: datetime | bool | Refund | Dispute | None) -> Decision:
    given_facts = EntitlementFacts(
        kind=EntitlementKind.SUBSCRIPTION,
        status=status,
        **facts,  # type: ignore[arg-type]  # one helper for facts of several types
    )
    return decide(POLICY, given_facts, NOW)


@pytest.mark.parametrize("status", sorted(RUNNING_STATUSES))
def test_a_running_subscription_is_in(status: str) -> None:
    assert subscription(status, period_end=NOW + DAY).holds


@pytest.mark.parametrize("status", sorted(ENDED_STATUSES))
def test_an_ended_subscription_is_out_whatever_its_period_says(status: str) -> None:
    decision = subscription(status, period_end=NOW + 300 * DAY, held=True)
    assert decision == Decision(holds=False, reason=Reason.ENDED)


def test_a_failed_payment_keeps_access_for_seven_days_from_the_first_failure() -> None:
    decision = subscription("past_due", past_due_since=NOW - 6 * DAY)
    assert decision == Decision(holds=True, reason=Reason.GRACE, recheck_at=NOW + DAY)


def test_grace_is_over_after_seven_days() -> None:
    decision = subscription("past_due", past_due_since=NOW - 7 * DAY, seen_at=NOW)
    assert decision == Decision(holds=False, reason=Reason.GRACE_OVER)


def test_nobody_leaves_at_the_end_of_grace_before_stripe_was_asked_again() -> None:
    decision = subscription("past_due", past_due_since=NOW - 8 * DAY, seen_at=NOW - 2 * DAY)
    assert decision == Decision(holds=True, reason=Reason.GRACE, recheck_at=NOW)


def test_a_cancelled_subscription_is_in_until_its_end() -> None:
    decision = subscription("active", period_end=NOW + 5 * DAY, ends_at=NOW + 5 * DAY)
    assert decision.holds
    assert decision.reason is Reason.EXPIRING
    assert decision.recheck_at == NOW + 5 * DAY + POLICY.slack


def test_a_subscription_that_is_cancelled_within_its_period_ends_on_that_day() -> None:
    decision = subscription(
        "active", period_end=NOW + 20 * DAY, ends_at=NOW - DAY, seen_at=NOW - timedelta(hours=1)
    )
    assert decision == Decision(holds=False, reason=Reason.LAPSED)


def test_a_period_that_ended_an_hour_ago_is_in_by_the_slack() -> None:
    decision = subscription("active", period_end=NOW - timedelta(hours=1))
    assert decision.holds
    assert decision.recheck_at == NOW + timedelta(hours=1)


def test_nobody_leaves_at_the_end_of_a_period_before_stripe_was_asked_again() -> None:
    decision = subscription("active", period_end=NOW - DAY, seen_at=NOW - 2 * DAY)
    assert decision == Decision(holds=True, reason=Reason.ACTIVE, recheck_at=NOW)


def test_a_period_that_is_over_and_was_looked_at_since_is_out() -> None:
    decision = subscription("active", period_end=NOW - DAY, seen_at=NOW)
    assert decision == Decision(holds=False, reason=Reason.LAPSED)


@pytest.mark.parametrize("held", [True, False])
def test_an_unknown_status_changes_nothing_and_is_looked_at_again(held: bool) -> None:
    decision = subscription("never_heard_of", held=held)
    assert (decision.holds, decision.reason) == (held, Reason.UNKNOWN_STATUS)
    assert decision.recheck_at is not None


def test_a_full_refund_is_out_and_a_partial_one_stays() -> None:
    assert subscription("active", refund=Refund.FULL).reason is Reason.REFUNDED
    assert subscription("active", refund=Refund.PARTIAL, period_end=NOW + DAY).holds


@pytest.mark.parametrize(
    ("dispute", "holds"),
    [(Dispute.NONE, True), (Dispute.OPEN, False), (Dispute.WON, True), (Dispute.LOST, False)],
)
def test_a_dispute_suspends_until_it_is_won(dispute: Dispute, holds: bool) -> None:
    assert subscription("active", dispute=dispute, period_end=NOW + DAY).holds is holds


@pytest.mark.parametrize(
    ("end", "holds"), [(None, True), (NOW + DAY, True), (NOW, False), (NOW - DAY, False)]
)
@pytest.mark.parametrize(
    ("kind", "status"),
    [(EntitlementKind.ONE_TIME, "succeeded"), (EntitlementKind.GRANT, "active")],
)
def test_what_was_paid_once_or_granted_ends_with_its_time(
    kind: EntitlementKind, status: str, end: datetime | None, holds: bool
) -> None:
    decision = decide(POLICY, EntitlementFacts(kind=kind, status=status, period_end=end), NOW)
    assert decision.holds is holds
    assert decision.recheck_at == (end if holds else None)


@pytest.mark.parametrize("status", ["processing", "canceled", "requires_payment_method"])
def test_a_one_time_payment_opens_nothing_before_the_money_is_there(status: str) -> None:
    facts = EntitlementFacts(kind=EntitlementKind.ONE_TIME, status=status)
    assert decide(POLICY, facts, NOW) == Decision(holds=False, reason=Reason.UNPAID)


@given(facts=any_facts(), now=moments)
def test_deciding_again_at_once_changes_nothing(facts: EntitlementFacts, now: datetime) -> None:
    assert decide(POLICY, facts, now) == decide(POLICY, facts, now)


@given(facts=any_facts(), now=moments, later=st.timedeltas(timedelta(0), 400 * DAY))
def test_nothing_changes_by_time_alone_before_the_recheck(
    facts: EntitlementFacts, now: datetime, later: timedelta
) -> None:
    decision = decide(POLICY, facts, now)
    then = now + later
    if facts.status == "past_due" and facts.past_due_since is None:
        return  # the row gets its first failure when it is written
    if decision.recheck_at is None or then < decision.recheck_at:
        assert decide(POLICY, facts, then).holds is decision.holds


@given(facts=any_facts(), now=moments)
def test_a_running_subscription_that_was_not_looked_at_since_never_lapses(
    facts: EntitlementFacts, now: datetime
) -> None:
    decision = decide(POLICY, facts, now)
    if decision.reason is Reason.LAPSED and facts.kind is EntitlementKind.SUBSCRIPTION:
        assert facts.seen_at is not None
        ends = [end for end in (facts.period_end, facts.ends_at) if end is not None]
        assert facts.seen_at >= min(ends) + POLICY.slack


# Several rights of one person

chats = st.frozensets(st.integers(1, 6), max_size=4)
rights = st.lists(st.tuples(any_facts(), chats), max_size=6)
policies = st.builds(
    Policy,
    **{
        rule.name: st.booleans() if rule.bounds is None else st.integers(*rule.bounds)
        for rule in RULES
    },
)


def opened(
    policy: Policy, held: Sequence[tuple[EntitlementFacts, frozenset[int]]], now: datetime
) -> frozenset[int]:
    return chats_open((decide(policy, facts, now).holds, own) for facts, own in held)


@given(policy=policies, held=rights, now=moments)
def test_a_chat_is_open_exactly_while_some_right_opens_it(
    policy: Policy, held: list[tuple[EntitlementFacts, frozenset[int]]], now: datetime
) -> None:
    for chat in range(1, 7):
        by_itself = [opened(policy, [right], now) for right in held]
        assert (chat in opened(policy, held, now)) is any(chat in one for one in by_itself)


@given(policy=policies, held=rights, more=rights, now=moments)
def test_another_right_never_closes_a_chat_and_their_order_does_not_matter(
    policy: Policy,
    held: list[tuple[EntitlementFacts, frozenset[int]]],
    more: list[tuple[EntitlementFacts, frozenset[int]]],
    now: datetime,
) -> None:
    assert opened(policy, held, now) <= opened(policy, [*held, *more], now)
    assert opened(policy, [*held, *more], now) == opened(policy, [*more, *held], now)


@given(policy=policies, held=rights, facts=any_facts(), old=chats, new=chats, now=moments)
def test_a_change_of_plan_leaves_alone_what_both_plans_open(
    policy: Policy,
    held: list[tuple[EntitlementFacts, frozenset[int]]],
    facts: EntitlementFacts,
    old: frozenset[int],
    new: frozenset[int],
    now: datetime,
) -> None:
    before = opened(policy, [*held, (facts, old)], now)
    after = opened(policy, [*held, (facts, new)], now)
    assert before - after <= old - new
    assert after - before <= new - old


@given(policy=policies, facts=any_facts(), now=moments)
def test_no_policy_ends_what_was_not_looked_at_since_its_deadline(
    policy: Policy, facts: EntitlementFacts, now: datetime
) -> None:
    decision = decide(policy, replace(facts, seen_at=None), now)
    is_subscription = facts.kind is EntitlementKind.SUBSCRIPTION
    assert not (is_subscription and decision.reason in {Reason.LAPSED, Reason.GRACE_OVER})
