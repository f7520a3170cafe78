from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from velvetrope.domain.access import EntitlementFacts, decide
from velvetrope.domain.policy import Policy
from velvetrope.domain.standing import StandingKind, describe
from velvetrope.domain.states import Dispute, EntitlementKind

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
END = NOW + timedelta(days=20)
SUB, ONCE = EntitlementKind.SUBSCRIPTION, EntitlementKind.ONE_TIME


@pytest.mark.parametrize(
    ("facts", "kind", "until"),
    [
        (EntitlementFacts(kind=SUB, status="active", period_end=END), "renews", END),
        (EntitlementFacts(kind=SUB, status="trialing", period_end=END), "trial", END),
        (
            EntitlementFacts(kind=SUB, status="active", period_end=END, ends_at=END),
            "expiring",
            END,
        ),
        (
            EntitlementFacts(kind=SUB, status="past_due", past_due_since=NOW),
            "past_due",
            NOW + timedelta(days=7),
        ),
        (
            EntitlementFacts(kind=SUB, status="active", period_end=END, collection_paused=True),
            "paused",
            END,
        ),
        (EntitlementFacts(kind=SUB, status="canceled", period_end=END), "ended", END),
        (
            EntitlementFacts(kind=SUB, status="active", dispute=Dispute.OPEN),
            "disputed",
            None,
        ),
        (EntitlementFacts(kind=ONCE, status="succeeded"), "forever", None),
        (EntitlementFacts(kind=ONCE, status="succeeded", period_end=END), "until", END),
        (EntitlementFacts(kind=ONCE, status="processing"), "pending_payment", None),
        (
            EntitlementFacts(kind=EntitlementKind.GRANT, status="active", period_end=END),
            "until",
            END,
        ),
        (
            EntitlementFacts(kind=EntitlementKind.CLAIM, status="active", period_end=END),
            "claim",
            END,
        ),
        (
            EntitlementFacts(kind=EntitlementKind.CLAIM, status="active", period_end=NOW),
            "ended",
            NOW,
        ),
    ],
)
def test_each_state_of_an_entitlement_has_its_words(
    facts: EntitlementFacts, kind: str, until: datetime | None
) -> None:
    decision = decide(Policy(), facts, NOW)
    standing = describe(7, facts, decision)
    assert (standing.kind, standing.until) == (StandingKind(kind), until)


def test_only_running_subscriptions_can_be_managed_at_stripe() -> None:
    def manageable(facts: EntitlementFacts) -> bool:
        decision = decide(Policy(), facts, NOW)
        return describe(7, facts, decision).manageable

    assert manageable(EntitlementFacts(kind=SUB, status="active", period_end=END))
    assert not manageable(EntitlementFacts(kind=SUB, status="canceled"))
    assert not manageable(EntitlementFacts(kind=ONCE, status="succeeded"))


def test_who_is_out_while_nothing_is_collected_can_still_manage_the_subscription() -> None:
    facts = EntitlementFacts(kind=SUB, status="active", period_end=END, collection_paused=True)
    decision = decide(Policy(collection_pause_keeps=False), facts, NOW)
    standing = describe(7, facts, decision)
    assert (standing.kind, standing.manageable) == (StandingKind.ON_HOLD, True)
