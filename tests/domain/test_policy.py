"""The table of the access policy, cell by cell, and the values that it may have."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from velvetrope.domain.access import EntitlementFacts, decide
from velvetrope.domain.policy import DEFAULTS, RULES, Policy, Rule
from velvetrope.domain.states import Dispute, EntitlementKind, Refund
from velvetrope.domain.validation import Invalid

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)

#: What each status means by itself, with the defaults; each at a moment of the payment's life.
STATUSES = {
    ("active", "the period runs"): True,
    ("active", "an hour after its end"): True,
    ("active", "three hours after its end"): False,
    ("trialing", "the period runs"): True,
    ("past_due", "a day after the failure"): True,
    ("past_due", "eight days after the failure"): False,
    ("unpaid", "the period runs"): False,
    ("paused", "the period runs"): False,
    ("incomplete", "the period runs"): False,
    ("incomplete_expired", "the period runs"): False,
    ("canceled", "the period runs"): False,
    ("unheard_of", "it held before"): True,
    ("unheard_of", "it did not hold before"): False,
}
MOMENTS = {
    "the period runs": {"period_end": NOW + DAY},
    "an hour after its end": {"period_end": NOW - HOUR},
    "three hours after its end": {"period_end": NOW - 3 * HOUR},
    "a day after the failure": {"past_due_since": NOW - DAY},
    "eight days after the failure": {"past_due_since": NOW - 8 * DAY},
    "it held before": {"held": True},
    "it did not hold before": {"held": False},
}
#: What takes access away whatever the status says: (fact, by which field of the policy, default).
REFUNDS = {Refund.NONE: None, Refund.PARTIAL: "partial_refund_ends", Refund.FULL: "refund_ends"}
DISPUTES = {
    Dispute.NONE: None,
    Dispute.WARNING: "dispute_warning_suspends",
    Dispute.OPEN: "dispute_suspends",
    Dispute.WON: None,
    Dispute.LOST: "dispute_lost_ends",
}
BY_DEFAULT = {
    "partial_refund_ends": False,
    "refund_ends": True,
    "dispute_warning_suspends": False,
    "dispute_suspends": True,
    "dispute_lost_ends": True,
}


def facts_of(status: str, moment: str, **more: object) -> EntitlementFacts:
    known = EntitlementFacts(kind=EntitlementKind.SUBSCRIPTION, status=status, seen_at=NOW)
    return replace(known, **MOMENTS[moment], **more)  # type: ignore[arg-type]  # rows of a table


@pytest.mark.parametrize(("refund", "dispute"), list(product(REFUNDS, DISPUTES)))
@pytest.mark.parametrize(("status", "moment"), STATUSES)
def test_every_cell_of_the_default_table(
    status: str, moment: str, refund: Refund, dispute: Dispute
) -> None:
    facts = facts_of(status, moment, refund=refund, dispute=dispute)
    takers = [name for name in (REFUNDS[refund], DISPUTES[dispute]) if name is not None]
    expected = STATUSES[status, moment] and not any(BY_DEFAULT[name] for name in takers)
    assert decide(Policy(), facts, NOW).holds is expected


@pytest.mark.parametrize("chosen", [True, False])
@pytest.mark.parametrize(("refund", "dispute"), list(product(REFUNDS, DISPUTES)))
@pytest.mark.parametrize("name", BY_DEFAULT)
def test_every_refund_and_dispute_follows_its_own_field(
    name: str, refund: Refund, dispute: Dispute, chosen: bool
) -> None:
    policy = Policy().changed({name: chosen})
    facts = facts_of("active", "the period runs", refund=refund, dispute=dispute)
    takers = [taker for taker in (REFUNDS[refund], DISPUTES[dispute]) if taker is not None]
    expected = not any({**BY_DEFAULT, name: chosen}[taker] for taker in takers)
    assert decide(policy, facts, NOW).holds is expected


@pytest.mark.parametrize("keeps", [True, False])
@pytest.mark.parametrize(("status", "moment"), STATUSES)
def test_a_paused_collection_keeps_what_the_status_says_or_ends_it(
    status: str, moment: str, keeps: bool
) -> None:
    policy = Policy(collection_pause_keeps=keeps)
    facts = facts_of(status, moment, collection_paused=True)
    known = status in {"active", "trialing", "past_due"}
    expected = STATUSES[status, moment] and (keeps or not known)
    assert decide(policy, facts, NOW).holds is expected


@pytest.mark.parametrize("kind", [EntitlementKind.ONE_TIME, EntitlementKind.SUBSCRIPTION])
@pytest.mark.parametrize("refund", Refund)
def test_money_that_went_back_counts_for_one_time_payments_as_well(
    kind: EntitlementKind, refund: Refund
) -> None:
    status = "succeeded" if kind is EntitlementKind.ONE_TIME else "active"
    facts = EntitlementFacts(kind=kind, status=status, refund=refund)
    assert decide(Policy(), facts, NOW).holds is (refund is not Refund.FULL)


@pytest.mark.parametrize("days", [0, 1, 7, 90])
def test_grace_lasts_as_many_days_as_the_policy_says(days: int) -> None:
    policy = Policy(grace_days=days)
    facts = EntitlementFacts(
        kind=EntitlementKind.SUBSCRIPTION,
        status="past_due",
        past_due_since=NOW,
        seen_at=NOW + 365 * DAY,
    )
    end = NOW + days * DAY
    assert decide(policy, facts, end - timedelta(seconds=1)).holds
    assert not decide(policy, facts, end).holds


@pytest.mark.parametrize("hours", [1, 2, 72])
def test_the_end_of_a_period_is_waited_for_as_long_as_the_policy_says(hours: int) -> None:
    policy = Policy(slack_hours=hours)
    facts = EntitlementFacts(
        kind=EntitlementKind.SUBSCRIPTION,
        status="active",
        period_end=NOW,
        seen_at=NOW + 365 * DAY,
    )
    end = NOW + hours * HOUR
    assert decide(policy, facts, end - timedelta(seconds=1)).holds
    assert not decide(policy, facts, end).holds


# The values


def test_every_field_has_a_rule_whose_default_is_the_fields_own() -> None:
    assert [rule.name for rule in RULES] == [field.name for field in fields(Policy)]
    assert {field.name: getattr(Policy(), field.name) for field in fields(Policy)} == DEFAULTS
    assert all(rule.label and rule.meaning for rule in RULES)


def numbers() -> list[Rule]:
    return [rule for rule in RULES if rule.bounds is not None]


@pytest.mark.parametrize("rule", numbers(), ids=lambda rule: rule.name)
def test_a_number_is_taken_within_its_bounds_only(rule: Rule) -> None:
    assert rule.bounds is not None
    low, high = rule.bounds
    assert [rule.judge(low), rule.judge(str(high))] == [low, high]
    for wrong in (low - 1, high + 1, "many", "", "1.5", True, None, "9" * 30):
        with pytest.raises(Invalid) as refusal:
            rule.judge(wrong)
        assert refusal.value.field == rule.name
        assert str(low) in refusal.value.remedy
        assert str(high) in refusal.value.remedy


@pytest.mark.parametrize(
    ("text", "value"),
    [("yes", True), ("ON", True), ("false", False), (" no ", False), (True, True)],
)
def test_yes_and_no_are_taken_in_several_words(text: object, value: bool) -> None:
    assert Policy().changed({"refund_ends": text}).refund_ends is value


@pytest.mark.parametrize("wrong", ["maybe", "", 1, None])
def test_what_is_neither_yes_nor_no_is_refused_with_the_remedy(wrong: object) -> None:
    with pytest.raises(Invalid, match="refund_ends: Use yes or no"):
        Policy().changed({"refund_ends": wrong})


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(Invalid, match="grace_days, slack_hours"):
        Policy().changed({"grace": 3})


def test_a_name_is_either_set_or_reset() -> None:
    with pytest.raises(Invalid, match="grace_days"):
        Policy().changed({"grace_days": 3}, ["grace_days"])


def test_what_is_reset_has_its_default_again() -> None:
    strict = Policy(grace_days=1, refund_ends=False)
    assert strict.changed({}, ["grace_days"]) == Policy(refund_ends=False)


def test_stored_values_that_do_not_fit_are_left_out() -> None:
    stored = {"grace_days": 3, "refund_ends": 1, "brake_percent": 500, "no_such": True}
    assert Policy.from_differences(stored) == Policy(grace_days=3)


policies = st.builds(
    Policy,
    **{
        rule.name: st.booleans() if rule.bounds is None else st.integers(*rule.bounds)
        for rule in RULES
    },
)


@given(policy=policies)
def test_the_differences_that_are_stored_give_the_policy_again(policy: Policy) -> None:
    assert Policy.from_differences(policy.differences) == policy
