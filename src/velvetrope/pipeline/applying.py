"""The second phase: the effects of many events in one transaction, with the events marked done."""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

from django.db import Error as DatabaseError

from velvetrope.domain.states import EventOutcome, EventState, Source
from velvetrope.pipeline.work import Work
from velvetrope.pipeline.writer import Failure, Fenced, Operation, Ran
from velvetrope.store.models import InboxEvent, Lane

if TYPE_CHECKING:
    from collections.abc import Sequence

    from velvetrope.pipeline.events import Event
    from velvetrope.pipeline.ledger import Ledger
    from velvetrope.pipeline.routes import Handler
    from velvetrope.pipeline.view import BatchView

_EVENTS: Final = InboxEvent._meta.db_table  # noqa: SLF001  Django documents `_meta`
_AT_ONCE_LEAST: Final = 8
_AT_ONCE_MOST: Final = 256


@dataclass(frozen=True, slots=True)
class Prepared:
    """An event with what its first phase found out."""

    event: Event
    handler: Handler[Any]
    facts: object
    #: Whether its lane was held back by a failure, which a row tells.
    was_held: bool = False
    #: Whether its lane has nothing else in hand.
    is_last: bool = False


class ApplyEvents(Operation[Prepared, str]):
    """Runs `apply` of many events over rows that are loaded and written at once.

    An event whose handler raises has no effect; the others have theirs.
    """

    at_once = 32

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._budget = ledger.dialect.budget
        self._seconds_each = self._budget / self.at_once

    def run(self, items: Sequence[Prepared]) -> Ran[str]:
        started = perf_counter()
        view = self._ledger.view()
        results = self._apply(items, view)
        view.flush()
        self._finish(items, results, view)
        self._adapt((perf_counter() - started) / len(items))
        return Ran(results, after=self._ledger.handing_over(view))

    def _apply(self, items: Sequence[Prepared], view: BatchView) -> list[str | Failure]:
        results: list[str | Failure] = []
        for one in items:
            try:
                keys = one.handler.subjects(one.event, one.facts)
            except Exception as error:  # noqa: BLE001  told to the one whose event it is
                results.append(Failure(error))
                continue
            of_stripe = one.event.source == Source.STRIPE
            view.expect(() if of_stripe else (one.event.account,), keys)
            results.append("")
        for index, one in enumerate(items):
            if results[index] == "":
                results[index] = self._apply_one(one, view)
        return results

    def _apply_one(self, one: Prepared, view: BatchView) -> str | Failure:
        work = Work(view, view.now, one.event.id)
        try:
            outcome = one.handler.apply(one.event, one.facts, work)
            known = EventOutcome(outcome or EventOutcome.HANDLED).value
        except DatabaseError:
            raise  # the transaction is spoilt: everybody runs again alone
        except Exception as error:  # noqa: BLE001  told to the one whose event it is
            return Failure(error)
        work.merge()
        return known

    def _finish(
        self, items: Sequence[Prepared], results: Sequence[str | Failure], view: BatchView
    ) -> None:
        """Mark the events done, if they still are in the hands of this process."""
        at = self._ledger.dialect.moment(view.now)
        rows = [
            (EventState.DONE.value, outcome, at, one.event.id)
            for one, outcome in zip(items, results, strict=True)
            if isinstance(outcome, str)
        ]
        if not rows:
            return
        columns = ("state", "outcome", "finished_at")
        if self._ledger.dialect.update(_EVENTS, columns, rows, only_claimed=True) != len(rows):
            raise Fenced
        for one, outcome in zip(items, results, strict=True):
            if one.is_last and isinstance(outcome, str):
                self._ledger.ending.emptied(one.event.lane)
        released = [
            one.event.lane
            for one, outcome in zip(items, results, strict=True)
            if one.was_held and isinstance(outcome, str)
        ]
        if released:
            Lane.objects.filter(key__in=released).delete()

    def _adapt(self, seconds_each: float) -> None:
        """Take as many events at once as fit into the time that a transaction may last."""
        self._seconds_each += (seconds_each - self._seconds_each) * 0.1
        fitting = int(self._budget / max(self._seconds_each, 1e-6))
        self.at_once = min(max(fitting, _AT_ONCE_LEAST), _AT_ONCE_MOST)
