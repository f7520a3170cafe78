"""Whether what Stripe lists is what is known here; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from velvetrope.domain.states import Dispute, Refund
from velvetrope.usecases.billing.matching import match_plan

if TYPE_CHECKING:
    from velvetrope.gateways.stripe.snapshots import SubscriptionSnapshot, UndoneMoney
    from velvetrope.store.catalogue import IntegrationView
    from velvetrope.store.holdings import Holding

#: Refunds that did not come about after all.
_UNDONE: Final = frozenset({"failed", "canceled"})


def differs(view: IntegrationView, known: Holding, seen: SubscriptionSnapshot) -> bool:
    """Tell whether a subscription is another one than what was written down of it last."""
    match = match_plan(view, seen, view.plan(known.plan_id))
    return (
        (known.status, known.period_end, known.ends_at, known.trial_end, known.collection_paused)
        != (
            seen.status,
            seen.current_period_end,
            seen.ends_at,
            seen.trial_end,
            seen.paused_collection,
        )
        or known.price_id != match.price_id
        or (match.plan is not None and match.plan.id != known.plan_id)
    )


def refund_is_news(known: Holding, refund: UndoneMoney) -> bool:
    """Tell whether a refund of a payment says something else than what is known."""
    if refund.status in _UNDONE:
        return known.refund != Refund.NONE.value
    return known.refund == Refund.NONE.value


def dispute_is_news(known: Holding, meant: Dispute) -> bool:
    return known.dispute != meant.value
