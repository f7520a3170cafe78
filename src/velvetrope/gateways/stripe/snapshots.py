"""What Stripe says about an object at one moment, in the words that the product needs.

Times are aware and in UTC; amounts are in the currency's smallest unit; `metadata` maps text to
text. The builders that read the vendor's shapes live in `shapes.py`.
"""

from __future__ import annotations

from datetime import datetime

import msgspec


class _Snapshot(msgspec.Struct, frozen=True):
    """What all snapshots share: immutable, built by name."""


class AccountSnapshot(_Snapshot, frozen=True, kw_only=True):
    """The account behind a key; `livemode` is read from the key's own kind."""

    id: str
    name: str
    country: str | None
    default_currency: str | None
    charges_enabled: bool
    livemode: bool


class PriceSnapshot(_Snapshot, frozen=True, kw_only=True):
    """A price and its product; `interval` None is a one-time price, `unit_amount` None unpriced."""

    id: str
    active: bool
    currency: str
    unit_amount: int | None
    interval: str | None
    interval_count: int
    product_id: str
    product_name: str
    product_active: bool
    livemode: bool


class SubscriptionSnapshot(_Snapshot, frozen=True, kw_only=True):
    """A subscription; `status` is open-ended, `cancel_reason` says why it ended.

    `current_period_end` is the latest one of its items; None if it has none.
    """

    id: str
    status: str
    customer: str
    metadata: dict[str, str]
    price_ids: tuple[str, ...]
    #: The products of the prices, in the same order.
    product_ids: tuple[str, ...]
    current_period_end: datetime | None
    cancel_at: datetime | None
    cancel_at_period_end: bool
    ended_at: datetime | None
    trial_end: datetime | None
    paused_collection: bool
    #: A coupon makes the next payment less than the prices say.
    is_discounted: bool
    cancel_reason: str | None
    latest_invoice: str | None
    created: datetime
    livemode: bool
    #: What `latest_invoice` names, where one subscription was fetched; None in lists of many.
    invoice: InvoiceSnapshot | None = None
    #: The first failure of what is due, where a `past_due` one was fetched; None in lists of all.
    past_due_since: datetime | None = None

    @property
    def ends_at(self) -> datetime | None:
        """When it ended or is scheduled to end; None while it renews itself."""
        scheduled = self.current_period_end if self.cancel_at_period_end else None
        return self.ended_at or self.cancel_at or scheduled


class CheckoutSessionSnapshot(_Snapshot, frozen=True, kw_only=True):
    """A Checkout Session; `payment_status` is paid, unpaid or no_payment_required."""

    id: str
    url: str | None
    status: str | None
    mode: str
    payment_status: str
    customer: str | None
    subscription: str | None
    payment_intent: str | None
    client_reference_id: str | None
    metadata: dict[str, str]
    expires_at: datetime
    amount_total: int | None
    currency: str | None
    created: datetime
    livemode: bool


class DisputeSnapshot(_Snapshot, frozen=True, kw_only=True):
    """A dispute; `status` tells open ones from won, lost and warning_closed."""

    id: str
    status: str


class PaymentSnapshot(_Snapshot, frozen=True, kw_only=True):
    """A payment with all that may undo it; refunds that failed or were cancelled do not count."""

    id: str
    status: str
    customer: str | None
    metadata: dict[str, str]
    amount: int
    amount_received: int
    amount_refunded: int
    currency: str
    disputes: tuple[DisputeSnapshot, ...]
    invoice: str | None
    subscription: str | None
    session: str | None
    created: datetime
    livemode: bool
    #: Stripe's page of what was received; None while there is none.
    receipt_url: str | None = None

    @property
    def is_fully_refunded(self) -> bool:
        return 0 < self.amount_received <= self.amount_refunded


class InvoiceSnapshot(_Snapshot, frozen=True, kw_only=True):
    """An invoice; `subscription_metadata` is as it was when the invoice was finalised."""

    id: str
    status: str | None
    customer: str | None
    subscription: str | None
    subscription_metadata: dict[str, str]
    hosted_invoice_url: str | None
    amount_due: int
    amount_paid: int
    currency: str
    attempt_count: int
    created: datetime
    livemode: bool
    paid_at: datetime | None = None
    #: Why there is this invoice, such as `subscription_cycle` for a renewal.
    reason: str | None = None
    #: Whether its payment waits for the customer, who has to confirm it to the bank.
    needs_action: bool = False


class CustomerSnapshot(_Snapshot, frozen=True, kw_only=True):
    """A customer; `created` is None for a deleted one, of which little is left."""

    id: str
    deleted: bool
    metadata: dict[str, str]
    livemode: bool
    name: str = ""
    created: datetime | None = None


class EventSnapshot(_Snapshot, frozen=True, kw_only=True):
    """An entry of the event list: enough to store it as if it had come by webhook."""

    id: str
    type: str
    created: datetime
    livemode: bool
    payload: bytes


class SettledMoney(_Snapshot, frozen=True, kw_only=True):
    """A payment as the list of payments has it: whose it is, and whether it came about."""

    id: str
    status: str
    metadata: dict[str, str]
    created: datetime


class UndoneMoney(_Snapshot, frozen=True, kw_only=True):
    """A refund or a dispute as its list has it; `payment_intent` None for charges without one."""

    id: str
    payment_intent: str | None
    status: str


class EndpointSnapshot(_Snapshot, frozen=True, kw_only=True):
    """Where Stripe sends which events; `api_version` None is the account's own."""

    id: str
    url: str
    is_enabled: bool
    types: tuple[str, ...]
    api_version: str | None
