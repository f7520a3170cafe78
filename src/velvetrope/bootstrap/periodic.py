"""What runs again and again while the process serves."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from velvetrope.pipeline.pipeline import resume
from velvetrope.pipeline.routes import Periodic
from velvetrope.usecases import (
    account_watch,
    alert_telling,
    sweep,
    watching,
)
from velvetrope.usecases.adoption import counting, forgetting
from velvetrope.usecases.alert_dead import sweep_dead_letters
from velvetrope.usecases.leaving.brake import sweep_brakes
from velvetrope.usecases.reconciling.schedule import Schedule
from velvetrope.usecases.reminding import searching
from velvetrope.usecases.understanding import sweep_unknowns

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from velvetrope.usecases.services import Services

#: How often the rows are searched for what time alone has brought about.
SWEEP_EVERY = timedelta(seconds=20)
ALERTS_EVERY = timedelta(seconds=10)
HOURLY = timedelta(hours=1)
DEAD_EVERY = timedelta(minutes=1)
WAITING_EVERY = timedelta(minutes=10)
PRICES_EVERY = timedelta(minutes=10)
BRAKES_EVERY = timedelta(minutes=1)


def periodic_work(services: Services) -> tuple[Periodic, ...]:
    """Give everything periodic, with how often and when first."""

    async def run(search: Callable[[datetime], int]) -> None:
        """Search in short transactions, until one finds less than it could have taken."""
        found = sweep.MOST_AT_ONCE
        while found >= sweep.MOST_AT_ONCE:
            now = services.clock()
            found = await services.db.write(partial(search, now))

    def every(length: timedelta, search: Callable[[datetime], int], first: float) -> Periodic:
        return Periodic(
            search.__name__.removeprefix("sweep_"),
            length.total_seconds(),
            partial(run, search),
            first_after=first,
        )

    watch = watching.Watch(services, resume)

    async def tell() -> None:
        now, url = services.clock(), services.alerts_url
        await services.db.write(lambda: alert_telling.tell_alerts(now, url))

    schedule = Schedule(services)
    return (
        Periodic("events", HOURLY.total_seconds(), schedule.hourly, first_after=3.0),
        Periodic("everything", WAITING_EVERY.total_seconds(), schedule.daily, first_after=120.0),
        Periodic("alerts", ALERTS_EVERY.total_seconds(), tell, first_after=5.0),
        every(SWEEP_EVERY, sweep.sweep_due, 2.0),
        every(SWEEP_EVERY, searching.sweep_notices, 3.0),
        every(WAITING_EVERY, sweep.sweep_waiting, 10.0),
        every(PRICES_EVERY, sweep.sweep_prices, 60.0),
        every(DEAD_EVERY, sweep_dead_letters, 20.0),
        Periodic(
            "accounts",
            account_watch.EVERY.total_seconds(),
            partial(account_watch.watch_accounts, services),
            first_after=15.0,
        ),
        Periodic("bots", watching.EVERY.total_seconds(), watch.run, first_after=8.0),
        every(WAITING_EVERY, counting.sweep_counts, 30.0),
        every(WAITING_EVERY, forgetting.sweep_lists, 120.0),
        every(BRAKES_EVERY, sweep_brakes, 30.0),
        every(WAITING_EVERY, sweep_unknowns, 120.0),
    )
