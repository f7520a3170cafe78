"""When what is looked at by itself: events every hour, everything every day."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from django.db.models import Min

from velvetrope.domain.states import EventState
from velvetrope.pipeline import jobs
from velvetrope.store.models import InboxEvent, Integration
from velvetrope.usecases.reconciling.backfilling import BACKFILL, BackfillOrder

if TYPE_CHECKING:
    from datetime import datetime

    from velvetrope.usecases.services import Services

HOUR: Final = timedelta(hours=1)
#: What the lane of an account's backfills begins with; the row's id of the account follows.
BACKFILL_LANE: Final = "job:backfill:"

_OPEN: Final = (EventState.PENDING.value, EventState.CLAIMED.value)


class Schedule:
    """Asks for what is due; remembers only since when this process listens."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._listening_since: datetime | None = None

    async def hourly(self) -> None:
        """Have missed events fetched, the first time as soon as the process listens."""
        now = self._services.clock()
        since = self._listening_since = self._listening_since or now
        await self._services.db.write(partial(ask_for_events, now, since))


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
    return InboxEvent.objects.filter(lane=lane, state__in=_OPEN).exists()
