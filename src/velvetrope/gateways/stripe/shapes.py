"""Stripe's objects at the pinned version, as far as they are read, and the snapshots they become.

Each record lists the members that a snapshot needs at the paths that the pinned version has; an
answer without them is refused as a whole instead of being half understood.
"""

from __future__ import annotations

import msgspec

from velvetrope.gateways.stripe import snapshots
from velvetrope.gateways.stripe.parts import (
    InvoiceParent,
    Metadata,
    Named,
    Reference,
    Seconds,
    Transitions,
    id_of,
    moment,
    moment_or_none,
)


class _Dashboard(msgspec.Struct, frozen=True):
    display_name: str | None = None


class _AccountSettings(msgspec.Struct, frozen=True):
    dashboard: _Dashboard = _Dashboard()


class _BusinessProfile(msgspec.Struct, frozen=True):
    name: str | None = None


class Account(msgspec.Struct, frozen=True):
    id: str
    country: str | None = None
    default_currency: str | None = None
    charges_enabled: bool = False
    business_profile: _BusinessProfile | None = None
    settings: _AccountSettings | None = None

    def snapshot(self, *, livemode: bool) -> snapshots.AccountSnapshot:
        """Build the snapshot; the account itself does not say which mode the key is of."""
        shown = self.settings.dashboard.display_name if self.settings else None
        public = self.business_profile.name if self.business_profile else None
        return snapshots.AccountSnapshot(
            id=self.id,
            name=shown or public or self.id,
            country=self.country,
            default_currency=self.default_currency,
            charges_enabled=self.charges_enabled,
            livemode=livemode,
        )


class _Recurring(msgspec.Struct, frozen=True):
    interval: str
    interval_count: int = 1


class _Product(msgspec.Struct, frozen=True):
    id: str
    name: str = ""
    active: bool = False  # a deleted product is its id and little else
    deleted: bool = False


class Price(msgspec.Struct, frozen=True):
    """A price fetched with its product expanded."""

    id: str
    active: bool
    currency: str
    livemode: bool
    product: _Product
    unit_amount: int | None = None
    recurring: _Recurring | None = None

    def snapshot(self) -> snapshots.PriceSnapshot:
        recurring = self.recurring
        return snapshots.PriceSnapshot(
            id=self.id,
            active=self.active,
            currency=self.currency,
            unit_amount=self.unit_amount,
            interval=recurring.interval if recurring else None,
            interval_count=recurring.interval_count if recurring else 1,
            product_id=self.product.id,
            product_name=self.product.name,
            product_active=self.product.active and not self.product.deleted,
            livemode=self.livemode,
        )


class Invoice(msgspec.Struct, frozen=True):
    id: str
    currency: str
    amount_due: int
    amount_paid: int
    attempt_count: int
    created: Seconds
    livemode: bool
    status: str | None = None
    customer: Reference = None
    parent: InvoiceParent | None = None
    hosted_invoice_url: str | None = None
    billing_reason: str | None = None
    status_transitions: Transitions = Transitions()

    def snapshot(self) -> snapshots.InvoiceSnapshot:
        details = self.parent.subscription_details if self.parent else None
        return snapshots.InvoiceSnapshot(
            id=self.id,
            status=self.status,
            customer=id_of(self.customer),
            subscription=id_of(details.subscription) if details else None,
            subscription_metadata=(details.metadata if details else None) or {},
            hosted_invoice_url=self.hosted_invoice_url,
            amount_due=self.amount_due,
            amount_paid=self.amount_paid,
            currency=self.currency,
            attempt_count=self.attempt_count,
            created=moment(self.created),
            livemode=self.livemode,
            paid_at=moment_or_none(self.status_transitions.paid_at),
            reason=self.billing_reason,
        )


class _ItemPrice(msgspec.Struct, frozen=True):
    id: str
    product: Reference = None


class _SubscriptionItem(msgspec.Struct, frozen=True):
    price: _ItemPrice
    current_period_end: Seconds | None = None
    discounts: tuple[object, ...] = ()


class _SubscriptionItems(msgspec.Struct, frozen=True):
    data: tuple[_SubscriptionItem, ...]


class _Cancellation(msgspec.Struct, frozen=True):
    reason: str | None = None


class Subscription(msgspec.Struct, frozen=True):
    id: str
    status: str
    customer: str | Named
    items: _SubscriptionItems
    created: Seconds
    livemode: bool
    cancel_at_period_end: bool = False
    metadata: Metadata = None
    cancel_at: Seconds | None = None
    ended_at: Seconds | None = None
    trial_end: Seconds | None = None
    pause_collection: dict[str, object] | None = None
    discounts: tuple[object, ...] = ()
    cancellation_details: _Cancellation | None = None
    #: Expanded where one subscription is fetched, an id in lists.
    latest_invoice: str | Invoice | None = None

    def snapshot(self) -> snapshots.SubscriptionSnapshot:
        items = self.items.data
        ends = [item.current_period_end for item in items if item.current_period_end is not None]
        details = self.cancellation_details
        latest = self.latest_invoice
        invoice = latest.snapshot() if isinstance(latest, Invoice) else None
        return snapshots.SubscriptionSnapshot(
            id=self.id,
            status=self.status,
            customer=id_of(self.customer) or "",
            metadata=self.metadata or {},
            price_ids=tuple(item.price.id for item in items),
            product_ids=tuple(id_of(item.price.product) or "" for item in items),
            current_period_end=moment_or_none(max(ends, default=None)),
            cancel_at=moment_or_none(self.cancel_at),
            cancel_at_period_end=self.cancel_at_period_end,
            ended_at=moment_or_none(self.ended_at),
            trial_end=moment_or_none(self.trial_end),
            paused_collection=self.pause_collection is not None,
            is_discounted=bool(self.discounts or any(item.discounts for item in items)),
            cancel_reason=details.reason if details else None,
            latest_invoice=latest.id if isinstance(latest, Invoice) else latest,
            created=moment(self.created),
            livemode=self.livemode,
            invoice=invoice,
        )


class CheckoutSession(msgspec.Struct, frozen=True):
    id: str
    mode: str
    payment_status: str
    expires_at: Seconds
    created: Seconds
    livemode: bool
    url: str | None = None
    status: str | None = None
    customer: Reference = None
    subscription: Reference = None
    payment_intent: Reference = None
    client_reference_id: str | None = None
    metadata: Metadata = None
    amount_total: int | None = None
    currency: str | None = None

    def snapshot(self) -> snapshots.CheckoutSessionSnapshot:
        return snapshots.CheckoutSessionSnapshot(
            id=self.id,
            url=self.url,
            status=self.status,
            mode=self.mode,
            payment_status=self.payment_status,
            customer=id_of(self.customer),
            subscription=id_of(self.subscription),
            payment_intent=id_of(self.payment_intent),
            client_reference_id=self.client_reference_id,
            metadata=self.metadata or {},
            expires_at=moment(self.expires_at),
            amount_total=self.amount_total,
            currency=self.currency,
            created=moment(self.created),
            livemode=self.livemode,
        )


class Charge(msgspec.Struct, frozen=True):
    payment_intent: Reference = None


class Customer(msgspec.Struct, frozen=True):
    """A customer; of a deleted one only the id is left."""

    id: str
    deleted: bool = False
    metadata: Metadata = None
    livemode: bool | None = None
    name: str | None = None
    created: Seconds | None = None

    def snapshot(self, *, livemode: bool) -> snapshots.CustomerSnapshot:
        """Build the snapshot; the key tells the mode where a deleted customer does not."""
        return snapshots.CustomerSnapshot(
            id=self.id,
            deleted=self.deleted,
            metadata=self.metadata or {},
            livemode=livemode if self.livemode is None else self.livemode,
            name=self.name or "",
            created=moment_or_none(self.created),
        )
