"""Whether an entitlement opens its chats, and when time alone may change that."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from velvetrope.domain.states import Dispute, EntitlementKind, Refund

if TYPE_CHECKING:
    from collections.abc import Iterable

    from velvetrope.domain.policy import Policy

#: Stripe's subscription statuses that end access whatever the dates say.
ENDED_STATUSES = frozenset({"unpaid", "paused", "incomplete", "incomplete_expired", "canceled"})
RUNNING_STATUSES = frozenset({"active", "trialing"})
#: How soon an undecided entitlement is looked at again.
UNKNOWN_RECHECK = timedelta(days=1)


class Reason(StrEnum):
    ACTIVE = "active"
    TRIAL = "trial"
    EXPIRING = "expiring"  # cancelled, the paid period still runs
    GRACE = "grace"  # the payment failed, the grace period runs
    GRACE_OVER = "grace_over"
    ENDED = "ended"  # Stripe says so
    LAPSED = "lapsed"  # its time is over
    PAID = "paid"  # once, its duration runs or has no end
    UNPAID = "unpaid"  # the money isn't there (yet)
    GRANTED = "granted"
    REFUNDED = "refunded"
    COLLECTION_PAUSED = "collection_paused"  # the operator asks for no money meanwhile
    DISPUTED = "disputed"
    DISPUTE_LOST = "dispute_lost"
    UNKNOWN_STATUS = "unknown_status"


@dataclass(frozen=True, slots=True, kw_only=True)
class EntitlementFacts:
    """What is known of one entitlement; times are aware."""

    kind: EntitlementKind
    status: str
    period_end: datetime | None = None
    ends_at: datetime | None = None
    past_due_since: datetime | None = None
    refund: Refund = Refund.NONE
    dispute: Dispute = Dispute.NONE
    #: When Stripe was asked; None for a grant.
    seen_at: datetime | None = None
    #: The decision before, kept where the facts don't tell.
    held: bool = False
    #: The operator paused the collection of a subscription's payments; its status goes on.
    collection_paused: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether the chats are open, why, and when to look again (at Stripe, where it knows)."""

    holds: bool
    reason: Reason
    recheck_at: datetime | None = None


def decide(policy: Policy, facts: EntitlementFacts, now: datetime) -> Decision:
    """Decide by the access policy (design, section 6)."""
    if (taken_back := _taken_back(policy, facts)) is not None:
        return Decision(holds=False, reason=taken_back)
    match facts.kind:
        case EntitlementKind.GRANT | EntitlementKind.CLAIM:
            return _until(facts.period_end, Reason.GRANTED, now)
        case EntitlementKind.ONE_TIME:
            if facts.status != "succeeded":
                return Decision(holds=False, reason=Reason.UNPAID)
            return _until(facts.period_end, Reason.PAID, now)
        case EntitlementKind.SUBSCRIPTION:
            return _decide_subscription(policy, facts, now)


def chats_open(rights: Iterable[tuple[bool, Iterable[int]]]) -> frozenset[int]:
    """Give the chats that are open by rights of (whether it holds, the chats of its plan).

    Each right opens its own: a chat is open while any of them opens it.
    """
    return frozenset(chat for holds, chats in rights if holds for chat in chats)


def _taken_back(policy: Policy, facts: EntitlementFacts) -> Reason | None:
    """Say whether the money went back, which counts more than any status."""
    ends = {Refund.FULL: policy.refund_ends, Refund.PARTIAL: policy.partial_refund_ends}
    if ends.get(facts.refund, False):
        return Reason.REFUNDED
    match facts.dispute:
        case Dispute.LOST if policy.dispute_lost_ends:
            return Reason.DISPUTE_LOST
        case Dispute.OPEN if policy.dispute_suspends:
            return Reason.DISPUTED
        case Dispute.WARNING if policy.dispute_warning_suspends:
            return Reason.DISPUTED
        case _:
            return None


def _until(end: datetime | None, reason: Reason, now: datetime) -> Decision:
    if end is not None and now >= end:
        return Decision(holds=False, reason=Reason.LAPSED)
    return Decision(holds=True, reason=reason, recheck_at=end)


def _decide_subscription(policy: Policy, facts: EntitlementFacts, now: datetime) -> Decision:
    if facts.status in ENDED_STATUSES:
        return Decision(holds=False, reason=Reason.ENDED)
    if facts.status != "past_due" and facts.status not in RUNNING_STATUSES:
        return Decision(facts.held, Reason.UNKNOWN_STATUS, recheck_at=now + UNKNOWN_RECHECK)
    if facts.collection_paused and not policy.collection_pause_keeps:
        return Decision(holds=False, reason=Reason.COLLECTION_PAUSED)
    if facts.status == "past_due":
        since = facts.past_due_since or now
        return _hold_until(since + policy.grace, facts, now, Reason.GRACE, Reason.GRACE_OVER)
    return _decide_running(policy, facts, now)


def _decide_running(policy: Policy, facts: EntitlementFacts, now: datetime) -> Decision:
    reason = Reason.TRIAL if facts.status == "trialing" else Reason.ACTIVE
    if facts.ends_at is not None:
        reason = Reason.EXPIRING
    ends = [end for end in (facts.period_end, facts.ends_at) if end is not None]
    if not ends:
        return Decision(holds=True, reason=reason)
    return _hold_until(min(ends) + policy.slack, facts, now, reason, Reason.LAPSED)


def _hold_until(
    deadline: datetime, facts: EntitlementFacts, now: datetime, reason: Reason, afterwards: Reason
) -> Decision:
    """Keep access until the deadline is over *and* Stripe was asked after that."""
    if now < deadline:
        return Decision(holds=True, reason=reason, recheck_at=deadline)
    if facts.seen_at is None or facts.seen_at < deadline:
        # Payments are late and events get lost: nobody leaves before Stripe was asked again.
        return Decision(holds=True, reason=reason, recheck_at=now)
    return Decision(holds=False, reason=afterwards)
