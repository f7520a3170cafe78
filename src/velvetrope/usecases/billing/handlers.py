"""Which event names which object; the rest is the same for all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from velvetrope.domain.states import EventOutcome
from velvetrope.gateways.stripe.events import EventPeek, peek_event
from velvetrope.pipeline import jobs
from velvetrope.store import owners
from velvetrope.usecases import membership
from velvetrope.usecases.accounts import is_of_other_mode
from velvetrope.usecases.billing.applying import apply_facts
from velvetrope.usecases.billing.facts import BillingFacts
from velvetrope.usecases.billing.fetching import Fetcher
from velvetrope.usecases.billing.rechecks import RecheckOrder
from velvetrope.usecases.observing import observe

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from velvetrope.pipeline.work import CustomerKey, Event, Handler, Work
    from velvetrope.usecases.services import Services

    #: Fetches what an event names.
    Fetch = Callable[[Fetcher, EventPeek], Awaitable[BillingFacts | None]]

MONEY_FAILED = "checkout.session.async_payment_failed"


class _Applies:
    """The applying half that all handlers of this module share."""

    def subjects(self, event: Event, facts: BillingFacts | None) -> Sequence[CustomerKey]:  # noqa: ARG002  port
        return [] if facts is None or facts.owner is None else [facts.owner]

    def apply(self, event: Event, facts: BillingFacts | None, work: Work) -> str | None:  # noqa: ARG002  port
        return EventOutcome.IGNORED.value if facts is None else apply_facts(work, facts)


class SyncHandler(_Applies):
    """Fetches the object that a Stripe event names, and applies it as it is now."""

    def __init__(self, services: Services, fetch: Fetch) -> None:
        self._services = services
        self._fetch = fetch

    async def prepare(self, event: Event) -> BillingFacts | None:
        peek = peek_event(event.payload)
        if await is_of_other_mode(self._services.stripe, event.account, livemode=peek.livemode):
            return BillingFacts(owner=None, asked_at=self._services.clock())
        facts = await self._fetch(Fetcher(self._services, event.account), peek)
        if facts is None or facts.owner is None:
            return facts
        seen = await observe(self._services, facts.owner) if facts.opens else ()
        failed = event.kind == MONEY_FAILED
        return msgspec.structs.replace(facts, seen=seen, money_failed=failed)


class RecheckHandler(_Applies):
    """Looks again at what a customer's entitlements rest on, and decides anew."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def prepare(self, event: Event) -> BillingFacts | None:
        order = jobs.decode(event.payload, RecheckOrder)
        owner = (order.integration_id, order.telegram_user_id)
        return await look_again(self._services, owner)

    def apply(self, event: Event, facts: BillingFacts | None, work: Work) -> str | None:
        if facts is not None and facts.owner is not None:
            customer = work.customer(facts.owner)
            if customer is None:
                return EventOutcome.IGNORED.value  # erased since
            membership.forget_passing_trouble(work, customer)
        return super().apply(event, facts, work)


class CustomerDeletedHandler:
    """A Stripe customer is gone, and its subscriptions with it: look at all whom it paid for."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def prepare(self, event: Event) -> DeletedCustomer | None:
        peek = peek_event(event.payload)
        name = peek.customer
        if name is None:
            return None
        if await is_of_other_mode(self._services.stripe, event.account, livemode=peek.livemode):
            return DeletedCustomer(name, ())
        found = await self._services.db.read(
            lambda: owners.list_customers_of_stripe(name, event.account)
        )
        looks = [await look_again(self._services, owner) for owner in found]
        return DeletedCustomer(name, tuple(facts for facts in looks if facts is not None))

    def subjects(self, event: Event, facts: DeletedCustomer | None) -> Sequence[CustomerKey]:  # noqa: ARG002  port
        return [] if facts is None else [one.owner for one in facts.looks if one.owner is not None]

    def apply(self, event: Event, facts: DeletedCustomer | None, work: Work) -> str | None:  # noqa: ARG002  port
        if facts is None:
            return EventOutcome.IGNORED.value
        for look in facts.looks:
            apply_facts(work, look)
            customer = None if look.owner is None else work.customer(look.owner)
            if customer is None or customer.stripe_customer_id != facts.name:
                continue
            customer.stripe_customer_id = None
            work.save(customer)
            work.audit(
                "stripe_customer_deleted",
                subject="customer",
                subject_id=customer.id,
                integration_id=customer.integration_id,
                before={"stripe_customer": facts.name},
            )
        return (EventOutcome.HANDLED if facts.looks else EventOutcome.FOREIGN).value


@dataclass(frozen=True, slots=True)
class DeletedCustomer:
    """A Stripe customer that is gone, with a look at each for whom it paid."""

    name: str
    looks: tuple[BillingFacts, ...]


async def look_again(services: Services, owner: tuple[int, int]) -> BillingFacts | None:
    """Fetch everything that a customer's entitlements rest on; None if there is nobody."""
    view = await services.view(owner[0])
    if view is None:
        return None
    names, payer = await services.db.read(
        lambda: (owners.list_names(*owner), owners.find_stripe_customer(*owner))
    )
    return await Fetcher(services, view.stripe_account_id).known(owner, names, payer)


async def _session(fetcher: Fetcher, peek: EventPeek) -> BillingFacts | None:
    return None if peek.object_id is None else await fetcher.session(peek.object_id)


async def _subscription(fetcher: Fetcher, peek: EventPeek) -> BillingFacts | None:
    return None if peek.subscription is None else await fetcher.subscription(peek.subscription)


async def _invoice(fetcher: Fetcher, peek: EventPeek) -> BillingFacts | None:
    return None if peek.invoice is None else await fetcher.invoice(peek.invoice)


async def _payment(fetcher: Fetcher, peek: EventPeek) -> BillingFacts | None:
    if peek.payment_intent is not None:
        return await fetcher.payment(peek.payment_intent)
    return None if peek.charge is None else await fetcher.charge(peek.charge)


#: The types of events, and how to fetch what they name.
SYNCS: Mapping[str, Fetch] = {
    "checkout.session.completed": _session,
    "checkout.session.async_payment_succeeded": _session,
    "checkout.session.async_payment_failed": _session,
    "checkout.session.expired": _session,
    "customer.subscription.created": _subscription,
    "customer.subscription.updated": _subscription,
    "customer.subscription.deleted": _subscription,
    "customer.subscription.paused": _subscription,
    "customer.subscription.resumed": _subscription,
    "customer.subscription.trial_will_end": _subscription,
    "invoice.paid": _invoice,
    "invoice.payment_succeeded": _invoice,
    "invoice.payment_failed": _invoice,
    "invoice.payment_action_required": _invoice,
    "charge.refunded": _payment,
    "refund.created": _payment,
    "refund.updated": _payment,
    "refund.failed": _payment,
    "charge.dispute.created": _payment,
    # An inquiry of the bank becomes a dispute by these two.
    "charge.dispute.updated": _payment,
    "charge.dispute.funds_withdrawn": _payment,
    "charge.dispute.closed": _payment,
}


CUSTOMER_DELETED = "customer.deleted"
#: All types of events about money and rights.
BILLING_EVENTS = (*SYNCS, CUSTOMER_DELETED)


def billing_handlers(services: Services) -> dict[str, Handler[Any]]:
    """Give the handlers of Stripe's events about money and rights, by type."""
    handlers: dict[str, Handler[Any]] = {
        kind: SyncHandler(services, fetch) for kind, fetch in SYNCS.items()
    }
    handlers[CUSTOMER_DELETED] = CustomerDeletedHandler(services)
    return handlers
