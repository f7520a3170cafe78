"""What Stripe says and nobody here understands: rights stay as they are, and operators hear of it.

Prices that no plan sells, and statuses of subscriptions that the rules don't know.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from velvetrope.domain.access import ENDED_STATUSES, Reason
from velvetrope.gateways.stripe import metadata as tags
from velvetrope.usecases.alerts import open_alert

if TYPE_CHECKING:
    from collections.abc import Mapping

    from velvetrope.gateways.stripe.snapshots import SubscriptionSnapshot
    from velvetrope.pipeline.work import Work
    from velvetrope.store.catalogue import IntegrationView
    from velvetrope.store.models import Entitlement
    from velvetrope.usecases.billing.matching import Match

PRICE_UNKNOWN: Final = "price_unknown"
STATUS_UNKNOWN: Final = "subscription_status_unknown"
#: What the subject of an alert begins with: of a price with its subscribers, of a subscription of
#: which nobody knows what it is for, of a status.
PRICE, ORPHAN, STATUS = "price:", "subscription:", "status:"
_SUBJECT_LENGTH: Final = 64


def note_unknown(
    work: Work,
    view: IntegrationView,
    seen: SubscriptionSnapshot,
    match: Match,
    row: Entitlement | None,
) -> None:
    """Alert where a subscription that goes on is for something, or in a state, that is unknown."""
    if seen.status in ENDED_STATUSES:
        return
    if not match.is_known and (row is not None or tags.parse(seen.metadata) is not None):
        subject = f"{ORPHAN}{seen.id}" if row is None else f"{PRICE}{match.price_id}"
        data = {"price": match.price_id, "subscription": seen.id}
        _open(work, view, PRICE_UNKNOWN, subject, data)
    if row is not None and row.reason == Reason.UNKNOWN_STATUS:
        data = {"status": seen.status, "subscription": seen.id}
        _open(work, view, STATUS_UNKNOWN, f"{STATUS}{seen.status}", data)


def _open(
    work: Work, view: IntegrationView, code: str, subject: str, data: Mapping[str, object]
) -> None:
    subject = subject[:_SUBJECT_LENGTH]
    open_alert(code, work.now, integration_id=view.id, subject=subject, data=data)
