"""What a look at one page of a list works with, and what it finds."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Protocol, TypeVar

import msgspec

from velvetrope.store import holdings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import timedelta

    from velvetrope.gateways.stripe.gateway import StripeGateway
    from velvetrope.gateways.stripe.metadata import OwnerTag
    from velvetrope.gateways.stripe.pages import Listing, Page
    from velvetrope.pipeline.work import CustomerKey
    from velvetrope.store.catalogue import IntegrationView
    from velvetrope.store.holdings import Holding
    from velvetrope.usecases.reconciling.orders import Counts, Edge, ListOrder
    from velvetrope.usecases.services import Services

S = TypeVar("S")


class Wanted(msgspec.Struct, frozen=True):
    """An object to be fetched; an empty name is everything that the customer has."""

    key: tuple[int, int]
    payer: str | None
    name: str = ""


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """A customer as Stripe's metadata tell of them."""

    key: tuple[int, int]
    stripe_customer_id: str
    name: str
    language: str
    since: datetime | None


@dataclass(slots=True)
class Findings:
    """What one page tells; `after` is where the next one begins, None if it was the last."""

    after: str | None
    wanted: list[Wanted] = field(default_factory=list)
    people: list[Person] = field(default_factory=list)
    edge: Edge | None = None
    counts: Counts = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Desk:
    """All that a stage works with."""

    services: Services
    gateway: StripeGateway
    order: ListOrder

    async def page(self, listing: Listing[S], *, reach: timedelta | None = None) -> Page[S]:
        """Fetch the page; `reach` bounds how far back, unless all is to be brought in."""
        order = self.order
        since = None if reach is None or order.is_rebuild else order.started_at - reach
        return await self.gateway.fetch_page(listing, after=order.after, since=since)

    async def read(self, fn: Callable[[], S]) -> S:
        return await self.services.db.read(fn)

    async def keys_of(self, tagged: Iterable[OwnerTag | None]) -> dict[OwnerTag, CustomerKey]:
        """Find whose these tags are, where the bot sells from this account here."""
        known = {tag for tag in tagged if tag is not None}
        account = self.order.stripe_account_id
        bots = {tag.integration for tag in known}
        found = await self.read(lambda: holdings.find_integrations(account, bots))
        return {
            tag: (found[tag.integration], tag.telegram_user_id)
            for tag in known
            if tag.integration in found
        }

    async def views(self, keys: Iterable[CustomerKey]) -> Mapping[int, IntegrationView]:
        ids = {key[0] for key in keys}
        return await self.read(lambda: self.services.catalogue.views(ids))


class Stage(Protocol):
    async def __call__(self, desk: Desk) -> Findings: ...


def key_of(holding: Holding) -> CustomerKey:
    return (holding.integration_id, holding.telegram_user_id)
