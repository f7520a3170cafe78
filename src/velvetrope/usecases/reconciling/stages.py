"""What is held against each of Stripe's lists, a page at a time, and what is to be done about it.

Nothing is decided by a list: what differs is fetched again by its name, as if an event had told.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from velvetrope.domain.states import Dispute
from velvetrope.gateways.stripe import metadata as tags
from velvetrope.gateways.stripe import pages
from velvetrope.store import holdings
from velvetrope.usecases.billing.matching import plan_of_tag
from velvetrope.usecases.entitlements import DISPUTES
from velvetrope.usecases.reconciling.comparing import dispute_is_news, refund_is_news
from velvetrope.usecases.reconciling.desk import Findings, Person, Wanted, key_of
from velvetrope.usecases.reconciling.subscriptions import subscriptions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from velvetrope.gateways.stripe.metadata import OwnerTag
    from velvetrope.gateways.stripe.pages import Page
    from velvetrope.gateways.stripe.snapshots import CustomerSnapshot, UndoneMoney
    from velvetrope.pipeline.work import CustomerKey
    from velvetrope.store.holdings import Holding
    from velvetrope.usecases.reconciling.desk import Desk, Stage

#: How far back new payments are looked for each day.
PAYMENTS_SINCE: Final = timedelta(days=3)
#: Within it a refund may still fail.
REFUNDS_SINCE: Final = timedelta(days=30)
#: Within it a dispute is opened, and mostly decided.
DISPUTES_SINCE: Final = timedelta(days=120)


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
                key_of(holding), holding.stripe_customer_id, one.payment_intent
            )
    return Findings(page.after, wanted=[*wanted.values()], counts={name: len(wanted)})


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
