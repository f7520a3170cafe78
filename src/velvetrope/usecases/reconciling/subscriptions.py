"""All subscriptions of an account, held against what is known of them, both ways."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from velvetrope.gateways.stripe import metadata as tags
from velvetrope.gateways.stripe import pages
from velvetrope.store import holdings
from velvetrope.store.owners import FINAL_STATUSES
from velvetrope.usecases.billing.fetching import NEVER_RAN
from velvetrope.usecases.billing.matching import match_plan
from velvetrope.usecases.reconciling.comparing import differs
from velvetrope.usecases.reconciling.desk import Findings, Wanted, key_of
from velvetrope.usecases.reconciling.orders import Edge

if TYPE_CHECKING:
    from collections.abc import Sequence

    from velvetrope.gateways.stripe.pages import Page
    from velvetrope.gateways.stripe.snapshots import SubscriptionSnapshot
    from velvetrope.pipeline.work import CustomerKey
    from velvetrope.store.catalogue import IntegrationView
    from velvetrope.store.holdings import Holding
    from velvetrope.usecases.reconciling.desk import Desk
    from velvetrope.usecases.reconciling.orders import ListOrder

#: Rights that one page of a list may have looked at because it lacks them.
MOST_UNLISTED: Final = 100


async def subscriptions(desk: Desk) -> Findings:
    """Hold all subscriptions of the account against what is known of them, both ways."""
    account, order = desk.order.stripe_account_id, desk.order
    page = await desk.page(pages.SUBSCRIPTIONS)
    names = [one.id for one in page.members]
    known = await desk.read(lambda: holdings.find_holdings(account, names))
    unknown = [one for one in page.members if one.id not in known]
    owners = await _owners(desk, unknown)
    views = await desk.views([*map(key_of, known.values()), *owners.values()])
    changed = [
        Wanted(key_of(holding), holding.stripe_customer_id or one.customer, one.id)
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
        wanted=[*changed, *new, *(Wanted(key_of(one), one.stripe_customer_id) for one in unlisted)],
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
