"""Why a right holds or does not, in words: one phrase for each reason of the rules."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

import msgspec

from velvetrope.domain.access import Reason
from velvetrope.domain.states import Dispute, EntitlementKind, Refund
from velvetrope.usecases.chronicle import until_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from velvetrope.domain.policy import Policy
    from velvetrope.store.models import Entitlement
    from velvetrope.usecases.explaining.terms import Terms


class Ground(msgspec.Struct, frozen=True, kw_only=True):
    """A right as its row, or an entry of the record, tells of it."""

    kind: str
    plan_id: object
    status: str
    reason: str
    holds: bool
    until: datetime | None = None
    #: When the payment that is due failed first; only the row knows.
    failed_at: datetime | None = None
    refund: str = Refund.NONE.value
    dispute: str = Dispute.NONE.value
    collection_paused: bool = False
    #: Another customer of Stripe than the person pays.
    is_paid_by_another: bool = False

    @classmethod
    def of(cls, row: Entitlement, policy: Policy, payer: str | None = None) -> Ground:
        """Tell of a row; `payer` is the person's own customer at Stripe, if that matters."""
        return cls(
            kind=row.kind,
            plan_id=row.plan_id,
            status=row.status,
            reason=row.reason,
            holds=row.holds,
            until=until_of(row, policy),
            failed_at=row.past_due_since,
            refund=row.refund,
            dispute=row.dispute,
            collection_paused=row.collection_paused,
            is_paid_by_another=payer not in {None, row.stripe_customer_id}
            and row.stripe_customer_id != "",
        )


def because_of(row: Entitlement, terms: Terms) -> str:
    """Give the reason of a row as what follows «because»."""
    return because(Ground.of(row, terms.policy, terms.stripe_customer_id), terms)


def because(ground: Ground, terms: Terms) -> str:
    """Give the reason as what follows «because»; an unknown one is shown as it is."""
    what = terms.ground(ground.kind, ground.plan_id)
    phrase = PHRASES.get(ground.reason)
    if phrase is None:
        state = "opens" if ground.holds else "opens nothing"
        return f"{what} {state} for a reason that has no words here («{ground.reason}»)"
    return phrase(what, ground, terms) + _besides(ground)


def _until(ground: Ground, terms: Terms, *, otherwise: str = "for ever") -> str:
    return f"until {terms.day(ground.until)}" if ground.until else otherwise


def _besides(ground: Ground) -> str:
    """Add what does not decide, but is asked about."""
    parts = []
    if ground.is_paid_by_another and ground.holds:
        parts.append("somebody else pays for it")
    if ground.refund == Refund.PARTIAL and ground.holds:
        parts.append("a part of the money was given back")
    if ground.dispute == Dispute.WARNING and ground.holds:
        parts.append("the bank has inquired about the payment")
    if ground.dispute == Dispute.WON and ground.holds:
        parts.append("a dispute of the payment was won")
    return f" ({', and '.join(parts)})" if parts else ""


def _active(what: str, ground: Ground, terms: Terms) -> str:
    if ground.collection_paused:
        return f"{what} goes on, though the collection of its payments is paused at Stripe"
    return f"{what} is paid {_until(ground, terms, otherwise='and goes on')}"


def _grace(what: str, ground: Ground, terms: Terms) -> str:
    failed = f" on {terms.day(ground.failed_at)}" if ground.failed_at else ""
    until = f" until {terms.moment(ground.until)}" if ground.until else ""
    return f"the payment for {what} failed{failed}, and there is time{until} to make it good"


def _ended(what: str, ground: Ground, terms: Terms) -> str:
    on = f" on {terms.day(ground.until)}" if ground.until and ground.until <= terms.now else ""
    phrases = {
        "canceled": f"{what} was cancelled and ended{on}",
        "unpaid": f"{what} was not paid, and Stripe has given up asking",
        "paused": f"{what} is paused at Stripe",
        "incomplete": f"the first payment for {what} was begun and is not complete",
        "incomplete_expired": f"the first payment for {what} was never completed",
    }
    return phrases.get(ground.status, f"{what} has ended (Stripe says «{ground.status}»)")


def _lapsed(what: str, ground: Ground, terms: Terms) -> str:
    on = f" on {terms.day(ground.until)}" if ground.until else ""
    if ground.kind == EntitlementKind.SUBSCRIPTION:
        return f"the paid time of {what} ended{on} and was not renewed"
    return f"{what} ended{on}"


def _granted(what: str, ground: Ground, terms: Terms) -> str:
    if ground.kind == EntitlementKind.CLAIM:
        return f"{what} runs {_until(ground, terms)}"
    return f"{what} lasts {_until(ground, terms)}"


#: Reason → what follows «because». A test asks for every one.
PHRASES: Final[Mapping[str, Callable[[str, Ground, Terms], str]]] = {
    Reason.ACTIVE: _active,
    Reason.TRIAL: lambda what, ground, terms: (
        f"the free trial of {what} runs {_until(ground, terms, otherwise='on')}"
    ),
    Reason.EXPIRING: lambda what, ground, terms: (
        f"{what} is cancelled, and paid {_until(ground, terms, otherwise='until its end')}"
    ),
    Reason.GRACE: _grace,
    Reason.GRACE_OVER: lambda what, _ground, _terms: (
        f"the payment for {what} failed, and the time to make it good is over"
    ),
    Reason.ENDED: _ended,
    Reason.LAPSED: _lapsed,
    Reason.PAID: lambda what, ground, terms: f"{what} was made, and lasts {_until(ground, terms)}",
    Reason.UNPAID: lambda what, _ground, _terms: f"the money of {what} has not come",
    Reason.GRANTED: _granted,
    Reason.REFUNDED: lambda what, _ground, _terms: f"the money of {what} was given back",
    Reason.DISPUTED: lambda what, _ground, _terms: (
        f"the payment of {what} is disputed at the bank, and access rests meanwhile"
    ),
    Reason.DISPUTE_LOST: lambda what, _ground, _terms: (
        f"the dispute of {what} was lost: the bank took the money back"
    ),
    Reason.UNKNOWN_STATUS: lambda what, ground, _terms: (
        f"Stripe says «{ground.status}» of {what}, which this version does not know, "
        "so that access stays as it was"
    ),
    Reason.COLLECTION_PAUSED: lambda what, _ground, _terms: (
        f"the collection of the payments of {what} is paused at Stripe, and access rests meanwhile"
    ),
}


def next_by_time(row: Entitlement, terms: Terms) -> str:
    """Say what time alone will bring to a right that holds; empty if nothing is set."""
    if not row.holds or row.recheck_at is None:
        return ""
    what = terms.ground_of(row)
    until = until_of(row, terms.policy)
    is_due = row.recheck_at <= terms.now
    look = "a moment from now" if is_due else f"on {terms.moment(row.recheck_at)}"
    match row.reason:
        case Reason.ACTIVE if until is not None:
            return (
                f"{terms.day(until)}: the next payment for {what} is due. If it is not made, they "
                f"have {terms.policy.grace_days} days from its first failure. "
                f"Stripe is asked without anybody's doing, at the latest {look}"
            )
        case Reason.TRIAL if until is not None:
            return f"{terms.moment(until)}: the free trial ends, and the first payment is taken"
        case Reason.GRACE if until is not None:
            return f"{terms.moment(until)}: out, unless the payment for {what} is made before"
        case Reason.EXPIRING | Reason.PAID | Reason.GRANTED if until is not None:
            return f"{terms.moment(until)}: {what} ends"
        case _:
            return f"{look}, Stripe is asked again about {what}"
