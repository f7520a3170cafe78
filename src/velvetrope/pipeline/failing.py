"""Writing down that an event failed: when its lane goes on, or that it is a dead letter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from velvetrope.domain.states import EventState
from velvetrope.pipeline.verdicts import Again, Never, code_of
from velvetrope.pipeline.writer import Fenced, Operation, Ran, Urgency
from velvetrope.store.models import InboxEvent, Lane

if TYPE_CHECKING:
    from collections.abc import Sequence

    from velvetrope.pipeline.events import Event
    from velvetrope.pipeline.ledger import Ledger

_EVENTS: Final = InboxEvent._meta.db_table  # noqa: SLF001  Django documents `_meta`


@dataclass(frozen=True, slots=True)
class FailedTry:
    event: Event
    verdict: Again | Never
    #: Whether this process lets go of the event, for the one that serves to try again.
    hand_back: bool = False
    #: Whether its lane has nothing else in hand.
    is_last: bool = False


class RecordFailures(Operation[FailedTry, None]):
    """Keeps the tries and their times, so that a restart neither forgets nor hurries them."""

    urgency = Urgency.URGENT
    at_once = 200

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def run(self, items: Sequence[FailedTry]) -> Ran[None]:
        now = self._ledger.dialect.moment(self._ledger.clock())
        columns = ("state", "attempts", "error_code", "error", "due_at", "finished_at")
        moment = self._ledger.dialect.moment
        rows = [
            (
                _state(one).value,
                one.verdict.attempts,
                code_of(one.verdict.error),
                one.verdict.trace,
                moment(one.verdict.at)
                if one.hand_back and isinstance(one.verdict, Again)
                else None,
                now if isinstance(one.verdict, Never) else None,
                one.event.id,
            )
            for one in items
        ]
        held = self._ledger.dialect.update(_EVENTS, columns, rows, only_claimed=True)
        if self._ledger.dialect.is_shared and held != len(rows):
            raise Fenced
        self._hold([one for one in items if not one.hand_back])
        freed = [one.event.lane for one in items if isinstance(one.verdict, Never)]
        if freed:
            Lane.objects.filter(key__in=freed).delete()
        for one in items:
            if one.is_last and isinstance(one.verdict, Never):
                self._ledger.ending.emptied(one.event.lane)
        return Ran([None] * len(items))

    def _hold(self, items: Sequence[FailedTry]) -> None:
        lanes = {
            one.event.lane: Lane(
                key=one.event.lane,
                retry_at=one.verdict.at,
                attempts=one.verdict.attempts,
                error_code=code_of(one.verdict.error),
            )
            for one in items
            if isinstance(one.verdict, Again)
        }
        Lane.objects.bulk_create(
            lanes.values(),
            update_conflicts=True,
            unique_fields=["key"],
            update_fields=["retry_at", "attempts", "error_code"],
        )


def _state(one: FailedTry) -> EventState:
    if isinstance(one.verdict, Never):
        return EventState.DEAD
    return EventState.PENDING if one.hand_back else EventState.CLAIMED
