"""Lists of an account, a page at a time, so that whoever reads them can stop and go on later."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

import msgspec

from velvetrope.gateways.stripe import errors, shapes
from velvetrope.gateways.stripe.asking import PAGE_SIZE, ask, read
from velvetrope.gateways.stripe.parts import Named, Reference, id_of, moment
from velvetrope.gateways.stripe.snapshots import (
    CheckoutSessionSnapshot,
    CustomerSnapshot,
    EndpointSnapshot,
    EventSnapshot,
    SettledMoney,
    SubscriptionSnapshot,
    UndoneMoney,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from datetime import datetime

    import stripe
    from stripe import V1Services

    #: One call of the SDK that lists.
    Call = Callable[[V1Services, Any], Awaitable[stripe.StripeObject]]

S = TypeVar("S")


class _Answer(msgspec.Struct, frozen=True):
    data: list[dict[str, object]]
    has_more: bool


@dataclass(frozen=True, slots=True)
class Page(Generic[S]):
    """Members, newest first; `after` is where the next page begins, None if this is the last."""

    members: tuple[S, ...]
    after: str | None


@dataclass(frozen=True, slots=True)
class Listing(Generic[S]):
    """One kind of list: how it is asked for and what becomes of its members."""

    name: str
    call: Call
    convert: Callable[[dict[str, object]], S]
    params: Mapping[str, object] = field(default_factory=dict)


async def fetch_page(
    api: V1Services,
    listing: Listing[S],
    *,
    after: str | None = None,
    since: datetime | None = None,
    before: datetime | None = None,
    types: tuple[str, ...] = (),
) -> Page[S]:
    """Fetch up to a hundred members made at `since` or later and earlier than `before`.

    Both count whole seconds. Permanent `stripe_not_found` if what `after` names is gone.
    """
    params: dict[str, object] = {**listing.params, "limit": PAGE_SIZE}
    created = {
        name: int(bound.timestamp())
        for name, bound in (("gte", since), ("lt", before))
        if bound is not None
    }
    if created:
        params["created"] = created
    if types:
        params["types"] = list(types)
    if after is not None:
        params["starting_after"] = after
    answer = await ask(listing.call(api, params), _Answer)
    last = read(answer.data[-1], Named).id if answer.data else None
    if answer.has_more and last is not None and last == after:  # the same page for ever
        raise errors.unexpected_answer()
    members = tuple(listing.convert(member) for member in answer.data)
    return Page(members, last if answer.has_more else None)


class _Event(msgspec.Struct, frozen=True):
    id: str
    type: str
    created: int
    livemode: bool


def _subscription(member: dict[str, object]) -> SubscriptionSnapshot:
    return read(member, shapes.Subscription).snapshot()


def _customer(member: dict[str, object]) -> CustomerSnapshot:
    found = read(member, shapes.Customer)
    return found.snapshot(livemode=bool(found.livemode))


def _session(member: dict[str, object]) -> CheckoutSessionSnapshot:
    return read(member, shapes.CheckoutSession).snapshot()


def _event(member: dict[str, object]) -> EventSnapshot:
    event = read(member, _Event)
    return EventSnapshot(
        id=event.id,
        type=event.type,
        created=moment(event.created),
        livemode=event.livemode,
        payload=msgspec.json.encode(member),
    )


class _Intent(msgspec.Struct, frozen=True):
    id: str
    status: str
    created: int
    metadata: dict[str, str] | None = None


def _intent(member: dict[str, object]) -> SettledMoney:
    found = read(member, _Intent)
    return SettledMoney(
        id=found.id,
        status=found.status,
        metadata=found.metadata or {},
        created=moment(found.created),
    )


class _Undoing(msgspec.Struct, frozen=True):
    id: str
    payment_intent: Reference = None
    status: str | None = None


def _undoing(member: dict[str, object]) -> UndoneMoney:
    found = read(member, _Undoing)
    return UndoneMoney(
        id=found.id,
        payment_intent=id_of(found.payment_intent),
        status=found.status or "",
    )


class _Endpoint(msgspec.Struct, frozen=True):
    id: str
    url: str
    status: str
    enabled_events: tuple[str, ...] = ()
    api_version: str | None = None


def _endpoint(member: dict[str, object]) -> EndpointSnapshot:
    found = read(member, _Endpoint)
    return EndpointSnapshot(
        id=found.id,
        url=found.url,
        is_enabled=found.status == "enabled",
        types=found.enabled_events,
        api_version=found.api_version,
    )


#: All subscriptions, ended ones and those of other products included.
SUBSCRIPTIONS: Final = Listing(
    "subscriptions",
    lambda api, params: api.subscriptions.list_async(params),
    _subscription,
    {"status": "all"},
)
CUSTOMERS: Final = Listing(
    "customers", lambda api, params: api.customers.list_async(params), _customer
)
#: Sessions that were gone through, whether their money came or not.
COMPLETE_SESSIONS: Final = Listing(
    "checkout sessions",
    lambda api, params: api.checkout.sessions.list_async(params),
    _session,
    {"status": "complete"},
)
PAYMENTS: Final = Listing(
    "payments", lambda api, params: api.payment_intents.list_async(params), _intent
)
REFUNDS: Final = Listing("refunds", lambda api, params: api.refunds.list_async(params), _undoing)
DISPUTES: Final = Listing("disputes", lambda api, params: api.disputes.list_async(params), _undoing)
#: Events of the last 30 days, of at most 20 types at once.
EVENTS: Final = Listing("events", lambda api, params: api.events.list_async(params), _event)
ENDPOINTS: Final = Listing(
    "webhook endpoints", lambda api, params: api.webhook_endpoints.list_async(params), _endpoint
)
