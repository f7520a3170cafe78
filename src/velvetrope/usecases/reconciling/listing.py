"""A run through an account's lists: a durable job for each page, which leaves the next one."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

import msgspec

from velvetrope.domain.errors import NeedsOperator, Permanent
from velvetrope.domain.states import EventOutcome, EventState, Source
from velvetrope.pipeline import jobs
from velvetrope.store.models import InboxEvent, Integration
from velvetrope.usecases.billing.fetching import NOT_FOUND
from velvetrope.usecases.billing.objects import FETCH, FetchOrder
from velvetrope.usecases.billing.rechecks import defer_recheck
from velvetrope.usecases.lanes import Whom
from velvetrope.usecases.reconciling.desk import Desk, Findings
from velvetrope.usecases.reconciling.orders import (
    LIST_PAGE,
    LISTED,
    LOOK_AROUND,
    ListOrder,
    LookOrder,
    added,
)
from velvetrope.usecases.reconciling.stages import PASS, REBUILD

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from velvetrope.pipeline.work import CustomerKey, Event, Work
    from velvetrope.usecases.reconciling.desk import Person, Stage, Wanted
    from velvetrope.usecases.services import Services

#: The end of a rebuild: what was found is waited for, then people are looked at.
SETTLE: Final = "settle"
_AGAIN: Final = timedelta(seconds=1)
_OPEN: Final = (EventState.PENDING.value, EventState.CLAIMED.value)


class ListHandler:
    """Holds one page against what is here, and has fetched again what differs."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def prepare(self, event: Event) -> Findings | None:
        order = jobs.decode(event.payload, ListOrder)
        if order.stage == SETTLE:
            waits = await self._services.db.read(lambda: _is_unsettled(order))
            return Findings(after=SETTLE if waits else None)
        try:
            return await self._page(order)
        except NeedsOperator:
            if order.actor:
                raise
            return None  # alerts tell of the key already: the next day's pass finds it mended

    async def _page(self, order: ListOrder) -> Findings:
        stage = _stages(order)[order.stage]
        gateway = await self._services.stripe.gateway(order.stripe_account_id)
        try:
            return await stage(Desk(self._services, gateway, order))
        except Permanent as error:
            if error.code != NOT_FOUND or order.after is None:
                raise
        # What the page was to begin after is gone: the list is read from its beginning again.
        afresh = msgspec.structs.replace(order, after=None, edge=None)
        return await stage(Desk(self._services, gateway, afresh))

    def subjects(self, event: Event, facts: Findings | None) -> Sequence[CustomerKey]:  # noqa: ARG002  port
        return [] if facts is None else [person.key for person in facts.people]

    def apply(self, event: Event, facts: Findings | None, work: Work) -> str | None:
        order = jobs.decode(event.payload, ListOrder)
        if facts is None:
            return EventOutcome.IGNORED.value
        for person in facts.people:
            _bring_in(work, person)
        for wanted in facts.wanted:
            _ask(work, order, wanted)
        following = _following(order, facts)
        if following is not None:
            at = work.now + _AGAIN if facts.after == SETTLE else None
            work.defer(
                LIST_PAGE,
                following,
                lane=following.lane,
                account=following.host,
                external_id=following.external_id,
                at=at,
            )
            return EventOutcome.HANDLED.value
        if order.is_rebuild:
            _look_at_people(work, order)
        _record(work, order, added(order.counts, **facts.counts))
        return EventOutcome.HANDLED.value


def _stages(order: ListOrder) -> Mapping[str, Stage]:
    return REBUILD if order.is_rebuild else PASS


def _following(order: ListOrder, facts: Findings) -> ListOrder | None:
    """Give the next page, or the next list; None if this was the end of all."""
    stage, edge = order.stage, facts.edge
    if facts.after is None:
        stages = [*_stages(order), *((SETTLE,) if order.is_rebuild else ())]
        place = stages.index(order.stage) + 1
        if place == len(stages):
            return None
        stage, edge = stages[place], None
    return msgspec.structs.replace(
        order,
        stage=stage,
        after=None if stage == SETTLE else facts.after,
        edge=edge,
        counts=added(order.counts, **facts.counts),
        page=order.page + 1,
    )


def _bring_in(work: Work, person: Person) -> None:
    """Make the customer of whom Stripe's metadata tell; the newest Stripe customer counts."""
    known = work.customer(person.key)
    if known is None:
        since = person.since or work.now
        work.new_customer(
            person.key,
            first_name=person.name[:255],
            telegram_language=person.language,
            stripe_customer_id=person.stripe_customer_id,
            started_at=since,  # whoever began to pay had pressed /start
            created_at=since,
        )
    elif known.stripe_customer_id is None:
        known.stripe_customer_id = person.stripe_customer_id
        work.save(known)


def _ask(work: Work, order: ListOrder, wanted: Wanted) -> None:
    """Have it settled in the customer's lane."""
    integration_id, person = wanted.key
    account = order.stripe_account_id
    if not wanted.name:
        whom = Whom(integration_id, person, wanted.payer, account)
        defer_recheck(work, whom, external_id=f"{order.run}:recheck:{person}")
        return
    lane = f"stripe:{account}:{wanted.payer or wanted.name}"
    work.defer(
        FETCH,
        FetchOrder(stripe_account_id=account, name=wanted.name, is_quiet=order.is_rebuild),
        lane=lane,
        account=integration_id,
        external_id=f"{order.run}:fetch:{wanted.name}",
    )


def _is_unsettled(order: ListOrder) -> bool:
    """Tell whether something that the run has asked for is still to be done."""
    sold = Integration.objects.filter(stripe_account_id=order.stripe_account_id)
    prefix = f"{order.run}:fetch:"
    return InboxEvent.objects.filter(
        source=Source.JOB.value,
        account__in=list(sold.values_list("id", flat=True)),
        external_id__gt=prefix,
        external_id__lt=prefix[:-1] + ";",
        state__in=_OPEN,
    ).exists()


def _look_at_people(work: Work, order: ListOrder) -> None:
    sold = Integration.objects.filter(stripe_account_id=order.stripe_account_id, active=True)
    for integration_id in sold.order_by("id").values_list("id", flat=True):
        look = LookOrder(
            integration_id=integration_id,
            run=order.run,
            started_at=order.started_at,
            is_rebuild=True,
            actor=order.actor,
        )
        work.defer(
            LOOK_AROUND,
            look,
            lane=look.lane,
            account=integration_id,
            external_id=look.external_id,
        )


def _record(work: Work, order: ListOrder, counts: Mapping[str, int]) -> None:
    """Put on record what was ordered by hand, or what was found."""
    news = {name: count for name, count in counts.items() if name != "subscriptions"}
    if order.actor or any(news.values()):
        work.audit(
            LISTED,
            subject="stripe_account",
            subject_id=order.stripe_account_id,
            actor=order.actor or "product",
            after={"run": order.run, **counts},
        )
