"""What the preparing half of a handler found out, for the applying half."""

from __future__ import annotations

from datetime import datetime

import msgspec

from velvetrope.domain.access import RUNNING_STATUSES
from velvetrope.gateways.stripe.snapshots import (
    CheckoutSessionSnapshot,
    PaymentSnapshot,
    SubscriptionSnapshot,
)
from velvetrope.usecases.observing import Seen


class BillingFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Objects of one customer as they were at `asked_at`, when the first request left.

    `owner` is (integration, Telegram user); None says that they are nobody's here.
    """

    owner: tuple[int, int] | None
    asked_at: datetime
    session: CheckoutSessionSnapshot | None = None
    subscriptions: tuple[SubscriptionSnapshot, ...] = ()
    payments: tuple[PaymentSnapshot, ...] = ()
    #: Where the person is, in chats where that wasn't known before.
    seen: tuple[Seen, ...] = ()
    #: The event says that the session's late money did not come; no object says it as plainly.
    money_failed: bool = False

    @property
    def opens(self) -> bool:
        """Tell whether some door may open by what was found."""
        running = any(one.status in RUNNING_STATUSES for one in self.subscriptions)
        free = self.session is not None and self.session.status == "complete"
        return running or free or any(one.status == "succeeded" for one in self.payments)
