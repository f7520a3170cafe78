"""Storing what came in, claiming what is pending."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from velvetrope.domain.states import EventOutcome, Priority
from velvetrope.pipeline.dialect import claims
from velvetrope.pipeline.writer import Operation, Ran, Urgency

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from velvetrope.pipeline.events import Event, Item
    from velvetrope.pipeline.ledger import Ledger
    from velvetrope.pipeline.routes import Routes
    from velvetrope.pipeline.stats import Stats


class StoreEvents(Operation["Event", bool]):
    """Stores events before they are acknowledged; False for one that was known already.

    An event of a kind that has no handler is finished by that: nobody has to be waited for.
    """

    urgency = Urgency.INCOMING
    at_once = 500
    bound = 5_000

    def __init__(self, ledger: Ledger, routes: Routes, stats: Stats) -> None:
        self._ledger = ledger
        self._routes = routes
        self._stats = stats

    def run(self, items: Sequence[Event]) -> Ran[bool]:
        handler = self._routes.handler
        unhandled = {event.id for event in items if handler(event.source, event.kind) is None}
        new, held = self._ledger.inbox.insert(
            [(event, None) for event in items], unhandled=unhandled
        )

        def after() -> None:
            for event in items:
                if event.id in unhandled and event.id in new:
                    self._stats.events_done[event.source, EventOutcome.UNHANDLED.value] += 1
            if held:
                self._ledger.receiver.take_events(held)

        return Ran([event.id in new for event in items], after=after)


@dataclass(frozen=True, slots=True)
class Room:
    """How many events and items a process has room for, and whether it takes over for good."""

    events: int
    items: int


@dataclass(frozen=True, slots=True)
class Claimed:
    events: int
    items: int


class ClaimPending(Operation["Room", Claimed]):
    """Takes pending rows over, the oldest first.

    When nothing is left, what is stored from then on is handed over in memory again. That is
    decided in the writer's thread, so that no row falls between.
    """

    at_once = 1

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def run(self, items: Sequence[Room]) -> Ran[Claimed]:
        (room,) = items
        now = self._ledger.clock()
        events = claims.take_events(now, room.events) if room.events else []
        calls: list[Item] = []
        left = room.items
        complete = bool(left)
        for priority in (Priority.GRANT, Priority.ANSWER, Priority.BULK):
            if left > 0:
                found = claims.take_items(now, left, priority.value)
                calls += found
                left -= len(found)
            if priority is Priority.ANSWER:
                complete = left > 0
        return Ran(
            [Claimed(len(events), len(calls))],
            at_commit=self._turn(events=len(events) < room.events, items=complete),
            after=self._handing_over(events, calls),
        )

    def _turn(self, *, events: bool, items: bool) -> Callable[[], None]:
        def turn() -> None:
            if events:
                self._ledger.inbox.spilling = False
            if items:
                self._ledger.outbox.spilling = False

        return turn

    def _handing_over(self, events: list[Event], calls: list[Item]) -> Callable[[], None]:
        def hand_over() -> None:
            self._ledger.receiver.take_events(events)
            self._ledger.receiver.take_items(calls, resumed=True)

        return hand_over
