"""Sending a person to pay at Stripe, or to manage what they pay for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Literal, TypeVar

from velvetrope.domain.errors import NeedsOperator, Permanent, RetryLater
from velvetrope.domain.states import CheckoutState, Interval
from velvetrope.gateways.stripe import metadata as tags
from velvetrope.gateways.stripe.requests import CheckoutRequest, CustomerRequest
from velvetrope.store import owners
from velvetrope.store.models import Checkout, Customer, Entitlement
from velvetrope.usecases import membership
from velvetrope.usecases.services import DEEP_LINK

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from velvetrope.gateways.stripe.gateway import StripeGateway
    from velvetrope.gateways.stripe.snapshots import CheckoutSessionSnapshot
    from velvetrope.pipeline.work import CustomerKey, Event, Work
    from velvetrope.store.catalogue import IntegrationView, PlanView
    from velvetrope.usecases.services import Services

#: Stripe keeps a session for at most 24 hours; the hour between covers retries of its making.
SESSION_LIFE = timedelta(hours=23)
#: A link that is about to close isn't handed out again.
LEAST_LIFE = timedelta(minutes=10)
#: The deep-link payload with which Checkout and the portal send people back into the bot.
BACK = "back"

NO_SUCH_OBJECT = "stripe_not_found"
#: Idempotency keys that are tried for one object.
KEYS = 4

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class CheckoutOffer:
    """A session that can be paid; `completed` means that it was paid meanwhile: sync it instead."""

    url: str
    plan: PlanView
    session: CheckoutSessionSnapshot
    stripe_customer_id: str
    reused: bool

    @property
    def completed(self) -> bool:
        return self.session.status == "complete"


@dataclass(frozen=True, slots=True)
class _Buyer:
    """What is known of the person before Stripe is asked."""

    stripe_customer_id: str | None
    #: The newest session of the plan that may still be open.
    session_id: str | None
    name: str
    language: str
    #: A trial of this integration has been begun before, and there is one for each person.
    tried: bool


async def offer_checkout(
    services: Services, key: CustomerKey, plan_id: int, event: Event, *, language: str
) -> CheckoutOffer:
    """Give the session in which the person pays for a plan: the one that is open, or a new one.

    The same event gets the same session: its id is in the idempotency key, and the session's end
    follows from the event's time unless that is over. Raises Permanent `plan_not_for_sale` if the
    plan can't be bought (any more).
    """
    view = await services.view(key[0])
    plan = None if view is None else view.plan(plan_id)
    if view is None or plan is None or not plan.for_sale:
        raise Permanent("plan_not_for_sale")
    gateway = await services.stripe.gateway(view.stripe_account_id)
    buyer = await services.db.read(lambda: _read_buyer(key, plan_id, event))
    if buyer.session_id is not None:
        session = await _find_session(gateway, buyer.session_id)
        if session is not None and session.status != "expired" and _is_usable(session):
            customer_id = session.customer or buyer.stripe_customer_id or ""
            return CheckoutOffer(session.url or "", plan, session, customer_id, reused=True)
    customer_id = buyer.stripe_customer_id or await _make_customer(
        services, gateway, view, key, buyer, f"customer:{view.bot_id}:{key[1]}"
    )
    opened_at, is_new = event.received_at, False
    while True:
        request = _request(
            services,
            view,
            plan,
            key,
            customer_id,
            opened_at=opened_at,
            language=language,
            buyer=buyer,
        )
        try:
            session = await _made_once(
                partial(gateway.create_checkout_session, request),
                f"checkout:{event.id}:{_digest(request)}",
            )
        except Permanent as error:
            if _is_lost_customer(error) and not is_new:
                # Deleted at Stripe: the person gets a new one, once for this event.
                name = f"customer:{view.bot_id}:{key[1]}:{event.id}"
                customer_id = await _make_customer(services, gateway, view, key, buyer, name)
                is_new = True
            elif error.data.get("param") == "expires_at" and opened_at == event.received_at:
                opened_at = services.clock()  # the wish has waited for the better part of a day
            else:
                raise
        else:
            return CheckoutOffer(session.url or "", plan, session, customer_id, reused=False)


def record_offer(work: Work, customer: Customer, offer: CheckoutOffer) -> None:
    """Keep whose session it is and who pays at Stripe; doors may wait for it."""
    if customer.stripe_customer_id != offer.stripe_customer_id and offer.stripe_customer_id:
        customer.stripe_customer_id = offer.stripe_customer_id
        work.save(customer)
    rows = work.checkouts(customer)
    if any(row.stripe_session_id == offer.session.id for row in rows):
        return
    work.save(
        Checkout(
            customer_id=customer.id,
            plan_id=offer.plan.id,
            stripe_session_id=offer.session.id,
            url=offer.url,
            state=CheckoutState.OPEN.value,
            expires_at=offer.session.expires_at,
            created_at=work.now,
        )
    )
    membership.reconcile(work, customer)  # a request at the door waits from now on


async def offer_portal(services: Services, key: CustomerKey, *, language: str) -> str:
    """Give the address where the person manages what they pay for; it lives for minutes.

    Raises Permanent `nothing_to_manage` for somebody who never paid.
    """
    view = await services.view(key[0])
    customer_id = await services.db.read(lambda: owners.find_payer(*key))
    if view is None or customer_id is None:
        raise Permanent("nothing_to_manage")
    gateway = await services.stripe.gateway(view.stripe_account_id)
    try:
        return await gateway.create_portal_session(customer_id, back_link(view), language=language)
    except Permanent as error:
        if _is_lost_customer(error):
            raise Permanent("nothing_to_manage") from None
        if error.code == "stripe_invalid_request":
            raise NeedsOperator("stripe_portal_not_configured") from None
        raise


def back_link(view: IntegrationView) -> str:
    return f"{DEEP_LINK}/{view.bot_username}?start={BACK}"


def _read_buyer(key: CustomerKey, plan_id: int, event: Event) -> _Buyer:
    customer = Customer.objects.filter(integration_id=key[0], telegram_user_id=key[1]).first()
    if customer is None:
        return _Buyer(None, None, "", "", tried=False)
    session_id = (
        Checkout.objects.filter(
            customer=customer,
            plan_id=plan_id,
            state=CheckoutState.OPEN.value,
            expires_at__gt=event.received_at + LEAST_LIFE,
        )
        .order_by("-id")
        .values_list("stripe_session_id", flat=True)
        .first()
    )
    return _Buyer(
        stripe_customer_id=customer.stripe_customer_id,
        session_id=session_id,
        name=customer.first_name,
        language=customer.chosen_language or customer.telegram_language,
        tried=Entitlement.objects.filter(customer=customer, trial_end__isnull=False).exists(),
    )


async def _find_session(gateway: StripeGateway, session_id: str) -> CheckoutSessionSnapshot | None:
    try:
        return await gateway.fetch_checkout_session(session_id)
    except Permanent as error:
        if error.code != NO_SUCH_OBJECT:
            raise
        return None


def _is_usable(session: CheckoutSessionSnapshot) -> bool:
    return session.status == "complete" or bool(session.url)


async def _make_customer(
    services: Services,
    gateway: StripeGateway,
    view: IntegrationView,
    key: CustomerKey,
    buyer: _Buyer,
    idempotency_key: str,
) -> str:
    request = CustomerRequest(
        metadata=tags.build(_tag(services, view, key, None, buyer.language)),
        name=buyer.name or None,
        language=buyer.language or None,
    )
    made = await _made_once(
        partial(gateway.create_customer, request), f"{idempotency_key}:{_digest(request)}"
    )
    return made.id


def _digest(request: CheckoutRequest | CustomerRequest) -> str:
    """Tell requests apart: Stripe refuses a key that comes back with another request.

    A name, a language or a plan may change between two tries. Nobody has what was made by the
    first one then, since its answer was lost.
    """
    return sha256(repr(request).encode()).hexdigest()[:16]


async def _made_once(make: Callable[[str], Awaitable[T]], key: str) -> T:
    """Make an object under an idempotency key, or under the next one where Stripe is stuck.

    Stripe keeps a failure of its own for 24 hours and answers the same key with it: nothing was
    made then, so another key makes it once all the same.
    """
    for number in range(KEYS - 1):
        try:
            return await make(key if not number else f"{key}:{number}")
        except RetryLater as error:
            if not error.data.get("replayed"):
                raise
    return await make(f"{key}:{KEYS - 1}")


def _tag(
    services: Services,
    view: IntegrationView,
    key: CustomerKey,
    plan: PlanView | None,
    language: str,
) -> tags.OwnerTag:
    return tags.OwnerTag(
        installation=services.installation,
        integration=view.bot_id,
        telegram_user_id=key[1],
        telegram_chat_id=key[1],
        plan=None if plan is None else plan.price_id,
        language=language or None,
    )


def _request(
    services: Services,
    view: IntegrationView,
    plan: PlanView,
    key: CustomerKey,
    customer_id: str,
    *,
    opened_at: datetime,
    language: str,
    buyer: _Buyer,
) -> CheckoutRequest:
    mode: Literal["subscription", "payment"] = (
        "payment" if plan.interval is Interval.ONE_TIME else "subscription"
    )
    return CheckoutRequest(
        price_id=plan.price_id,
        mode=mode,
        customer=customer_id,
        client_reference_id=f"{view.bot_id}-{key[1]}",
        metadata=tags.build(_tag(services, view, key, plan, language)),
        success_url=back_link(view),
        cancel_url=back_link(view),
        locale=language,
        allow_promotion_codes=plan.allow_promotion_codes,
        trial_days=plan.trial_days if mode == "subscription" and not buyer.tried else None,
        expires_at=opened_at + SESSION_LIFE,
    )


def _is_lost_customer(error: Permanent) -> bool:
    return error.code == NO_SUCH_OBJECT and error.data.get("param") in {"customer", None}
