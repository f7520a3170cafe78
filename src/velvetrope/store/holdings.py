"""What is here of an account's subscriptions and payments, to be held against Stripe's lists."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Final

import msgspec

from velvetrope.domain.states import EntitlementKind
from velvetrope.store.models import Customer, Entitlement, Integration
from velvetrope.store.owners import FINAL_STATUSES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    #: Integration and Telegram user.
    Key = tuple[int, int]

#: What may be listed a little later than it was told of.
_LEEWAY: Final = timedelta(minutes=10)
#: Names that are asked about at once.
_CHUNK: Final = 500


class Holding(msgspec.Struct, frozen=True, kw_only=True):
    """One right as it is known here, and whose it is."""

    name: str
    integration_id: int
    telegram_user_id: int
    stripe_customer_id: str | None
    plan_id: int
    price_id: str
    status: str
    period_end: datetime | None
    ends_at: datetime | None
    trial_end: datetime | None
    collection_paused: bool
    refund: str
    dispute: str
    amount_refunded: int


_COLUMNS: Final = {
    "name": "external_id",
    "integration_id": "customer__integration_id",
    "telegram_user_id": "customer__telegram_user_id",
    "stripe_customer_id": "customer__stripe_customer_id",
    **{
        name: name
        for name in (
            "plan_id",
            "price_id",
            "status",
            "period_end",
            "ends_at",
            "trial_end",
            "collection_paused",
            "refund",
            "dispute",
            "amount_refunded",
        )
    },
}


def find_holdings(account_id: int, names: Collection[str]) -> dict[str, Holding]:
    """Find what is known of these subscriptions and payments of an account."""
    rows = Entitlement.objects.filter(
        external_id__in=names, customer__integration__stripe_account_id=account_id
    ).values_list(*_COLUMNS.values())
    found = (Holding(**dict(zip(_COLUMNS, row, strict=True))) for row in rows)
    return {one.name: one for one in found}


def find_unlisted(
    account_id: int,
    begin: datetime | None,
    end: datetime,
    listed: Collection[str],
    *,
    most: int,
) -> list[Holding]:
    """Find subscriptions that began in a span of time and are not among those that Stripe lists.

    `begin` is included, None is the beginning of all; `end` is included. Those that have ended
    for good are left out.
    """
    # Whose they are is asked of the few that are left: a join would go through everybody.
    rows = Entitlement.objects.filter(
        kind=EntitlementKind.SUBSCRIPTION.value, starts_at__lte=end
    ).exclude(status__in=FINAL_STATUSES)
    if begin is not None:
        rows = rows.filter(starts_at__gte=begin)
    names = rows.order_by("-starts_at").values_list("external_id", flat=True).iterator(_CHUNK)
    left = (name for name in names if name not in listed)
    found: list[Holding] = []
    while len(found) < most and (some := list(islice(left, _CHUNK))):
        found += find_holdings(account_id, some).values()
    return found[:most]


def find_integrations(account_id: int, bot_ids: Iterable[int]) -> dict[int, int]:
    """Find the integrations that sell for these bots from this account."""
    rows = Integration.objects.filter(stripe_account_id=account_id, bot_id__in=set(bot_ids))
    return dict(rows.values_list("bot_id", "id"))


def find_payers(account_id: int, stripe_customers: Iterable[str]) -> dict[str, Key]:
    """Find the customers who pay as these Stripe customers; those who share one are left out."""
    rows = Customer.objects.filter(
        stripe_customer_id__in=set(stripe_customers),
        integration__stripe_account_id=account_id,
    ).values_list("stripe_customer_id", "integration_id", "telegram_user_id")
    found: dict[str, Key] = {}
    shared: set[str] = set()
    for payer, integration_id, person in rows:
        if payer is None or payer in found:
            shared.add(payer or "")
        else:
            found[payer] = (integration_id, person)
    return {payer: key for payer, key in found.items() if payer not in shared}


def before(moment: datetime) -> datetime:
    """Give the moment up to which what is here must be listed when Stripe is asked now."""
    return moment - _LEEWAY
