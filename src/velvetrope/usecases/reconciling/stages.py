"""What is held against each of Stripe's lists, a page at a time, and what is to be done about it.

Nothing is decided by a list: what differs is fetched again by its name, as if an event had told.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

import msgspec

from velvetrope.domain.states import Dispute
from velvetrope.gateways.stripe import metadata as tags
from velvetrope.gateways.stripe import pages
from velvetrope.store import holdings
from velvetrope.store.owners import FINAL_STATUSES
from velvetrope.usecases.billing.fetching import NEVER_RAN
from velvetrope.usecases.billing.matching import match_plan, plan_of_tag
from velvetrope.usecases.entitlements import DISPUTES
from velvetrope.usecases.reconciling.comparing import differs, dispute_is_news, refund_is_news
from velvetrope.usecases.reconciling.orders import Counts, Edge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from velvetrope.gateways.stripe.gateway import StripeGateway
    from velvetrope.gateways.stripe.metadata import OwnerTag
    from velvetrope.gateways.stripe.pages import Listing, Page
    from velvetrope.gateways.stripe.snapshots import (
        CustomerSnapshot,
        SubscriptionSnapshot,
        UndoneMoney,
    )
    from velvetrope.pipeline.work import CustomerKey
    from velvetrope.store.catalogue import IntegrationView
    from velvetrope.store.holdings import Holding
    from velvetrope.usecases.reconciling.orders import ListOrder
    from velvetrope.usecases.services import Services

S = TypeVar("S")

#: How far back new payments are looked for each day.
PAYMENTS_SINCE: Final = timedelta(days=3)
#: Within it a refund may still fail.
REFUNDS_SINCE: Final = timedelta(days=30)
#: Within it a dispute is opened, and mostly decided.
DISPUTES_SINCE: Final = timedelta(days=120)
#: Rights that one page of a list may have looked at because it lacks them.
MOST_UNLISTED: Final = 100


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


async def customers(desk: Desk) -> Findings:
    """Find the people for whom customers were made at Stripe."""
    page = await desk.page(pages.CUSTOMERS)
    tagged = {one.id: tags.parse(one.metadata) for one in page.members}
    keys = await desk.keys_of(tagged.values())
    people = [
        _person(one, tag, keys[tag])
        for one in page.members
        if (tag := tagged[one.id]) is not None and tag in keys
    ]
    counts = {"customers": len(people)}
    return Findings(page.after, people=people, counts=counts)


def _person(seen: CustomerSnapshot, tag: OwnerTag, key: CustomerKey) -> Person:
    return Person(
        key=key,
        stripe_customer_id=seen.id,
        name=seen.name,
        language=tag.language or "",
        since=seen.created,
    )


async def subscriptions(desk: Desk) -> Findings:
    """Hold all subscriptions of the account against what is known of them, both ways."""
    account, order = desk.order.stripe_account_id, desk.order
    page = await desk.page(pages.SUBSCRIPTIONS)
    names = [one.id for one in page.members]
    known = await desk.read(lambda: holdings.find_holdings(account, names))
    unknown = [one for one in page.members if one.id not in known]
    owners = await _owners(desk, unknown)
    views = await desk.views([*map(_key, known.values()), *owners.values()])
    changed = [
        Wanted(_key(holding), holding.stripe_customer_id or one.customer, one.id)
        for one in page.members
        if (holding := known.get(one.id)) is not None
        and (view := views.get(holding.integration_id)) is not None
        and differs(view, holding, one)
    ]
    new = [
        Wanted(key, one.customer, one.id)
        for one in unknown
        if (key := owners.get(one.id)) is not None
        and _is_worth(one, views.get(key[0]), is_rebuild=order.is_rebuild)
    ]
    edge = _edge(order, page)
    unlisted = await _unlisted(desk, page, edge)
    return Findings(
        page.after,
        wanted=[*changed, *new, *(Wanted(_key(one), one.stripe_customer_id) for one in unlisted)],
        edge=edge,
        counts={
            "subscriptions": len(known) + len(new),
            "differing": len(changed),
            "unknown": len(new),
            "missing": len(unlisted),
        },
    )


async def _owners(desk: Desk, unknown: Sequence[SubscriptionSnapshot]) -> dict[str, CustomerKey]:
    """Find whose they are by their tags, or else by who pays for them."""
    tagged = {one.id: tags.parse(one.metadata) for one in unknown}
    keys = await desk.keys_of(tagged.values())
    untagged = [one.customer for one in unknown if tagged[one.id] is None]
    account = desk.order.stripe_account_id
    payers = await desk.read(lambda: holdings.find_payers(account, untagged))
    found: dict[str, CustomerKey] = {}
    for one in unknown:
        tag = tagged[one.id]
        key = payers.get(one.customer) if tag is None else keys.get(tag)
        if key is not None:
            found[one.id] = key
    return found


def _is_worth(
    seen: SubscriptionSnapshot, view: IntegrationView | None, *, is_rebuild: bool
) -> bool:
    """Leave out what gives nobody a right: what never ran, is over, or is of no plan."""
    if view is None or seen.status in NEVER_RAN or match_plan(view, seen, None).plan is None:
        return False
    return is_rebuild or seen.status not in FINAL_STATUSES


def _edge(order: ListOrder, page: Page[SubscriptionSnapshot]) -> Edge | None:
    """Remember where the page ends, since a second may be on both sides of it."""
    if page.after is None or not page.members:
        return None
    at = page.members[-1].created
    names = [one.id for one in page.members if one.created == at]
    if order.edge is not None and order.edge.at == at:
        names += order.edge.names
    return Edge(at, tuple(names))


async def _unlisted(
    desk: Desk, page: Page[SubscriptionSnapshot], edge: Edge | None
) -> list[Holding]:
    """Find what began in the page's span of time and is on neither this page nor the one before."""
    order = desk.order
    end = holdings.before(order.started_at)
    listed = {one.id for one in page.members}
    if order.edge is not None:
        end = min(end, order.edge.at)
        listed.update(order.edge.names)
    begin = None if edge is None else edge.at + timedelta(seconds=1)
    account = order.stripe_account_id
    return await desk.read(
        lambda: holdings.find_unlisted(account, begin, end, listed, most=MOST_UNLISTED)
    )


async def payments(desk: Desk) -> Findings:
    """Find purchases paid once that are not known here."""
    page = await desk.page(pages.PAYMENTS, reach=PAYMENTS_SINCE)
    paid = {one.id: tag for one in page.members if one.status == "succeeded"
            and (tag := tags.parse(one.metadata)) is not None}  # fmt: skip
    return await _purchases(desk, paid, page.after, "payments")


async def sessions(desk: Desk) -> Findings:
    """Find purchases that cost nothing: no payment tells of them."""
    page = await desk.page(pages.COMPLETE_SESSIONS)
    free = {one.id: tag for one in page.members
            if one.payment_status == "no_payment_required" and one.subscription is None
            and (tag := tags.parse(one.metadata)) is not None}  # fmt: skip
    return await _purchases(desk, free, page.after, "free")


async def _purchases(
    desk: Desk, bought: Mapping[str, OwnerTag], after: str | None, name: str
) -> Findings:
    account = desk.order.stripe_account_id
    keys = await desk.keys_of(bought.values())
    views = await desk.views(keys.values())
    known = await desk.read(lambda: holdings.find_holdings(account, list(bought)))
    new = [
        Wanted(keys[tag], None, ident)
        for ident, tag in bought.items()
        if ident not in known
        and tag in keys
        and (view := views.get(keys[tag][0])) is not None
        and plan_of_tag(view, tags.build(tag)) is not None
    ]
    return Findings(after, wanted=new, counts={name: len(new)})


async def refunds(desk: Desk) -> Findings:
    page = await desk.page(pages.REFUNDS, reach=REFUNDS_SINCE)
    return await _undone(desk, page, refund_is_news, "refunds")


async def disputes(desk: Desk) -> Findings:
    page = await desk.page(pages.DISPUTES, reach=DISPUTES_SINCE)

    def is_news(known: Holding, one: UndoneMoney) -> bool:
        return dispute_is_news(known, DISPUTES.get(one.status, Dispute.OPEN))

    return await _undone(desk, page, is_news, "disputes")


async def _undone(
    desk: Desk,
    page: Page[UndoneMoney],
    is_news: Callable[[Holding, UndoneMoney], bool],
    name: str,
) -> Findings:
    """Have payments fetched of which something else is known here.

    Payments of subscriptions have no record of their own: events tell of them, and where all is
    brought in each one is asked about.
    """
    account, order = desk.order.stripe_account_id, desk.order
    names = [one.payment_intent for one in page.members if one.payment_intent is not None]
    known = await desk.read(lambda: holdings.find_holdings(account, names))
    wanted: dict[str, Wanted] = {}
    for one in page.members:
        holding = known.get(one.payment_intent or "")
        if one.payment_intent is None or (holding is None and not order.is_rebuild):
            continue
        if holding is None:
            wanted[one.payment_intent] = Wanted((order.host, 0), None, one.payment_intent)
        elif is_news(holding, one):
            wanted[one.payment_intent] = Wanted(
                _key(holding), holding.stripe_customer_id, one.payment_intent
            )
    return Findings(page.after, wanted=[*wanted.values()], counts={name: len(wanted)})


def _key(holding: Holding) -> CustomerKey:
    return (holding.integration_id, holding.telegram_user_id)


#: The lists of a daily pass, in their order.
PASS: Final[Mapping[str, Stage]] = {
    "subscriptions": subscriptions,
    "payments": payments,
    "refunds": refunds,
    "disputes": disputes,
}
#: Those from which everything is rebuilt.
REBUILD: Final[Mapping[str, Stage]] = {
    "customers": customers,
    "subscriptions": subscriptions,
    "payments": payments,
    "sessions": sessions,
    "refunds": refunds,
    "disputes": disputes,
}
