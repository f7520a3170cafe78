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
    ("facts", "paused", "kind", "until"),
    [
        (EntitlementFacts(kind=SUB, status="active", period_end=END), False, "renews", END),
        (EntitlementFacts(kind=SUB, status="trialing", period_end=END), False, "trial", END),
        (
            EntitlementFacts(kind=SUB, status="active", period_end=END, ends_at=END),
            False,
            "expiring",
            END,
        ),
        (
            EntitlementFacts(kind=SUB, status="past_due", past_due_since=NOW),
            False,
            "past_due",
            NOW + timedelta(days=7),
        ),
        (EntitlementFacts(kind=SUB, status="active", period_end=END), True, "paused", END),
        (EntitlementFacts(kind=SUB, status="canceled", period_end=END), False, "ended", END),
        (
            EntitlementFacts(kind=SUB, status="active", dispute=Dispute.OPEN),
            False,
            "disputed",
            None,
        ),
        (EntitlementFacts(kind=ONCE, status="succeeded"), False, "forever", None),
        (EntitlementFacts(kind=ONCE, status="succeeded", period_end=END), False, "until", END),
        (EntitlementFacts(kind=ONCE, status="processing"), False, "pending_payment", None),
        (
            EntitlementFacts(kind=EntitlementKind.GRANT, status="active", period_end=END),
            False,
            "until",
            END,
        ),
        (
            EntitlementFacts(kind=EntitlementKind.CLAIM, status="active", period_end=END),
            False,
            "claim",
            END,
        ),
        (
            EntitlementFacts(kind=EntitlementKind.CLAIM, status="active", period_end=NOW),
            False,
            "ended",
            NOW,
        ),
    ],
)
def test_each_state_of_an_entitlement_has_its_words(
    facts: EntitlementFacts, paused: bool, kind: str, until: datetime | None
) -> None:
    decision = decide(Policy(), facts, NOW)
    standing = describe(7, facts, decision, collection_paused=paused)
    assert (standing.kind, standing.until) == (StandingKind(kind), until)


def test_only_running_subscriptions_can_be_managed_at_stripe() -> None:
    def manageable(facts: EntitlementFacts) -> bool:
        decision = decide(Policy(), facts, NOW)
        return describe(7, facts, decision, collection_paused=False).manageable

    assert manageable(EntitlementFacts(kind=SUB, status="active", period_end=END))
    assert not manageable(EntitlementFacts(kind=SUB, status="canceled"))
    assert not manageable(EntitlementFacts(kind=ONCE, status="succeeded"))
