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

#: A payment whose method failed waits for another one, which nobody can give after Checkout.
_FAILED_PAYMENTS = frozenset({"requires_payment_method", "canceled"})


class BillingFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Objects of one customer as they were at `asked_at`, when the first request left.

    `owner` is (integration, Telegram user); None says that they are nobody's here.
    """

    owner: tuple[int, int] | None
    asked_at: datetime
    sessions: tuple[CheckoutSessionSnapshot, ...] = ()
    subscriptions: tuple[SubscriptionSnapshot, ...] = ()
    payments: tuple[PaymentSnapshot, ...] = ()
    #: Where the person is, in chats where that wasn't known before.
    seen: tuple[Seen, ...] = ()
    #: The event says that the sessions' late money did not come.
    money_failed: bool = False
    #: The newest invoices of subscriptions whose money went back, where they are not paid.
    unpaid: frozenset[str] = frozenset()
    #: Names of what Stripe was asked for and does not know.
    missing: frozenset[str] = frozenset()
    #: Whether this is a look at everything that the customer has.
    is_whole: bool = False
    #: Whether what is found is no news to anybody: it is put on record, and nothing is said.
    is_quiet: bool = False

    @property
    def opens(self) -> bool:
        """Tell whether some door may open by what was found."""
        running = any(one.status in RUNNING_STATUSES for one in self.subscriptions)
        free = any(one.status == "complete" for one in self.sessions)
        return running or free or any(one.status == "succeeded" for one in self.payments)

    def money_came_to_nothing(self, session: CheckoutSessionSnapshot) -> bool:
        """Tell whether late money of a session did not come; the session itself never says so."""
        payment = next((one for one in self.payments if one.id == session.payment_intent), None)
        return self.money_failed or (payment is not None and payment.status in _FAILED_PAYMENTS)
