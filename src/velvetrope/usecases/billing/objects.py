"""One object of Stripe, settled by its name as an event that names it would be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from velvetrope.domain.errors import Permanent
from velvetrope.domain.states import EventOutcome
from velvetrope.gateways.stripe import metadata as tags
from velvetrope.pipeline import jobs
from velvetrope.usecases import membership
from velvetrope.usecases.billing.applying import apply_facts
from velvetrope.usecases.billing.fetching import NOT_FOUND, Fetcher
from velvetrope.usecases.observing import observe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from velvetrope.pipeline.work import CustomerKey, Event, Work
    from velvetrope.usecases.billing.facts import BillingFacts
    from velvetrope.usecases.services import Services

FETCH: Final = "fetch_object"


class FetchOrder(msgspec.Struct, frozen=True, kw_only=True):
    """Fetch a subscription, payment or Checkout Session of an account, and let all follow from it.

    With `is_quiet` nothing is said: it is no news to anybody.
    """

    stripe_account_id: int
    name: str
    is_quiet: bool = False


class FetchHandler:
    """Does what an event would have had done."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def prepare(self, event: Event) -> BillingFacts | None:
        order = jobs.decode(event.payload, FetchOrder)
        try:
            facts = await self._fetch(Fetcher(self._services, order.stripe_account_id), order.name)
        except Permanent as error:
            if error.code != NOT_FOUND:
                raise
            return None  # gone since it was listed
        if order.is_quiet:
            return msgspec.structs.replace(facts, is_quiet=True)
        if facts.owner is None or not facts.opens:
            return facts
        return msgspec.structs.replace(facts, seen=await observe(self._services, facts.owner))

    async def _fetch(self, fetcher: Fetcher, name: str) -> BillingFacts:
        if name.startswith("sub_"):
            return await fetcher.subscription(name)
        if name.startswith("cs_"):
            return await fetcher.session(name)
        return await fetcher.payment(name)

    def subjects(self, event: Event, facts: BillingFacts | None) -> Sequence[CustomerKey]:  # noqa: ARG002  port
        return [] if facts is None or facts.owner is None else [facts.owner]

    def apply(self, event: Event, facts: BillingFacts | None, work: Work) -> str | None:  # noqa: ARG002  port
        if facts is None:
            return EventOutcome.IGNORED.value
        outcome = apply_facts(work, facts)
        if facts.is_quiet and facts.owner is not None:
            _bring_back(work, facts.owner, facts)
        return outcome


def _bring_back(work: Work, owner: CustomerKey, facts: BillingFacts) -> None:
    """Restore what no event tells of: that they spoke to the bot, and where they may be inside."""
    customer = work.customer(owner)
    if customer is None:
        return
    rows = work.entitlements(customer)
    if customer.started_at is None and rows:  # Stripe doesn't know the payer any more
        customer.started_at = customer.created_at = min(row.starts_at for row in rows)
        known = [*(one.metadata for one in facts.subscriptions)]
        known += [one.metadata for one in facts.payments]
        found = (tags.parse(metadata) for metadata in known)
        customer.telegram_language = next((tag.language or "" for tag in found if tag), "")
        work.save(customer)
    view = work.integration(customer.integration_id)
    for row in rows:
        plan = view.plan(row.plan_id)
        for chat in () if plan is None else view.chats_of(plan):
            if membership.find_access(work, customer, chat.id) is None:
                work.save(membership.new_access(customer, chat))
