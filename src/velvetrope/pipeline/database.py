"""Reading and writing for coroutines: reads never wait for writers, writes are grouped."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final, TypeVar

import structlog
from django.db import Error as DatabaseError
from django.db import connection

from velvetrope.domain.errors import RetryLater
from velvetrope.pipeline.writer import GroupWriter, Operation, Ran, Urgency

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from velvetrope.pipeline.dialect import Dialect

T = TypeVar("T")
I = TypeVar("I")  # noqa: E741  an item; R is its result
R = TypeVar("R")

log = structlog.get_logger()

#: Seconds that a transaction may last before those who wait for it are sent away.
SILENCE: Final = 8.0
#: Threads that read; each keeps a connection.
READERS: Final = 2
#: Threads that write; the same. Where many processes share the work, one only takes work up.
WRITERS: Final = 2


class _Functions(Operation["Callable[[], Any]", Any]):
    """Plain functions: an error of one rolls the transaction back, and all run alone again."""

    at_once = 16

    def __init__(self, urgency: Urgency) -> None:
        self.urgency = urgency

    def run(self, items: Sequence[Callable[[], Any]]) -> Ran[Any]:
        return Ran([function() for function in items])


class Database:
    """The database of one process; `start` and `stop` are called in its event loop."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.writer = GroupWriter(dialect)
        self.ordinary = _Functions(Urgency.ORDINARY)
        #: For `submit`, when nobody waits for the function.
        self.urgent = _Functions(Urgency.URGENT)
        self._readers: ThreadPoolExecutor | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._watch: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._readers = ThreadPoolExecutor(READERS, "velvetrope-reader")
        self.writer.start(self._loop)
        self._watch = self._loop.create_task(self._watch_writer())

    async def stop(self) -> None:
        """Write what waits, then close the connections of all threads."""
        if self._watch is not None:
            self._watch.cancel()
        thread = self.writer.stop()
        if thread is not None:
            await asyncio.to_thread(thread.join)
            await asyncio.sleep(0)  # the last results are on their way into the loop
        if self._readers is not None:
            await asyncio.to_thread(self._readers.shutdown)
            self._readers = None
        await asyncio.to_thread(self.dialect.close_pool)

    async def write(self, fn: Callable[[], T], *, urgent: bool = False) -> T:
        """Run a function within a transaction that others share, and wait for its commit.

        It must be able to run again, and not use the network. Raises what it raises, or
        RetryLater `database_unavailable` or `database_busy`.
        """
        result: T = await self.submit(self.urgent if urgent else self.ordinary, fn)
        return result

    def submit(self, operation: Operation[I, R], item: I) -> asyncio.Future[R]:
        """Queue an item of an operation up for writing."""
        return self.writer.submit(operation, item)

    async def read(self, fn: Callable[[], T]) -> T:
        """Run a function that only reads, outside of any transaction, in a thread for that.

        Raises what it raises, or RetryLater `database_unavailable`.
        """
        if self._loop is None or self._readers is None:
            raise RuntimeError("the database has not been started")
        return await self._loop.run_in_executor(self._readers, self._read, fn)

    async def _watch_writer(self) -> None:
        """Have vendors told when the database stands still: they would wait, and pile up."""
        while True:
            await asyncio.sleep(1.0)
            if self.writer.busy_for > SILENCE:
                log.error(
                    "database_silent",
                    seconds=round(self.writer.busy_for),
                    sent_away=self.writer.send_incoming_away(),
                    remedy="see what the database, its disk or the way to it stands still for",
                )

    def _read(self, fn: Callable[[], T]) -> T:
        was_open = connection.connection is not None
        try:
            return self._ask(fn)
        except RetryLater:
            if not was_open:
                raise
        return self._ask(fn)  # the server may have been started again since this thread last asked

    def _ask(self, fn: Callable[[], T]) -> T:
        try:
            return fn()
        except DatabaseError as error:
            if not self.dialect.is_unavailable(error):
                raise
            connection.close()
            raise RetryLater("database_unavailable", retry_after=1, reason=str(error)) from error
