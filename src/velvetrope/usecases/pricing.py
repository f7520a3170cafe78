"""Stripe's events about prices and products: the copies of plans follow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from velvetrope.domain.states import EventOutcome
from velvetrope.gateways.stripe.events import peek_event
from velvetrope.store.models import Plan
from velvetrope.usecases.accounts import is_of_other_mode
from velvetrope.usecases.onboarding.examining import PriceFinding, examine_price
from velvetrope.usecases.onboarding.registering import state_prices, write_price

if TYPE_CHECKING:
    from collections.abc import Sequence

    from velvetrope.pipeline.work import CustomerKey, Event, Work
    from velvetrope.usecases.services import Services

#: Event types that may change what is sold.
PRICING_EVENTS = (
    "price.created",
    "price.updated",
    "price.deleted",
    "product.created",
    "product.updated",
    "product.deleted",
)


class PricingHandler:
    """Fetches the prices that an event may have changed, once each, for all who sell them."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def prepare(self, event: Event) -> list[PriceFinding]:
        peek = peek_event(event.payload)
        object_id = peek.object_id or ""
        column = "stripe_price_id" if event.kind.startswith("price.") else "product_id"
        price_ids = await self._services.db.read(lambda: _prices(event.account, column, object_id))
        if not price_ids:
            return []
        if await is_of_other_mode(self._services.stripe, event.account, livemode=peek.livemode):
            return []
        gateway = await self._services.stripe.gateway(event.account)
        return [await examine_price(gateway, price_id) for price_id in price_ids]

    def subjects(self, event: Event, facts: list[PriceFinding]) -> Sequence[CustomerKey]:  # noqa: ARG002  port
        return []

    def apply(self, event: Event, facts: list[PriceFinding], work: Work) -> str | None:
        if not facts:
            return EventOutcome.FOREIGN.value
        by_price = {found.price_id: found for found in facts}
        sold = Plan.objects.filter(
            integration__stripe_account_id=event.account, stripe_price_id__in=by_price
        ).values_list("integration_id", "stripe_price_id")
        for integration_id, price_id in list(sold):
            write_price(integration_id, by_price[price_id], work)
        for integration_id in {one for one, _ in sold}:
            state_prices(integration_id, work.now)
        return None


def _prices(account_id: int, column: str, value: str) -> list[str]:
    rows = Plan.objects.filter(integration__stripe_account_id=account_id, **{column: value})
    return sorted(set(rows.values_list("stripe_price_id", flat=True)))
