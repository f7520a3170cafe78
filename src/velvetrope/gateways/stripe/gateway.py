"""The product's view of one Stripe account: what it fetches, makes and lists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec
import stripe

from velvetrope.gateways.stripe import shapes
from velvetrope.gateways.stripe.asking import ask, each, read
from velvetrope.gateways.stripe.failures import fetch_first_failure
from velvetrope.gateways.stripe.pages import fetch_page
from velvetrope.gateways.stripe.parts import id_of
from velvetrope.gateways.stripe.payments import fetch_needs_action, fetch_payment
from velvetrope.gateways.stripe.requests import checkout_params, customer_params, locale_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import datetime

    from velvetrope.gateways.stripe.pages import Listing, Page
    from velvetrope.gateways.stripe.requests import CheckoutRequest, CustomerRequest
    from velvetrope.gateways.stripe.snapshots import (
        AccountSnapshot,
        CheckoutSessionSnapshot,
        CustomerSnapshot,
        InvoiceSnapshot,
        PaymentSnapshot,
        PriceSnapshot,
        SubscriptionSnapshot,
    )
    from velvetrope.gateways.stripe.transport import StripeTransport

S = TypeVar("S")

#: The version whose shapes are read here; webhook endpoints are to be made with the same.
API_VERSION: Final = "2026-10-28.endive"

#: The list of events takes this many types at once.
MAX_EVENT_TYPES: Final = 20


class _Page(msgspec.Struct, frozen=True):
    url: str


class StripeGateway:
    """One account at the pinned version; every method raises only the three kinds.

    Nothing is retried here: the pipeline decides. What is made takes an idempotency key, under
    which Stripe repeats its answer for 24 hours, a failure included: an error whose data has
    `replayed` true wants another key.
    """

    def __init__(self, api_key: str, *, base_url: str, http_client: StripeTransport) -> None:
        self._livemode = api_key.startswith(("sk_live_", "rk_live_"))
        client = stripe.StripeClient(
            api_key,
            stripe_version=API_VERSION,
            base_addresses={"api": base_url.rstrip("/")},
            max_network_retries=0,
            http_client=http_client,
        )
        self._api = client.v1

    def __repr__(self) -> str:
        return f"StripeGateway({'live' if self._livemode else 'test'} mode)"

    @property
    def livemode(self) -> bool:
        """Whether the key moves real money."""
        return self._livemode

    async def fetch_account(self) -> AccountSnapshot:
        found = await ask(self._api.accounts.retrieve_current_async(), shapes.Account)
        return found.snapshot(livemode=self._livemode)

    async def fetch_price(self, price_id: str) -> PriceSnapshot:
        """Fetch a price with its product."""
        call = self._api.prices.retrieve_async(price_id, {"expand": ["product"]})
        return (await ask(call, shapes.Price)).snapshot()

    async def fetch_subscription(self, subscription: str) -> SubscriptionSnapshot:
        """Fetch a subscription with its newest invoice; of one that is `past_due` more.

        Since when, and whether the invoice waits for the customer.
        """
        params: Any = {"expand": ["latest_invoice"]}
        call = self._api.subscriptions.retrieve_async(subscription, params)
        found = (await ask(call, shapes.Subscription)).snapshot()
        if found.status != "past_due":
            return found
        since = await fetch_first_failure(self._api, subscription)
        found = msgspec.structs.replace(found, past_due_since=since)
        if found.invoice is None or found.invoice.status != "open":
            return found
        waits = await fetch_needs_action(self._api, found.invoice.id)
        invoice = msgspec.structs.replace(found.invoice, needs_action=waits)
        return msgspec.structs.replace(found, invoice=invoice)

    async def fetch_checkout_session(self, session: str) -> CheckoutSessionSnapshot:
        call = self._api.checkout.sessions.retrieve_async(session)
        return (await ask(call, shapes.CheckoutSession)).snapshot()

    async def fetch_payment(self, payment_intent: str) -> PaymentSnapshot:
        """Fetch a payment with its refunds, disputes, invoice, subscription and session."""
        return await fetch_payment(self._api, payment_intent)

    async def fetch_customer(self, customer: str) -> CustomerSnapshot:
        found = await ask(self._api.customers.retrieve_async(customer), shapes.Customer)
        return found.snapshot(livemode=self._livemode)

    async def fetch_invoice(self, invoice: str) -> InvoiceSnapshot:
        return (await ask(self._api.invoices.retrieve_async(invoice), shapes.Invoice)).snapshot()

    async def fetch_customer_subscriptions(self, customer: str) -> tuple[SubscriptionSnapshot, ...]:
        """Fetch all subscriptions of a customer, ended ones included, newest first.

        Those that are `past_due` as `fetch_subscription` gives them.
        """
        params = {"customer": customer, "status": "all"}
        found = [subscription async for subscription in self._subscriptions(params)]
        return tuple(
            [
                await self.fetch_subscription(one.id) if one.status == "past_due" else one
                for one in found
            ]
        )

    async def fetch_payment_of_charge(self, charge: str) -> PaymentSnapshot | None:
        """Fetch the payment that a charge belongs to; None for one made without any."""
        found = await ask(self._api.charges.retrieve_async(charge), shapes.Charge)
        payment = id_of(found.payment_intent)
        return None if payment is None else await fetch_payment(self._api, payment)

    async def fetch_subscription_of_invoice(self, invoice: str) -> SubscriptionSnapshot | None:
        """Fetch the subscription that an invoice is for; None for an invoice of its own."""
        subscription = (await self.fetch_invoice(invoice)).subscription
        return None if subscription is None else await self.fetch_subscription(subscription)

    async def create_customer(
        self, request: CustomerRequest, idempotency_key: str
    ) -> CustomerSnapshot:
        call = self._api.customers.create_async(
            customer_params(request), {"idempotency_key": idempotency_key}
        )
        return (await ask(call, shapes.Customer)).snapshot(livemode=self._livemode)

    async def create_checkout_session(
        self, request: CheckoutRequest, idempotency_key: str
    ) -> CheckoutSessionSnapshot:
        call = self._api.checkout.sessions.create_async(
            checkout_params(request), {"idempotency_key": idempotency_key}
        )
        return (await ask(call, shapes.CheckoutSession)).snapshot()

    async def create_portal_session(
        self, customer: str, return_url: str, *, language: str | None = None
    ) -> str:
        """Make a short-lived address where the customer manages what they pay for."""
        call = self._api.billing_portal.sessions.create_async(
            {"customer": customer, "return_url": return_url, "locale": locale_for(language)}
        )
        return (await ask(call, _Page)).url

    async def fetch_page(
        self,
        listing: Listing[S],
        *,
        after: str | None = None,
        since: datetime | None = None,
        before: datetime | None = None,
        types: tuple[str, ...] = (),
    ) -> Page[S]:
        """Fetch one page of a list of the account, as `pages.fetch_page` tells.

        ValueError for more than 20 types of events.
        """
        if len(types) > MAX_EVENT_TYPES:
            raise ValueError(f"at most {MAX_EVENT_TYPES} types, not {len(types)}")
        return await fetch_page(
            self._api, listing, after=after, since=since, before=before, types=types
        )

    async def _subscriptions(self, params: dict[str, Any]) -> AsyncIterator[SubscriptionSnapshot]:
        async for member in each(self._api.subscriptions.list_async, params):
            yield read(member, shapes.Subscription).snapshot()
