"""What time alone brings about: each is a durable job in the lane of whom it concerns."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Q

from velvetrope.domain.states import Presence
from velvetrope.pipeline import jobs
from velvetrope.store.models import Access, Entitlement, Integration
from velvetrope.usecases.billing.handlers import RECHECK, RecheckOrder
from velvetrope.usecases.checkout import SESSION_LIFE
from velvetrope.usecases.onboarding import request_plan_sync

if TYPE_CHECKING:
    from datetime import datetime

#: How many customers one run takes; the next run goes on.
MOST_AT_ONCE = 500
#: A recheck that changed nothing is asked for again after this long.
AGAIN_AFTER = timedelta(minutes=10)
#: How old the copy of a price may become.
PRICE_AGE = timedelta(hours=6)


def sweep_due(now: datetime) -> int:
    """Ask for a fresh look at every customer whose rights time may have changed."""
    due = (
        Entitlement.objects.filter(recheck_at__lte=now)
        .order_by("recheck_at")
        .values_list(*_WHOM)[:MOST_AT_ONCE]
    )
    waiting = (
        Access.objects.filter(requested_at__lt=now - SESSION_LIFE, desired=False)
        .filter(observed=Presence.REQUESTED.value)
        .values_list(*_WHOM)[:MOST_AT_ONCE]
    )
    slot = int(now.timestamp() // AGAIN_AFTER.total_seconds())
    asked = 0
    with transaction.atomic():
        for integration_id, person, stripe_customer, account in {*due, *waiting}:
            asked += jobs.enqueue(
                RECHECK,
                RecheckOrder(integration_id=integration_id, telegram_user_id=person),
                account=integration_id,
                lane=_lane(integration_id, person, stripe_customer, account),
                external_id=f"{RECHECK}:{person}:{slot}",
            )
    return asked


def sweep_prices(now: datetime) -> int:
    """Ask for fresh copies of prices that are older than they may be."""
    old = (
        Integration.objects.filter(active=True)
        .filter(Q(plans__synced_at__lt=now - PRICE_AGE) | Q(plans__synced_at=None))
        .values_list("id", flat=True)
        .distinct()[:MOST_AT_ONCE]
    )
    with transaction.atomic():
        asked = [request_plan_sync(integration_id) for integration_id in list(old)]
    return len(asked)


_WHOM = (
    "customer__integration_id",
    "customer__telegram_user_id",
    "customer__stripe_customer_id",
    "customer__integration__stripe_account_id",
)


def _lane(integration_id: int, person: int, stripe_customer: str | None, account: int) -> str:
    """Stay in line with the Stripe events of the same customer."""
    if stripe_customer:
        return f"stripe:{account}:{stripe_customer}"
    return f"tg:{integration_id}:{person}"
