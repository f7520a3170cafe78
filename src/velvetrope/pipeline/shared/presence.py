"""Whether this worker counts as alive: it says so again and again, or its lanes go to others."""

from __future__ import annotations

import asyncio
import os
import socket
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from time import monotonic
from typing import TYPE_CHECKING, Final, TypeVar

import structlog
from django.db import DatabaseError, connection

from velvetrope.pipeline.dialect import leases
from velvetrope.store.ids import new_id

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

log = structlog.get_logger()

#: Seconds from one sign of life to the next.
BEAT: Final = 2.0
#: Seconds after a sign of life for which a worker trusts that it still counts as alive.
TRUSTED_FOR: Final = 6.0


class Presence:
    """One worker's row; all methods belong to the event loop."""

    def __init__(self, changed: Callable[[int], None]) -> None:
        """Have `changed` called with the worker's id, a new one once it was taken for dead."""
        self._changed = changed
        self._worker = 0
        self._until = float("-inf")
        self._is_in_doubt = False
        self._thread: ThreadPoolExecutor | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def holds(self) -> bool:
        """Whether nobody else can have taken this worker's lanes; false after standing still."""
        return monotonic() < self._until

    def doubt(self) -> None:
        """Begin anew as another worker: what this one has in hand may differ from the rows.

        A commit that nobody answered may have leased lanes of which this process doesn't know.
        """
        if not self._is_in_doubt:
            log.warning("worker_in_doubt", worker=self._worker)
        self._is_in_doubt = True
        self._until = float("-inf")

    async def start(self) -> None:
        self._thread = ThreadPoolExecutor(1, "velvetrope-presence")
        await self._enter()
        self._task = asyncio.get_running_loop().create_task(self._beat_again_and_again())

    async def stop(self) -> None:
        """Leave; whatever is leased still goes to others at once."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        self._until = float("-inf")
        if self._thread is not None:
            try:
                await self._run(lambda: leases.leave(self._worker))
            except DatabaseError:
                log.warning("worker_not_signed_off")
            await self._run(_close)
            self._thread.shutdown(wait=False)

    async def _enter(self) -> None:
        """Begin as a worker that nobody knows yet."""
        at, worker = monotonic(), new_id()
        name = f"{os.getpid()}@{socket.gethostname()}"
        await self._run(lambda: leases.enter(worker, name, version("velvetrope")))
        self._worker, self._until, self._is_in_doubt = worker, at + TRUSTED_FOR, False
        self._changed(worker)

    async def _beat_again_and_again(self) -> None:
        while True:
            await asyncio.sleep(BEAT)
            at = monotonic()
            try:
                if self._is_in_doubt:
                    await self._run(lambda: leases.leave(self._worker))
                    await self._enter()
                elif await self._run(lambda: leases.beat(self._worker)):
                    if not self._is_in_doubt:  # else it has become so meanwhile
                        self._until = at + TRUSTED_FOR
                else:
                    log.error("worker_was_taken_for_dead", worker=self._worker)
                    self._until = float("-inf")
                    await self._enter()
            except DatabaseError as error:
                log.warning("worker_not_heard", reason=type(error).__name__)
                await self._run(_close)

    async def _run(self, fn: Callable[[], T]) -> T:
        if self._thread is None:
            raise RuntimeError("the presence has not been started")
        return await asyncio.get_running_loop().run_in_executor(self._thread, fn)


def _close() -> None:
    connection.close()  # of the thread that runs this
