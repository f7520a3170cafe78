"""A dry run over all people of an integration: some at a time, each page kept at once."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import msgspec

from velvetrope.domain.errors import RetryLater, VelvetError
from velvetrope.domain.states import EventOutcome
from velvetrope.pipeline import jobs
from velvetrope.store.models import DryRun
from velvetrope.usecases.rehearsing.people import list_people
from velvetrope.usecases.rehearsing.rehearsal import Change, rehearse

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Sequence

    from velvetrope.pipeline.work import CustomerKey, Event, Work
    from velvetrope.usecases.services import Services

#: The kind of the job.
DRY_RUN: Final = "dry_run"
#: People of one page.
_AT_ONCE: Final = 20
#: People looked at side by side: Stripe has other work as well.
_SIDE_BY_SIDE: Final = 4
#: Changes that are kept one by one; the others are only counted.
MOST_KEPT: Final = 2000
_TRIES: Final = 6


class DryRunOrder(msgspec.Struct, frozen=True):
    dry_run_id: int
    integration_id: int


def lane_of(dry_run_id: int) -> str:
    return f"job:dry_run:{dry_run_id}"


@dataclass(frozen=True, slots=True)
class Page:
    """What was found of the next people; `last` is the row's id of the last one."""

    last: int
    people: int
    changes: Sequence[Change]
    #: Whether there may be more.
    goes_on: bool


async def find_changes(services: Services, integration_id: int) -> AsyncIterator[Page]:
    """Look at everybody, page by page; raises the three kinds."""
    last, goes_on = 0, True
    while goes_on:
        page = await find_page(services, integration_id, last)
        last, goes_on = page.last, page.goes_on
        yield page


async def find_page(services: Services, integration_id: int, after: int) -> Page:
    """Look at the next people after this row's id."""
    people = await services.db.read(lambda: list_people(integration_id, after, _AT_ONCE))
    free = asyncio.Semaphore(_SIDE_BY_SIDE)

    async def one(key: CustomerKey) -> list[Change]:
        async with free:
            return await rehearse(services, key)

    found = await asyncio.gather(*(one(key) for _, key in people))
    changes = [change for of_one in found for change in of_one]
    last = people[-1][0] if people else after
    return Page(last, len(people), changes, goes_on=len(people) == _AT_ONCE)


class DryRunHandler:
    """Takes a dry run a page further; whatever ends it early is said with what was found."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def prepare(self, event: Event) -> Page | str | None:
        order = jobs.decode(event.payload, DryRunOrder)
        cursor = await self._services.db.read(lambda: _cursor(order.dry_run_id))
        if cursor is None:
            return None
        try:
            return await find_page(self._services, order.integration_id, cursor)
        except VelvetError as error:
            if isinstance(error, RetryLater) and event.attempts + 1 < _TRIES:
                raise
            return error.code

    def subjects(self, event: Event, facts: Page | str | None) -> Sequence[CustomerKey]:  # noqa: ARG002  port
        return []

    def apply(self, event: Event, facts: Page | str | None, work: Work) -> str | None:
        order = jobs.decode(event.payload, DryRunOrder)
        run = DryRun.objects.filter(id=order.dry_run_id, finished_at=None).first()
        if run is None or facts is None:
            return EventOutcome.IGNORED.value
        if isinstance(facts, str):
            run.error_code, run.finished_at = facts, work.now
        else:
            _add(run, facts)
            if facts.goes_on:
                work.defer(
                    DRY_RUN,
                    order,
                    lane=lane_of(run.id),
                    account=order.integration_id,
                    external_id=f"{DRY_RUN}:{run.id}:{facts.last}",
                )
            else:
                run.finished_at = work.now
        run.save()
        return EventOutcome.HANDLED.value


def count(changes: Iterable[Change]) -> Counter[str]:
    """Count changes by effect, and by effect and chat as `leave:12`."""
    counts: Counter[str] = Counter()
    for one in changes:
        counts[one.effect.value] += 1
        if one.chat_id is not None:
            counts[f"{one.effect.value}:{one.chat_id}"] += 1
    return counts


def _add(run: DryRun, page: Page) -> None:
    run.cursor = page.last
    run.looked_at += page.people
    room = MOST_KEPT - len(run.changes)
    run.changes = [*run.changes, *msgspec.to_builtins(list(page.changes[:room]))]
    run.counts = dict(Counter(run.counts) + count(page.changes))


def _cursor(dry_run_id: int) -> int | None:
    rows = DryRun.objects.filter(id=dry_run_id, finished_at=None)
    return rows.values_list("cursor", flat=True).first()
