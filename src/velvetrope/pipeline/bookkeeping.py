"""Having the ends of calls written down, again and again while the database is away."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import structlog

from velvetrope.domain.errors import VelvetError
from velvetrope.pipeline.closing import OUTCOME_FAILED, Closing
from velvetrope.pipeline.verdicts import trace_of
from velvetrope.pipeline.writer import Fenced
from velvetrope.store.models import Integration

if TYPE_CHECKING:
    from datetime import datetime

    from velvetrope.pipeline.closing import CloseItems
    from velvetrope.pipeline.database import Database

log = structlog.get_logger()

#: Seconds until what was done is written down again, if the database was away.
_WRITE_AGAIN: Final = 1.0


class Bookkeeper:
    """Nobody waits for it; all methods belong to the event loop."""

    def __init__(self, db: Database, close: CloseItems) -> None:
        self._db = db
        self._close_items = close
        self._all_closed = asyncio.Event()
        #: How many ends are on their way to the disk.
        self.unwritten = 0

    def close(self, closing: Closing) -> None:
        self.unwritten += 1
        try:
            future = self._db.submit(self._close_items, closing)
        except VelvetError as error:
            self._close_later(closing, error)
        else:
            future.add_done_callback(lambda done: self._closed(closing, done))

    def keep_pause(self, integration_id: int, until: datetime) -> None:
        """Have a restart know that Telegram asked a whole bot to be silent."""

        def keep() -> None:
            Integration.objects.filter(pk=integration_id).update(paused_until=until)

        try:
            future = self._db.submit(self._db.urgent, keep)
        except VelvetError:
            return  # the item's own time is kept, or tried to be, as well
        future.add_done_callback(_look_at)

    async def settle(self, patience: float) -> None:
        """Wait until everything is written down, or patience, in seconds, is spent."""
        self._all_closed.clear()
        if self.unwritten:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._all_closed.wait(), patience)

    def _closed(self, closing: Closing, done: asyncio.Future[None]) -> None:
        error = None if done.cancelled() else done.exception()
        if isinstance(error, Fenced):
            log.info("item_fenced", item_id=closing.item.id, method=closing.item.method)
            error = None
        if error is None:
            self.unwritten -= 1
            if not self.unwritten:
                self._all_closed.set()
        else:
            self._close_later(closing, error)

    def _close_later(self, closing: Closing, error: BaseException) -> None:
        """Write again what could not be written; an outcome at fault is left out of it."""
        log.error("item_not_closed", item_id=closing.item.id, reason=type(error).__name__)
        if not isinstance(error, VelvetError):
            closing = Closing(
                closing.item,
                closing.state,
                closing.attempts,
                error_code=closing.error_code or OUTCOME_FAILED,
                trace=closing.trace or trace_of(error),
                due_at=closing.due_at,
            )
        self.unwritten -= 1
        asyncio.get_running_loop().call_later(_WRITE_AGAIN, self.close, closing)


def _look_at(done: asyncio.Future[None]) -> None:
    """Log a failure that nobody waits for."""
    if not done.cancelled() and (error := done.exception()) is not None:
        log.warning("pause_not_kept", reason=type(error).__name__)
