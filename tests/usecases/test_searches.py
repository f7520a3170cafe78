"""What is searched for by the clock costs what there is to do, not what there ever was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection

from tests.usecases.snapshots import NOW
from velvetrope.pipeline.dispatch import alone
from velvetrope.pipeline.shared import bots
from velvetrope.store.models import Lane
from velvetrope.usecases import sweep, understanding, watching
from velvetrope.usecases.alert_dead import sweep_dead_letters
from velvetrope.usecases.reconciling import schedule
from velvetrope.usecases.reminding.searching import sweep_notices

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from tests.usecases.backroom import Backroom

#: Tables with a row for everything that ever happened, or for everybody.
HISTORY = (
    "inboxevent",
    "outboxitem",
    "customer",
    "entitlement",
    "access",
    "checkout",
    "auditentry",
)
#: Indexes that hold only what is left to do.
TO_DO = (
    "inbox_unfinished",
    "inbox_dead",
    "outbox_unfinished",
    "outbox_dead",
    "access_at_the_door",
    "access_to_remove",
    "entitlement_by_payer",
)


def ask_for_events(now: datetime) -> object:
    return schedule.ask_for_events(now, now)


def tidy(now: datetime) -> object:
    Lane.objects.create(key="tg:1:1", retry_at=now, attempts=1)
    return alone._tidy()


SEARCHES: list[Callable[[datetime], object]] = [
    sweep.sweep_due,
    sweep.sweep_waiting,
    sweep.sweep_prices,
    sweep_notices,
    sweep_dead_letters,
    understanding.sweep_unknowns,
    watching.list_due,
    ask_for_events,
    schedule.ask_for_open_doors,
    schedule.ask_for_everything,
    bots.read_pauses,
    tidy,
]


@pytest.mark.parametrize("search", SEARCHES, ids=lambda search: search.__name__)
def test_no_search_by_the_clock_goes_through_a_whole_history(
    room: Backroom,  # noqa: ARG001  with a bot, a chat, plans and customers
    search: Callable[[datetime], object],
) -> None:
    plans: list[tuple[str, str]] = []

    def look(run: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith(("SELECT", "UPDATE", "DELETE")) and not many:
            with connection.execute_wrapper(lambda run, *rest: run(*rest)):
                plans.extend((step, sql) for step in _plan(run, sql, params, context))
        return run(sql, params, many, context)

    if connection.vendor != "sqlite":
        pytest.skip("tells its plans otherwise, and has statistics to make them by")
    with connection.execute_wrapper(look):
        search(NOW)
    assert plans
    assert not [(step, sql) for step, sql in plans if _goes_through(step)]


def _plan(run: Any, sql: str, params: Any, context: Any) -> list[str]:
    run(f"EXPLAIN QUERY PLAN {sql}", params, False, context)  # noqa: FBT003  Django's signature
    return [row[3] for row in context["cursor"].fetchall()]


def _goes_through(step: str) -> bool:
    words = step.split()
    if words[0] != "SCAN" or words[1].removeprefix("store_") not in HISTORY:
        return False
    return not any(index in words for index in TO_DO)
