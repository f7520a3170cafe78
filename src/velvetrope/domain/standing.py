"""What a customer is told about one entitlement."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from velvetrope.domain.access import Decision, EntitlementFacts, Reason
from velvetrope.domain.states import EntitlementKind

if TYPE_CHECKING:
    from datetime import datetime


class StandingKind(StrEnum):
    RENEWS = "renews"  # active, `until` is the day of renewal
    EXPIRING = "expiring"  # cancelled, runs until `until`
    TRIAL = "trial"  # free until `until`, then it renews
    PAST_DUE = "past_due"  # the payment failed, access until `until`
    UNTIL = "until"  # paid once or granted, until `until`
    CLAIM = "claim"  # a member from before, who has until `until` to subscribe
    FOREVER = "forever"
    PAUSED = "paused"  # active, nothing is collected
    ON_HOLD = "on_hold"  # out while nothing is collected
    PENDING_PAYMENT = "pending_payment"  # the money is on its way
    DISPUTED = "disputed"  # suspended while a dispute is open
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Standing:
    kind: StandingKind
    plan_id: int
    until: datetime | None
    #: Whether Stripe's portal can change it.
    manageable: bool
    #: What is billed, where that is known: another price than the plan's is not its price.
    price_id: str = ""
    #: A coupon makes the next payment less than the price.
    is_discounted: bool = False


_OF_REASON = {
    Reason.TRIAL: StandingKind.TRIAL,
    Reason.EXPIRING: StandingKind.EXPIRING,
    Reason.GRACE: StandingKind.PAST_DUE,
    Reason.UNPAID: StandingKind.PENDING_PAYMENT,
    Reason.DISPUTED: StandingKind.DISPUTED,
    Reason.COLLECTION_PAUSED: StandingKind.ON_HOLD,
}


def describe(plan_id: int, facts: EntitlementFacts, decision: Decision) -> Standing:
    """Put a decision into the terms of the person whom it concerns."""
    kind = _OF_REASON.get(decision.reason)
    until = facts.period_end
    if kind is None and not decision.holds:
        kind = StandingKind.ENDED
    elif kind is StandingKind.EXPIRING:
        until = facts.ends_at
    elif kind is StandingKind.PAST_DUE:
        until = decision.recheck_at
    elif kind is None and facts.kind is EntitlementKind.CLAIM and until is not None:
        kind = StandingKind.CLAIM
    elif kind is None and facts.kind is not EntitlementKind.SUBSCRIPTION:
        kind = StandingKind.FOREVER if facts.period_end is None else StandingKind.UNTIL
    elif kind is None and facts.collection_paused:
        kind = StandingKind.PAUSED
    return Standing(
        kind=kind or StandingKind.RENEWS,
        plan_id=plan_id,
        until=until,
        manageable=facts.kind is EntitlementKind.SUBSCRIPTION and kind is not StandingKind.ENDED,
    )
