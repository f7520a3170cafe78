"""When what is looked at by itself: events every hour, everything every day."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from django.db.models import F, Min, Q

from velvetrope.domain.states import Presence
from velvetrope.pipeline import jobs
from velvetrope.store.models import Access, Integration
from velvetrope.store.unfinished import unfinished_of
from velvetrope.usecases.reconciling.backfilling import BACKFILL, BackfillOrder
from velvetrope.usecases.reconciling.orders import (
    ListOrder,
    LookOrder,
    lane_of_looks,
    request_list,
    request_look,
)
from velvetrope.usecases.reconciling.stages import PASS, REBUILD

if TYPE_CHECKING:
    from datetime import datetime

    from velvetrope.usecases.services import Services

HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)
#: How often a day it is looked for what is due: each time a share of it begins.
TICKS_A_DAY: Final = 144
#: What the lane of an account's backfills begins with; the row's id of the account follows.
BACKFILL_LANE: Final = "job:backfill:"


class Schedule:
    """Asks for what is due; remembers only since when this process listens."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._listening_since: datetime | None = None

    async def hourly(self) -> None:
        """Have missed events fetched, the first time as soon as the process listens.

        And have those looked at who wait at a door or are to leave.
        """
        now = self._services.clock()
        since = self._listening_since = self._listening_since or now
        await self._services.db.write(partial(ask_for_events, now, since))
        await self._services.db.write(partial(ask_for_open_doors, now))

    async def daily(self) -> None:
        """Have everything of those integrations gone through whose day is over."""
        await self._services.db.write(partial(ask_for_everything, self._services.clock()))


def hosts() -> dict[int, int]:
    """Give the accounts that somebody sells from, each with an integration for its jobs."""
    rows = Integration.objects.filter(active=True).values_list("stripe_account_id")
    return dict(rows.annotate(first=Min("id")).order_by("stripe_account_id"))


def ask_for_events(now: datetime, listening_since: datetime) -> int:
    """Have the events fetched that each account has missed; gives for how many it was asked."""
    asked = 0
    slot = int(now.timestamp() // HOUR.total_seconds())
    moment = f"start:{now:%Y%m%dT%H%M%S%f}" if now == listening_since else str(slot)
    for account, host in hosts().items():
        if is_under_way(f"{BACKFILL_LANE}{account}"):
            continue
        asked += request_events(
            BackfillOrder(stripe_account_id=account, listening_since=listening_since),
            host,
            moment,
        )
    return asked


def ask_for_open_doors(now: datetime) -> int:
    """Have people looked at who wait at a door or are to leave; gives for how many bots."""
    waiting = Access.objects.filter(requested_at__isnull=False)
    leaving = Access.objects.filter(
        desired=False, observed=Presence.INSIDE.value, let_in_at__isnull=False
    )
    ids = {
        *waiting.values_list("chat__integration_id", flat=True).distinct(),
        *leaving.values_list("chat__integration_id", flat=True).distinct(),
    }
    run = f"hour:{int(now.timestamp() // HOUR.total_seconds())}"
    asked = 0
    for integration_id in sorted(ids):
        if not is_under_way(lane_of_looks(integration_id)):
            asked += request_look(
                LookOrder(integration_id=integration_id, run=run, started_at=now, only_open=True)
            )
    return asked


def ask_for_everything(now: datetime) -> int:
    """Start the daily pass of a share of what is due, so that the day carries all of them.

    One listing of a Stripe account serves all that sell from it. Gives for how many bots it was
    asked.
    """
    active = Integration.objects.filter(active=True)
    due = active.filter(Q(reconciled_at=None) | Q(reconciled_at__lte=now - DAY)).order_by(
        F("reconciled_at").asc(nulls_first=True), "id"
    )
    share = -(-active.count() // TICKS_A_DAY)
    run = f"day:{int(now.timestamp() // DAY.total_seconds())}"
    asked, first = 0, hosts()
    for integration_id, account in list(due.values_list("id", "stripe_account_id")):
        if asked >= share:
            break
        if is_under_way(lane_of_looks(integration_id)):
            continue
        look = LookOrder(integration_id=integration_id, run=run, started_at=now)
        asked += request_look(look)
        request_list(first_page(account, first[account], run, now))
    return asked


def first_page(
    account_id: int,
    host: int,
    run: str,
    now: datetime,
    *,
    is_rebuild: bool = False,
    actor: str = "",
) -> ListOrder:
    """Give the job that begins to go through an account's lists."""
    return ListOrder(
        stripe_account_id=account_id,
        host=host,
        run=run,
        started_at=now,
        stage=next(iter(REBUILD if is_rebuild else PASS)),
        is_rebuild=is_rebuild,
        actor=actor,
    )


def request_events(order: BackfillOrder, host: int, occasion: str) -> bool:
    """Store the job within the caller's transaction; False if it was asked for before."""
    return jobs.enqueue(
        BACKFILL,
        order,
        account=host,
        lane=f"{BACKFILL_LANE}{order.stripe_account_id}",
        external_id=events_job(order.stripe_account_id, occasion),
    )


def events_job(account_id: int, occasion: str) -> str:
    """Give the external id of an account's backfill on some occasion."""
    return f"{BACKFILL}:{account_id}:{occasion}"


def is_under_way(lane: str) -> bool:
    """Tell whether something of a lane is not finished."""
    return unfinished_of([lane]).exists()
