"""The one thread that writes: what waits together is committed together.

Each transaction takes events that came in, then what is urgent, then everything else until its
time is spent. If it fails, it is rolled back and each of its parts runs in a transaction of its
own, so that only the culprit fails; so whatever is given to it must be able to run again.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections import deque
from dataclasses import dataclass
from enum import IntEnum
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

import structlog
from django.db import connections, transaction

from velvetrope.domain.errors import RetryLater

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Sequence

    from velvetrope.pipeline.dialect import Dialect
    from velvetrope.pipeline.ending import Ending

I = TypeVar("I")  # noqa: E741  an item; R is its result
R = TypeVar("R")

#: The share of a transaction's time while events come in, whose senders wait for the commit.
SHARE_WHILE_INCOMING: Final = 0.2

#: How often something is run alone that meets the transactions of others.
TRIES: Final = 4

log = structlog.get_logger()

#: Codes of failures that say nothing about who asked.
UNAVAILABLE: Final = frozenset({"database_unavailable", "database_busy"})


class Urgency(IntEnum):
    INCOMING = 0  # somebody waits for the acknowledgement
    URGENT = 1  # what was done outside has to be written down
    ORDINARY = 2


class Fenced(Exception):  # noqa: N818  reads as what happened to the row
    """Somebody else finished this row, or took it away: nothing of this try may count."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Stands among results for an item that failed without harm to the transaction."""

    error: BaseException


@dataclass(frozen=True, slots=True)
class Ran(Generic[R]):
    """What became of the items of one run, in their order."""

    results: Sequence[R | Failure]
    #: Called in the writer's thread as soon as the commit is done.
    at_commit: Callable[[], None] | None = None
    #: Called in the event loop after that, before the results are given out.
    after: Callable[[], None] | None = None


class Operation(ABC, Generic[I, R]):
    """A kind of writing whose items are gathered; one object for the life of a writer."""

    urgency: Urgency = Urgency.ORDINARY
    #: Items of one run at most.
    at_once: int = 64
    #: Items that may wait; more are refused with `database_busy`.
    bound: int = 20_000

    @abstractmethod
    def run(self, items: Sequence[I]) -> Ran[R]:
        """Write the items, within the transaction; may run again for the same ones."""


@dataclass(slots=True)
class _Waiting:
    operation: Operation[Any, Any]
    entries: deque[tuple[Any, asyncio.Future[Any]]]


@dataclass(slots=True)
class _Part:
    """Items of one operation in one transaction."""

    operation: Operation[Any, Any]
    entries: list[tuple[Any, asyncio.Future[Any]]]
    ran: Ran[Any] | None = None


class GroupWriter:
    """Runs operations in its own thread; everything but `run` belongs to the event loop."""

    def __init__(
        self, dialect: Dialect, *, budget: float | None = None, name: str = "velvetrope-writer"
    ) -> None:
        self._dialect = dialect
        self._name = name
        self._budget = dialect.budget if budget is None else budget
        self._queues: dict[Operation[Any, Any], _Waiting] = {}
        self._in_order: list[_Waiting] = []
        self._wake = threading.Event()
        self._stopping = False
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        #: Called in the writer's thread after a transaction was undone.
        self.on_rollback: Callable[[], None] = _nothing
        #: Called in the writer's thread when a commit was asked for and nobody answered: what its
        #: rows say now is not known.
        self.on_doubt: Callable[[], None] = _nothing
        #: Runs at the end of each transaction, after everything that was asked for.
        self.ending: Ending | None = None
        self.transactions = 0
        self.replays = 0
        #: Since when a transaction runs, and what it has in hand.
        self._busy_since: float | None = None
        self._in_hand: list[_Part] = []
        #: Since when the database can't be written, by a clock that never runs backwards.
        self._away_since: float | None = None

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._stopping = False
        self._thread = threading.Thread(target=self._serve, name=self._name, daemon=True)
        self._thread.start()

    def stop(self) -> threading.Thread | None:
        """Have the thread end when nothing waits any more; gives it for joining."""
        self._stopping = True
        self._wake.set()
        return self._thread

    @property
    def waiting(self) -> int:
        return sum(len(queue.entries) for queue in self._in_order)

    @property
    def busy_for(self) -> float:
        """Tell for how many seconds the transaction has run that runs now."""
        since = self._busy_since
        return 0.0 if since is None else perf_counter() - since

    def send_incoming_away(self) -> int:
        """Tell those who wait for an acknowledgement that there is none now; gives how many.

        What they brought may be stored nevertheless, and is known when it is brought again.
        """
        incoming = [
            future
            for entries in (
                *(part.entries for part in list(self._in_hand) if _is_incoming(part)),
                *(list(queue.entries) for queue in self._in_order if _is_incoming(queue)),
            )
            for _, future in entries
            if not future.done()
        ]
        for future in incoming:
            future.set_exception(RetryLater("database_silent", retry_after=1))
        return len(incoming)

    def submit(self, operation: Operation[I, R], item: I) -> asyncio.Future[R]:
        """Queue an item up; RetryLater `database_busy` if too many wait already."""
        if self._loop is None or self._stopping:
            raise RetryLater("database_unavailable", retry_after=1, reason="stopping")
        queue = self._queues.get(operation) or self._queue_of(operation)
        if len(queue.entries) >= operation.bound:
            raise RetryLater("database_busy", retry_after=1)
        future: asyncio.Future[R] = self._loop.create_future()
        queue.entries.append((item, future))
        if not self._wake.is_set():
            self._wake.set()
        return future

    def _queue_of(self, operation: Operation[Any, Any]) -> _Waiting:
        queue = self._queues[operation] = _Waiting(operation, deque())
        self._in_order = sorted(
            self._queues.values(), key=lambda waiting: waiting.operation.urgency
        )
        return queue

    # From here on: the writer's thread.

    def _serve(self) -> None:
        try:
            while True:
                self._wake.wait()
                self._wake.clear()
                while self._run_transaction():
                    pass
                if self._stopping:
                    return
        finally:
            connections.close_all()

    def _run_transaction(self) -> bool:
        """Run what waits, as far as time allows; False if nothing waited."""
        if not any(queue.entries for queue in self._in_order):
            return False
        parts: list[_Part] = []
        self._busy_since, self._in_hand = perf_counter(), parts
        is_committing = False
        try:
            with transaction.atomic():
                self._begin()
                self._fill(parts)
                self._end(parts)
                is_committing = True
            self._busy_since = None
        except Exception as error:  # noqa: BLE001  whatever it is, those who wait are told
            self._doubt(error, is_committing=is_committing)
            self._recover(parts, error)
            self._busy_since = None
        else:
            self._committed(parts)
        return True

    def _fill(self, parts: list[_Part]) -> None:
        share = 1.0
        ordinary = []
        for queue in self._in_order:
            if queue.operation.urgency == Urgency.ORDINARY:
                ordinary.append(queue)
            elif queue.entries:
                if queue.operation.urgency == Urgency.INCOMING:
                    share = SHARE_WHILE_INCOMING
                _run(_take(queue, parts))
        ends = perf_counter() + self._budget * share
        waiting = True
        while waiting and (perf_counter() < ends or not parts):
            waiting = False
            for queue in ordinary:
                if queue.entries and (perf_counter() < ends or not parts):
                    _run(_take(queue, parts, share))
                    waiting = True

    def _begin(self) -> None:
        if self.ending is not None:
            self.ending.begin()

    def _end(self, parts: list[_Part]) -> None:
        """Run what comes last; what follows from it is told first."""
        if self.ending is not None:
            parts.insert(0, last := _Part(self.ending, []))
            _run(last)

    def _recover(self, parts: list[_Part], error: Exception) -> None:
        """Tell everybody if the database is at fault, else find out who is."""
        self.replays += 1
        self.on_rollback()
        if not parts or self._dialect.is_unavailable(error):
            self._give_up(parts, error)
            return
        alone = [_Part(part.operation, [entry]) for part in parts for entry in part.entries]
        if len(alone) == 1 and not self._dialect.is_conflict(error):
            alone[0].ran = Ran([Failure(error)])
            self._answer_from_thread(alone)
            return
        log.warning("transaction_replayed", parts=len(alone), error=type(error).__name__)
        for part in alone:
            done = [part]
            error_of_its_own = self._run_alone(done)
            if error_of_its_own is None:
                self._committed(done)
            else:
                part.ran = Ran([self._failure(error_of_its_own)])
                self._answer_from_thread([part])

    def _run_alone(self, parts: list[_Part]) -> Exception | None:
        """Run a part in a transaction of its own; again if it met that of another process."""
        part = parts[0]
        for left in reversed(range(TRIES)):
            is_committing = False
            try:
                with transaction.atomic():
                    self._begin()
                    _run(part)
                    self._end(parts)
                    is_committing = True
            except Exception as error:  # noqa: BLE001  given to who asked
                self._doubt(error, is_committing=is_committing)
                self.on_rollback()
                parts[:] = [part]
                if not (left and self._dialect.is_conflict(error)):
                    return error
            else:
                return None
        return None

    def _doubt(self, error: Exception, *, is_committing: bool) -> None:
        if is_committing and self._dialect.is_unavailable(error):
            self.on_doubt()

    def _failure(self, error: Exception) -> Failure:
        if self._dialect.is_unavailable(error):
            return _unavailable()
        if self._dialect.is_conflict(error):
            return Failure(RetryLater("database_busy", retry_after=1))
        return Failure(error)

    def _give_up(self, parts: list[_Part], error: Exception) -> None:
        if self._away_since is None:
            self._away_since = perf_counter()
        log.error(
            "database_unavailable",
            reason=str(error).strip(),
            remedy=self._dialect.remedy(error),
        )
        if not parts:  # not even begun
            for queue in self._in_order:
                while queue.entries:
                    _take(queue, parts)
        for part in parts:
            part.ran = Ran([_unavailable()] * len(part.entries))
        connections.close_all()  # the file may have been replaced, the disk may have come back
        self._answer_from_thread(parts)

    def _committed(self, parts: list[_Part]) -> None:
        self.transactions += 1
        if self._away_since is not None:
            seconds, self._away_since = perf_counter() - self._away_since, None
            log.warning("database_available", seconds=round(seconds, 1))
        for part in parts:
            if part.ran is not None and part.ran.at_commit is not None:
                part.ran.at_commit()
        self._answer_from_thread(parts)

    def _answer_from_thread(self, parts: list[_Part]) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(_answer, parts)


def _take(queue: _Waiting, parts: list[_Part], share: float = 1.0) -> _Part:
    """Take the oldest items of a queue; they are in `parts` before anything can go wrong."""
    entries = queue.entries
    count = min(len(entries), max(1, int(queue.operation.at_once * share)))
    part = _Part(queue.operation, [entries.popleft() for _ in range(count)])
    parts.append(part)
    return part


def _is_incoming(one: _Part | _Waiting) -> bool:
    return one.operation.urgency == Urgency.INCOMING


def _nothing() -> None:
    """Nobody has to be told."""


def _unavailable() -> Failure:
    return Failure(RetryLater("database_unavailable", retry_after=1))


def _run(part: _Part) -> None:
    part.ran = part.operation.run([item for item, _ in part.entries])


def _answer(parts: list[_Part]) -> None:
    """Give out results, in the event loop; what follows from them is there before they are."""
    for part in parts:
        ran = part.ran
        if ran is None:
            continue
        if ran.after is not None:
            try:
                ran.after()
            except Exception:  # those who wait must hear of the commit whatever happens
                log.exception("handing_over_failed", operation=type(part.operation).__name__)
        for (_, future), result in zip(part.entries, ran.results, strict=True):
            if future.done():
                continue
            if isinstance(result, Failure):
                future.set_exception(result.error)
            else:
                future.set_result(result)
