"""The preparing half: from the name of an object to what Stripe says of it now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from velvetrope.domain.errors import Permanent
from velvetrope.gateways.stripe.snapshots import (
    CheckoutSessionSnapshot,
    PaymentSnapshot,
    SubscriptionSnapshot,
)
from velvetrope.store import owners
from velvetrope.usecases.billing.facts import BillingFacts
from velvetrope.usecases.billing.ownership import find_owner

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from velvetrope.gateways.stripe.gateway import StripeGateway
    from velvetrope.usecases.services import Services

NOT_FOUND = "stripe_not_found"
#: Statuses of subscriptions whose first payment didn't come.
NEVER_RAN = frozenset({"incomplete", "incomplete_expired"})


class Fetcher:
    """Fetches the objects of one Stripe account; each method is one kind of object."""

    def __init__(self, services: Services, account_id: int) -> None:
        self._services = services
        self._account_id = account_id

    async def session(self, session_id: str) -> BillingFacts:
        """Fetch a Checkout Session and what it made."""
        asked_at = self._services.clock()
        gateway = await self._gateway()
        session = await gateway.fetch_checkout_session(session_id)
        owner = await find_owner(
            self._services,
            self._account_id,
            name=session.id,
            metadata=session.metadata,
            customer_id=session.customer,
            session_id=session.id,
        )
        if owner is None:
            return BillingFacts(owner=None, asked_at=asked_at)
        subscriptions: tuple[SubscriptionSnapshot, ...] = ()
        payments: tuple[PaymentSnapshot, ...] = ()
        if session.subscription is not None:
            subscriptions = (await gateway.fetch_subscription(session.subscription),)
        elif session.payment_intent is not None and session.status == "complete":
            payments = (await gateway.fetch_payment(session.payment_intent),)
        return BillingFacts(
            owner=owner,
            asked_at=asked_at,
            sessions=(session,),
            subscriptions=subscriptions,
            payments=payments,
            unpaid=await self._unpaid(subscriptions),
        )

    async def subscription(self, subscription_id: str) -> BillingFacts:
        asked_at = self._services.clock()
        gateway = await self._gateway()
        subscription = await gateway.fetch_subscription(subscription_id)
        return await self._of_subscription(subscription, (), asked_at)

    async def invoice(self, invoice_id: str) -> BillingFacts:
        """Fetch the subscription that an invoice is for; other invoices are nobody's."""
        asked_at = self._services.clock()
        gateway = await self._gateway()
        subscription = await gateway.fetch_subscription_of_invoice(invoice_id)
        if subscription is None:
            return BillingFacts(owner=None, asked_at=asked_at)
        return await self._of_subscription(subscription, (), asked_at)

    async def payment(self, payment_intent_id: str) -> BillingFacts:
        asked_at = self._services.clock()
        gateway = await self._gateway()
        return await self._of_payment(await gateway.fetch_payment(payment_intent_id), asked_at)

    async def charge(self, charge_id: str) -> BillingFacts:
        asked_at = self._services.clock()
        gateway = await self._gateway()
        payment = await gateway.fetch_payment_of_charge(charge_id)
        if payment is None:  # a charge from before payment intents
            return BillingFacts(owner=None, asked_at=asked_at)
        return await self._of_payment(payment, asked_at)

    async def known(
        self, owner: tuple[int, int], names: Sequence[str], stripe_customer_id: str | None = None
    ) -> BillingFacts:
        """Fetch again what a customer's rights and purchases rest on, by the names of it all.

        And the subscriptions of their Stripe customer, whose every event may have been lost.
        """
        asked_at = self._services.clock()
        found: dict[str, SubscriptionSnapshot | PaymentSnapshot | CheckoutSessionSnapshot] = {}
        missing: set[str] = set()
        left = list(names)
        if stripe_customer_id is not None:
            left += await self._unknown(owner, stripe_customer_id)
        while left:  # a purchase names what came of it
            name = left.pop(0)
            if name in found:
                continue
            try:
                found[name] = await self._object(name)
            except Permanent as error:
                if error.code != NOT_FOUND:
                    raise
                missing.add(name)
                continue
            if isinstance(session := found[name], CheckoutSessionSnapshot):
                left += _made_by(session)
        kinds = found.values()
        subscriptions = tuple(one for one in kinds if isinstance(one, SubscriptionSnapshot))
        return BillingFacts(
            owner=owner,
            asked_at=asked_at,
            sessions=tuple(one for one in kinds if isinstance(one, CheckoutSessionSnapshot)),
            subscriptions=subscriptions,
            payments=tuple(one for one in kinds if isinstance(one, PaymentSnapshot)),
            unpaid=await self._unpaid(subscriptions),
            missing=frozenset(missing),
            is_whole=True,
        )

    async def _unknown(self, owner: tuple[int, int], stripe_customer_id: str) -> list[str]:
        """Find the names of a Stripe customer's subscriptions that have no record here.

        They count where they are the owner's: one Stripe customer may buy of several bots, and of
        other products. What never began to run is left to its events.
        """
        gateway = await self._gateway()
        try:
            listed = await gateway.fetch_customer_subscriptions(stripe_customer_id)
        except Permanent as error:
            if error.code != NOT_FOUND:
                raise
            return []  # deleted: what it had is asked for by name
        names = [one.id for one in listed]
        recorded = await self._services.db.read(lambda: owners.find_recorded(names))
        return [
            one.id
            for one in listed
            if one.id not in recorded
            and one.status not in NEVER_RAN
            and await self._owner_of(one) == owner
        ]

    async def _owner_of(self, subscription: SubscriptionSnapshot) -> tuple[int, int] | None:
        return await find_owner(
            self._services,
            self._account_id,
            name=subscription.id,
            metadata=subscription.metadata,
            customer_id=subscription.customer,
        )

    async def _object(
        self, name: str
    ) -> SubscriptionSnapshot | PaymentSnapshot | CheckoutSessionSnapshot:
        gateway = await self._gateway()
        if name.startswith("sub_"):
            return await gateway.fetch_subscription(name)
        if name.startswith("cs_"):
            return await gateway.fetch_checkout_session(name)
        return await gateway.fetch_payment(name)

    async def _of_subscription(
        self,
        subscription: SubscriptionSnapshot,
        payments: tuple[PaymentSnapshot, ...],
        asked_at: datetime,
    ) -> BillingFacts:
        return BillingFacts(
            owner=await self._owner_of(subscription),
            asked_at=asked_at,
            subscriptions=(subscription,),
            payments=payments,
            unpaid=await self._unpaid((subscription,)),
        )

    async def _unpaid(self, subscriptions: Sequence[SubscriptionSnapshot]) -> frozenset[str]:
        """Find new invoices that don't make up yet for money that went back."""
        names = [one.id for one in subscriptions]
        taken_back = await self._services.db.read(lambda: owners.find_taken_back(names))
        unpaid = set()
        for one in subscriptions:
            if one.id in taken_back and one.latest_invoice is not None:
                gateway = await self._gateway()
                if (await gateway.fetch_invoice(one.latest_invoice)).status != "paid":
                    unpaid.add(one.latest_invoice)
        return frozenset(unpaid)

    async def _of_payment(self, payment: PaymentSnapshot, asked_at: datetime) -> BillingFacts:
        if payment.subscription is not None:
            gateway = await self._gateway()
            subscription = await gateway.fetch_subscription(payment.subscription)
            return await self._of_subscription(subscription, (payment,), asked_at)
        owner = await find_owner(
            self._services,
            self._account_id,
            name=payment.id,
            metadata=payment.metadata,
            customer_id=payment.customer,
            session_id=payment.session,
        )
        return BillingFacts(owner=owner, asked_at=asked_at, payments=(payment,))

    async def _gateway(self) -> StripeGateway:
        return await self._services.stripe.gateway(self._account_id)


def _made_by(session: CheckoutSessionSnapshot) -> list[str]:
    if session.subscription is not None:
        return [session.subscription]
    paid = session.payment_intent if session.status == "complete" else None
    return [] if paid is None else [paid]
