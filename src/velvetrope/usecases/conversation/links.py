"""Links that Stripe makes: to pay for a plan, or to manage what is paid for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import structlog

from velvetrope.domain.errors import NeedsOperator, Permanent, RetryLater
from velvetrope.domain.states import CheckoutState
from velvetrope.store.models import Checkout, Customer, Entitlement
from velvetrope.usecases import checkout
from velvetrope.usecases.billing.applying import apply_facts
from velvetrope.usecases.billing.fetching import Fetcher
from velvetrope.usecases.conversation import holdings
from velvetrope.usecases.wording import messages
from velvetrope.usecases.wording.language import language_of

if TYPE_CHECKING:
    from velvetrope.pipeline.work import CustomerKey, Event, Work
    from velvetrope.store.catalogue import PlanView
    from velvetrope.usecases.billing.facts import BillingFacts
    from velvetrope.usecases.services import Services
    from velvetrope.usecases.wording.outgoing import OutgoingMessage
    from velvetrope.usecases.wording.words import Words


log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Asked:
    """A link that a person asked for: to a plan's checkout, or to the portal without a plan."""

    plan_id: int | None
    #: What Telegram says of the language; one that was chosen before wins.
    telegram_language: str


@dataclass(frozen=True, slots=True)
class Offer:
    """A Checkout Session; `paid` is what Stripe knows of it if it has been paid meanwhile."""

    checkout: checkout.CheckoutOffer
    paid: BillingFacts | None


@dataclass(frozen=True, slots=True)
class Portal:
    url: str


@dataclass(frozen=True, slots=True)
class Settled:
    """No link is wanted: the plan is held, awaited or gone, or there is nothing to manage."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Stripe gave no link this time; `passing` trouble is tried again by itself."""

    passing: bool


#: What Stripe's side of a wish came to.
Found: TypeAlias = Offer | Portal | Settled


@dataclass(frozen=True, slots=True)
class _Reader:
    chosen_language: str
    telegram_language: str


async def fetch_link(services: Services, key: CustomerKey, asked: Asked, event: Event) -> Found:
    """Ask Stripe for a link; raises its trouble of the three kinds."""
    view = await services.view(key[0])
    if view is None:
        return Settled()
    chosen, wanted = await services.db.read(lambda: _read(key, asked.plan_id))
    language = language_of(_Reader(chosen, asked.telegram_language), view)
    try:
        if asked.plan_id is None:
            return Portal(await checkout.offer_portal(services, key, language=language))
        if not wanted:
            return Settled()
        offer = await checkout.offer_checkout(
            services, key, asked.plan_id, event, language=language
        )
    except Permanent as error:
        if error.code in {"plan_not_for_sale", "nothing_to_manage"}:
            return Settled()
        raise
    paid = None
    if offer.completed:
        paid = await Fetcher(services, view.stripe_account_id).session(offer.session.id)
    return Offer(offer, paid)


async def try_link(
    services: Services, key: CustomerKey, asked: Asked, event: Event
) -> Found | Refusal:
    """Ask Stripe for a link while the person waits: trouble becomes an answer, too."""
    try:
        return await fetch_link(services, key, asked, event)
    except (RetryLater, NeedsOperator, Permanent) as error:
        log.warning("link_not_made", event_id=event.id, integration_id=key[0], error=str(error))
        return Refusal(passing=isinstance(error, RetryLater))


def say_link(
    work: Work, words: Words, customer: Customer, asked: Asked, answer: Found
) -> OutgoingMessage | None:
    """Say what came of it; None if the link's session turned out to be paid.

    Then what is news of that has been told by the way. If nothing of it is left (`is_settled`),
    another link is still to be given.
    """
    if isinstance(answer, Portal):
        return messages.portal_link(words, answer.url)
    return _say_about_plan(work, words, customer, asked, answer)


def is_settled(work: Work, customer: Customer, plan_id: int) -> bool:
    """Tell whether the person neither needs nor gets a link to pay for a plan."""
    awaited = any(
        row.plan_id == plan_id and row.state == CheckoutState.PENDING.value
        for row in work.checkouts(customer)
    )
    return (
        awaited
        or holdings.holds_plan(work, customer, plan_id)
        or holdings.owes_for_plan(work.entitlements(customer), plan_id)
    )


def _say_about_plan(
    work: Work, words: Words, customer: Customer, asked: Asked, answer: Offer | Settled
) -> OutgoingMessage | None:
    if asked.plan_id is None:
        return messages.nothing_to_manage(words)
    plan = words.view.plan(asked.plan_id)
    if plan is None:
        return messages.plan_not_sold(words)
    if holdings.holds_plan(work, customer, plan.id):
        return holdings.already_yours(work, words, customer, plan)
    if holdings.owes_for_plan(work.entitlements(customer), plan.id):
        return messages.payment_failed(words, plan, None)
    if plan in holdings.pending(work, words.view, customer):
        return messages.payment_pending(words, plan)
    return _say_checkout(work, words, customer, plan, answer)


def _say_checkout(
    work: Work, words: Words, customer: Customer, plan: PlanView, answer: Offer | Settled
) -> OutgoingMessage | None:
    if isinstance(answer, Settled):
        return messages.plan_not_sold(words)
    checkout.record_offer(work, customer, answer.checkout)
    if answer.paid is not None:
        apply_facts(work, answer.paid)
        return None
    return messages.checkout_link(words, plan, answer.checkout.url)


def _read(key: CustomerKey, plan_id: int | None) -> tuple[str, bool]:
    """Read the chosen language, and whether the plan is neither held nor waits for money."""
    customer = Customer.objects.filter(integration_id=key[0], telegram_user_id=key[1]).first()
    if customer is None:
        return "", True
    if plan_id is None:
        return customer.chosen_language, False
    rights = Entitlement.objects.filter(customer=customer, plan_id=plan_id)
    awaited = Checkout.objects.filter(
        customer=customer, plan_id=plan_id, state=CheckoutState.PENDING.value
    )
    held = any(holdings.holds_for_good(row) for row in rights)
    wanted = not (held or holdings.owes_for_plan(rights, plan_id) or awaited.exists())
    return customer.chosen_language, wanted
