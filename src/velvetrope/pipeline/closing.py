"""Writing down what became of calls to the Bot API, with what follows from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import msgspec
import structlog
from django.db import Error as DatabaseError

from velvetrope.domain.states import ItemState
from velvetrope.pipeline.verdicts import trace_of
from velvetrope.pipeline.work import Work
from velvetrope.pipeline.writer import Fenced, Operation, Ran, Urgency
from velvetrope.store.models import OutboxItem

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from velvetrope.domain.errors import VelvetError
    from velvetrope.pipeline.dialect import Value
    from velvetrope.pipeline.events import Item
    from velvetrope.pipeline.ledger import Ledger
    from velvetrope.pipeline.routes import Routes
    from velvetrope.pipeline.view import BatchView

log = structlog.get_logger()

_ITEMS: Final = OutboxItem._meta.db_table  # noqa: SLF001  Django documents `_meta`
_COLUMNS: Final = (
    "state",
    "attempts",
    "due_at",
    "error_code",
    "error",
    "message_id",
    "finished_at",
    "chat_id",
    "params",
)
OUTCOME_FAILED: Final = "outcome_failed"
#: What is written down of a call that was not made, since the facts had changed before.
NOT_WANTED: Final = "not_wanted"


_UNFINISHED: Final = frozenset({ItemState.PENDING, ItemState.CLAIMED, ItemState.SUSPENDED})


class _Message(msgspec.Struct):
    message_id: int | None = None


_decode_message = msgspec.json.Decoder(_Message).decode


@dataclass(frozen=True, slots=True)
class Closing:
    """A call's end, or its wait.

    It waits for another try (`claimed` with a time), or until it is taken up anew (`pending`).

    One of `result` and `error` is told to the outcome of the routing table, if any; neither stands
    for a call that was overtaken, if it is `skipped` as not wanted.
    """

    item: Item
    state: ItemState
    attempts: int
    result: msgspec.Raw | None = None
    error: VelvetError | None = None
    error_code: str = ""
    trace: str = ""
    due_at: datetime | None = None

    @property
    def was_overtaken(self) -> bool:
        return self.state is ItemState.SKIPPED and self.error_code == NOT_WANTED

    @property
    def is_told(self) -> bool:
        """Whether the outcome hears of it."""
        return self.result is not None or self.error is not None or self.was_overtaken


class CloseItems(Operation[Closing, None]):
    """Closes many items at once; what was sent must be known before it could be sent again."""

    urgency = Urgency.URGENT
    at_once = 200

    def __init__(self, ledger: Ledger, routes: Routes) -> None:
        self._ledger = ledger
        self._routes = routes

    def run(self, items: Sequence[Closing]) -> Ran[None]:
        view = self._ledger.view()
        view.expect(
            {one.item.integration_id for one in items if one.is_told},
            (),
        )
        view.expect_ids(one.item.customer_id for one in items if one.item.customer_id is not None)
        moment = self._ledger.dialect.moment
        now = moment(view.now)
        rows = [self._row(one, self._tell(one, view), moment(one.due_at), now) for one in items]
        view.flush()
        held = self._ledger.dialect.update(_ITEMS, _COLUMNS, rows, only_claimed=True)
        if self._ledger.dialect.is_shared and held != len({one.item.id for one in items}):
            raise Fenced
        return Ran([None] * len(items), after=self._ledger.handing_over(view))

    def _tell(self, one: Closing, view: BatchView) -> str:
        """Run the outcome of the method; gives the trace if it failed, which undoes it alone."""
        outcome = self._routes.outcomes.get(one.item.method)
        if outcome is None or not one.is_told:
            return ""
        work = Work(view, view.now, one.item.cause)
        try:
            if one.result is not None:
                outcome.on_sent(one.item, one.result, work)
            elif one.error is not None:
                outcome.on_failed(one.item, one.error, work)
            else:
                outcome.on_overtaken(one.item, work)
        except DatabaseError:
            raise  # the transaction is spoilt: everybody runs again alone
        except Exception as failure:
            log.exception(OUTCOME_FAILED, item_id=one.item.id, method=one.item.method)
            return trace_of(failure)
        work.merge()
        return ""

    def _row(self, one: Closing, trouble: str, due_at: Value, now: Value) -> Sequence[Value]:
        finished = one.state not in _UNFINISHED
        return (
            one.state.value,
            one.attempts,
            due_at,
            one.error_code or (OUTCOME_FAILED if trouble else ""),
            one.trace or trouble,
            _message_id(one),
            now if finished else None,
            one.item.chat_id,
            one.item.params,
            one.item.id,
        )


def _message_id(one: Closing) -> int | None:
    if one.result is None or not one.item.method.startswith("send"):
        return None
    try:
        return _decode_message(one.result).message_id
    except (ValueError, RecursionError):
        return None
