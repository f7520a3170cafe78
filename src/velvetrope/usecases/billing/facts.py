"""What the preparing half of a handler found out, for the applying half."""

from __future__ import annotations

from datetime import datetime

import msgspec

from velvetrope.gateways.stripe.snapshots import (
    CheckoutSessionSnapshot,
    PaymentSnapshot,
    SubscriptionSnapshot,
)


class BillingFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Objects of one customer as they were at `asked_at`, when the first request left.

    `owner` is (integration, Telegram user); None says that they are nobody's here.
    """

    owner: tuple[int, int] | None
    asked_at: datetime
    session: CheckoutSessionSnapshot | None = None
    subscriptions: tuple[SubscriptionSnapshot, ...] = ()
    payments: tuple[PaymentSnapshot, ...] = ()
    #: The event says that the session's late money did not come; no object says it as plainly.
    money_failed: bool = False
