"""Storing events and jobs; whoever stores them in the serving process has them in hand at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from velvetrope.domain.states import EventOutcome, EventState
from velvetrope.pipeline.ending import Ending
from velvetrope.store.models import InboxEvent

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from velvetrope.pipeline.dialect import Dialect, Value
    from velvetrope.pipeline.events import Event

_TABLE: Final = InboxEvent._meta.db_table  # noqa: SLF001  Django documents `_meta`
_COLUMNS: Final = (
    "id",
    "source",
    "account",
    "external_id",
    "kind",
    "lane",
    "payload",
    "state",
    "due_at",
    "received_at",
    "outcome",
    "attempts",
    "error_code",
    "error",
    "finished_at",
)


class Inbox:
    """Inserts events within the transaction of the writer's thread.

    Events are born claimed and handed over in memory. While `spilling`, they are born pending
    instead and wait for the claiming of pending rows, oldest first: so the order of a lane holds
    when there is more than memory should keep. A process that doesn't dispatch always spills.
    """

    def __init__(self, dialect: Dialect, ending: Ending | None = None) -> None:
        self._dialect = dialect
        self._ending = ending or Ending()
        self.spilling = True

    def attend(self, ending: Ending) -> None:
        """Tell from now on who is to know of what is stored."""
        self._ending = ending

    def insert(
        self,
        events: Sequence[tuple[Event, datetime | None]],
        *,
        unhandled: Collection[int] = (),
    ) -> tuple[set[int], list[Event]]:
        """Store (event, due time) pairs that are new; those `unhandled`, by id, are born done.

        Gives the ids of the new ones, and the events among them that this process now holds.
        """
        moment = self._dialect.moment
        spilling = self.spilling
        pending, claimed = EventState.PENDING.value, EventState.CLAIMED.value

        def state(event: Event, due_at: datetime | None) -> str:
            if event.id in unhandled:
                return EventState.DONE.value
            return pending if spilling or due_at is not None else claimed

        rows: list[tuple[Value, ...]] = [
            (
                event.id,
                event.source,
                event.account,
                event.external_id,
                event.kind,
                event.lane,
                event.payload,
                state(event, due_at),
                moment(due_at),
                moment(event.received_at),
                EventOutcome.UNHANDLED.value if event.id in unhandled else "",
                0,
                "",
                "",
                moment(event.received_at) if event.id in unhandled else None,
            )
            for event, due_at in events
        ]
        new = self._dialect.insert(_TABLE, _COLUMNS, rows, skip_known=True)
        waiting = [
            event
            for event, due_at in events
            if due_at is None and event.id in new and event.id not in unhandled
        ]
        if spilling:
            self._ending.stored(event.lane for event in waiting)
            return new, []
        return new, waiting
