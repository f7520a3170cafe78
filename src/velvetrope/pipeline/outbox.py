"""Storing calls to the Bot API; whoever stores them in the serving process has them in hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from velvetrope.domain.states import ItemState, Priority
from velvetrope.pipeline.ending import Ending
from velvetrope.store.models import OutboxItem

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from velvetrope.pipeline.dialect import Dialect, Value
    from velvetrope.pipeline.events import Item

_TABLE: Final = OutboxItem._meta.db_table  # noqa: SLF001  Django documents `_meta`
#: Why a message was put on record only.
NO_NEWS: Final = "no_news"
_COLUMNS: Final = (
    "id",
    "integration_id",
    "customer_id",
    "chat_id",
    "method",
    "params",
    "priority",
    "occasion",
    "cause",
    "state",
    "owner",
    "created_at",
    "finished_at",
    "attempts",
    "error_code",
    "error",
)


class Outbox:
    """Inserts items within the transaction of the writer's thread.

    Grants and answers are born claimed and handed over in memory, unless there are too many
    (`spilling`) or another process makes the calls of the bot. Bulk is always born pending: it is
    taken up by and by.
    """

    def __init__(self, dialect: Dialect, ending: Ending | None = None) -> None:
        self._dialect = dialect
        self._ending = ending or Ending()
        self.spilling = True

    def attend(self, ending: Ending) -> None:
        """Tell from now on who is to know of what is stored."""
        self._ending = ending

    def insert(
        self, items: Sequence[Item], now: datetime, unreachable: Callable[[Item], str]
    ) -> list[Item]:
        """Store items whose occasion is new; give those that this process now holds.

        Messages that can't reach their person, and those that are no news, are stored as skipped,
        with the code of why.
        """
        at = self._dialect.moment(now)
        whys = {item.id: NO_NEWS if item.hushed else unreachable(item) for item in items}
        states = {item.id: self._state(item, whys[item.id]) for item in items}
        rows: list[tuple[Value, ...]] = [
            (
                item.id,
                item.integration_id,
                item.customer_id,
                item.chat_id,
                item.method,
                item.params,
                item.priority,
                item.occasion,
                item.cause,
                state.value,
                self._dialect.owner if state is ItemState.CLAIMED else None,
                at,
                at if state is ItemState.SKIPPED else None,
                0,
                whys[item.id],
                "",
            )
            for item, state in zip(items, states.values(), strict=True)
        ]
        new = self._dialect.insert(_TABLE, _COLUMNS, rows, skip_known=True)
        self._ending.called(
            item.integration_id
            for item in items
            if item.id in new and states[item.id] is not ItemState.SKIPPED
        )
        return [item for item in items if item.id in new and states[item.id] is ItemState.CLAIMED]

    def _state(self, item: Item, why_not: str) -> ItemState:
        if why_not:
            return ItemState.SKIPPED
        if (
            self.spilling
            or item.priority == Priority.BULK
            or not self._ending.makes_calls_of(item.integration_id)
        ):
            return ItemState.PENDING
        return ItemState.CLAIMED
