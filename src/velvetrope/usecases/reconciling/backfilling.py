"""Fetching the events that never came, and judging by them whether events come at all."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

import msgspec
from django.db.models import Count

from velvetrope.domain.access import RUNNING_STATUSES
from velvetrope.domain.errors import NeedsOperator
from velvetrope.domain.silence import SHORTEST, silence_bound
from velvetrope.domain.states import EntitlementKind, EventOutcome, Interval
from velvetrope.gateways.stripe.gateway import MAX_EVENT_TYPES
from velvetrope.gateways.stripe.pages import ENDPOINTS, EVENTS
from velvetrope.pipeline import jobs
from velvetrope.pipeline.incoming import store_found, stripe_event
from velvetrope.store.models import Entitlement, StripeAccount
from velvetrope.usecases import alerts
from velvetrope.usecases.alerts import Trouble
from velvetrope.usecases.billing.handlers import BILLING_EVENTS
from velvetrope.usecases.pricing import PRICING_EVENTS
from velvetrope.usecases.reconciling import endpoints

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from velvetrope.gateways.stripe.gateway import StripeGateway
    from velvetrope.gateways.stripe.snapshots import EndpointSnapshot, EventSnapshot
    from velvetrope.pipeline.work import CustomerKey, Event, Work
    from velvetrope.usecases.services import Services

BACKFILL: Final = "backfill"
#: What the record calls it.
BACKFILLED: Final = "events.backfilled"
#: How far back Stripe's list of events reaches.
REACH: Final = timedelta(days=30)
#: What was asked about before is asked about again: events may enter the list late.
OVERLAP: Final = timedelta(minutes=10)
#: An event that has not come by itself for so long is missed.
LATE: Final = timedelta(minutes=15)
#: How much is fetched before it is remembered that it was.
WINDOW: Final = timedelta(hours=6)
#: What an account's webhook endpoint has to send.
EVENT_TYPES: Final = (*BILLING_EVENTS, *PRICING_EVENTS)

MISSED: Final = "stripe_events_missed"
SILENT: Final = "stripe_silent"
#: Trouble with the key, as far as events and endpoints are concerned; a key that works for
#: nothing is noticed sooner elsewhere.
_KEY: Final = ("stripe_permission",)
#: What alerts about that are about.
_EVENTS: Final = "events"


class BackfillOrder(msgspec.Struct, frozen=True, kw_only=True):
    """Events of an account that are not here yet; `since` None goes on where the last one ended.

    With `listening_since`, the events after it tell whether they come by themselves.
    """

    stripe_account_id: int
    since: datetime | None = None
    listening_since: datetime | None = None
    #: Who ordered it; empty for the product itself.
    actor: str = ""


@dataclass(slots=True)
class Backfilled:
    """What a backfill found; `missed` and `heard` count what was to come by itself."""

    asked_at: datetime
    since: datetime
    found: int = 0
    new: int = 0
    missed: int = 0
    heard: int = 0
    #: When Stripe made the newest event that nothing is wrong with.
    heard_at: datetime | None = None
    #: What is wrong with the endpoints; None if the key may not list them.
    endpoints: Sequence[Trouble] | None = None
    silent_for: timedelta | None = None
    #: What keeps the key from being used.
    refused: NeedsOperator | None = None
    judged: bool = field(default=False)


class BackfillHandler:
    """Stores what Stripe lists and nobody delivered; alerts follow from what that was."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def prepare(self, event: Event) -> Backfilled | None:
        order = jobs.decode(event.payload, BackfillOrder)
        known = await self._services.db.read(lambda: _account(order.stripe_account_id))
        if known is None:
            return None
        now = self._services.clock()
        until, made_at = known
        start = order.since or (until or made_at) - OVERLAP
        facts = Backfilled(asked_at=now, since=max(start, now - REACH))
        facts.judged = order.listening_since is not None
        try:
            gateway = await self._services.stripe.gateway(order.stripe_account_id)
            await self._fetch(gateway, order, facts, until=until, made_at=made_at)
        except NeedsOperator as error:
            if order.actor:
                raise
            facts.refused = error
            return facts
        if facts.judged:
            facts.endpoints = await self._look_at_endpoints(gateway)
            facts.silent_for = await self._services.db.read(
                lambda: _silence(order.stripe_account_id, facts, self._services)
            )
        return facts

    async def _fetch(
        self,
        gateway: StripeGateway,
        order: BackfillOrder,
        facts: Backfilled,
        *,
        until: datetime | None,
        made_at: datetime,
    ) -> None:
        """Fetch window by window, so that what breaks off goes on where it was."""
        is_joined = facts.since <= (until or made_at)
        fresh_from = max(until or made_at, order.listening_since or facts.asked_at)
        for begin, end in _windows(facts.since, facts.asked_at):
            for types in _chunks(EVENT_TYPES):
                after: str | None = None
                while True:
                    page = await gateway.fetch_page(
                        EVENTS, after=after, since=begin, before=end, types=types
                    )
                    await self._store(order, page.members, facts, fresh_from)
                    after = page.after
                    if after is None:
                        break
            if is_joined:
                advance = partial(_advance, order.stripe_account_id, end)
                await self._services.db.write(advance)

    async def _store(
        self,
        order: BackfillOrder,
        listed: Sequence[EventSnapshot],
        facts: Backfilled,
        fresh_from: datetime,
    ) -> None:
        if not listed:
            return
        now = self._services.clock()
        events = [stripe_event(one.payload, order.stripe_account_id, now) for one in listed]
        new = await self._services.db.write(lambda: store_found(events))
        facts.found += len(listed)
        facts.new += len(new)
        for one in listed:
            is_due = fresh_from <= one.created < facts.asked_at - LATE
            if is_due and one.id in new:
                facts.missed += 1
                continue
            facts.heard += is_due
            facts.heard_at = max(facts.heard_at or one.created, one.created)

    async def _look_at_endpoints(self, gateway: StripeGateway) -> Sequence[Trouble] | None:
        """Look where Stripe sends events; None if that can't be told.

        A restricted key without that right is no trouble, and what is served on this machine alone
        is reached by Stripe's own command line, which isn't listed.
        """
        url = self._services.stripe_webhook_url
        if not url.startswith("https://"):
            return None
        listed: list[EndpointSnapshot] = []
        after: str | None = None
        while True:
            try:
                page = await gateway.fetch_page(ENDPOINTS, after=after)
            except NeedsOperator:
                return None
            listed += page.members
            after = page.after
            if after is None:
                return endpoints.judge_endpoints(listed, url, EVENT_TYPES)

    def subjects(self, event: Event, facts: Backfilled | None) -> Sequence[CustomerKey]:  # noqa: ARG002  port
        return []

    def apply(self, event: Event, facts: Backfilled | None, work: Work) -> str | None:
        order = jobs.decode(event.payload, BackfillOrder)
        if facts is None:
            return EventOutcome.IGNORED.value
        account = order.stripe_account_id
        troubles = _key_troubles(facts)
        alerts.match_alerts(_KEY, troubles, work.now, stripe_account_id=account, within=_EVENTS)
        if facts.refused is not None:
            return EventOutcome.HANDLED.value
        if facts.missed:
            _match((MISSED,), [Trouble(MISSED, data={"events": facts.missed})], account, work)
        elif facts.heard:
            _match((MISSED,), [], account, work)
        if facts.judged:
            _match((SILENT,), _silence_troubles(facts), account, work)
            _match(endpoints.CODES, facts.endpoints or (), account, work)
        heard = StripeAccount.objects.filter(id=account)
        if facts.heard_at is not None:
            heard.exclude(heard_at__gte=facts.heard_at).update(heard_at=facts.heard_at)
        heard.filter(heard_at=None).update(heard_at=facts.asked_at)
        if order.actor or facts.new:
            work.audit(
                BACKFILLED,
                subject="stripe_account",
                subject_id=account,
                actor=order.actor or "product",
                after={
                    "job": event.external_id,
                    "since": facts.since.isoformat(),
                    "found": facts.found,
                    "known": facts.found - facts.new,
                    "new": facts.new,
                },
            )
        return EventOutcome.HANDLED.value


def _match(codes: Sequence[str], troubles: Sequence[Trouble], account: int, work: Work) -> None:
    alerts.match_alerts(codes, troubles, work.now, stripe_account_id=account)


def _key_troubles(facts: Backfilled) -> list[Trouble]:
    error = facts.refused
    if error is None or error.code not in _KEY:
        return []
    return [Trouble(error.code, _EVENTS, {k: v for k, v in error.data.items() if k != "account"})]


def _silence_troubles(facts: Backfilled) -> list[Trouble]:
    if facts.silent_for is None:
        return []
    return [Trouble(SILENT, data={"hours": int(facts.silent_for / timedelta(hours=1))})]


def _silence(account_id: int, facts: Backfilled, services: Services) -> timedelta | None:
    """Tell for how long nothing was heard; None while that is no news."""
    if services.stripe_silence_hours == 0:
        return None
    account = StripeAccount.objects.only("heard_at").get(id=account_id)
    heard_at = max((one for one in (account.heard_at, facts.heard_at) if one), default=None)
    silent_for = timedelta(0) if heard_at is None else facts.asked_at - heard_at
    given = services.stripe_silence_hours
    least = SHORTEST if given is None else timedelta(hours=given)
    if silent_for < least:
        return None  # spares the counting
    rows = (
        Entitlement.objects.filter(
            kind=EntitlementKind.SUBSCRIPTION.value,
            status__in=RUNNING_STATUSES,
            holds=True,
            customer__integration__stripe_account_id=account_id,
        )
        .values_list("plan__interval", "plan__interval_count")
        .annotate(people=Count("id"))
    )
    known = set(Interval)
    bound = silence_bound(
        (Interval(interval), times, people) for interval, times, people in rows if interval in known
    )
    if bound is None or silent_for < (bound if given is None else least):
        return None
    return silent_for


def _account(account_id: int) -> tuple[datetime | None, datetime] | None:
    rows = StripeAccount.objects.filter(id=account_id)
    return rows.values_list("events_until", "created_at").first()


def _advance(account_id: int, until: datetime) -> None:
    rows = StripeAccount.objects.filter(id=account_id).exclude(events_until__gte=until)
    rows.update(events_until=until)


def _windows(begin: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    while begin < end:
        until = min(begin + WINDOW, end)
        yield begin, until
        begin = until


def _chunks(types: Sequence[str]) -> Iterator[tuple[str, ...]]:
    for place in range(0, len(types), MAX_EVENT_TYPES):
        yield tuple(types[place : place + MAX_EVENT_TYPES])
