"""What is to be done about a failure: the one place that decides about retries."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import msgspec

from velvetrope.domain.backoff import DEFAULT
from velvetrope.domain.errors import NeedsOperator, Permanent, RetryLater, VelvetError
from velvetrope.domain.secrecy import scrub
from velvetrope.pipeline.writer import UNAVAILABLE

if TYPE_CHECKING:
    from datetime import datetime
    from random import Random

    from velvetrope.domain.backoff import Backoff

#: Failures that are no fault of the one who failed, and so use up no try: the database is in
#: trouble, a breaker is open, Telegram asks everybody to slow down.
FREE: Final = UNAVAILABLE | {"circuit_open", "too_many_requests"}

_PASSING: Final = UNAVAILABLE | {"circuit_open"}
_TRACE_LENGTH: Final = 8_000
_CODE_LENGTH: Final = 64
#: Seconds until the next try where neither the failure nor the back-off tell.
_FREE_WAIT: Final = 1.0


@dataclass(frozen=True, slots=True)
class Again:
    """Try again, not before `at`; `attempts` is how many tries have failed by then."""

    at: datetime
    attempts: int
    error: VelvetError
    trace: str


@dataclass(frozen=True, slots=True)
class Never:
    """A dead letter, or for an outbox item what waits for the operator."""

    attempts: int
    error: VelvetError
    trace: str

    @property
    def needs_operator(self) -> bool:
        return isinstance(self.error, NeedsOperator)


def judge(
    failure: BaseException,
    attempts: int,
    now: datetime,
    rng: Random,
    backoff: Backoff = DEFAULT,
) -> Again | Never:
    """Decide after a failed try, given how many had failed before it.

    What isn't one of the three kinds is `unexpected`: a fault that may pass, unless the contents
    can't be read, which never changes and must not keep the events behind it waiting.
    """
    error = failure if isinstance(failure, VelvetError) else _unexpected(failure)
    trace = trace_of(failure)
    if not isinstance(error, RetryLater):
        return Never(attempts + 1, error, trace)
    if error.code in FREE:
        wait = error.retry_after if error.retry_after is not None else _FREE_WAIT
        return Again(now + timedelta(seconds=wait), attempts, error, trace)
    if backoff.is_spent(attempts + 1):
        return Never(attempts + 1, error, trace)
    wait = backoff.delay(attempts + 1, rng, at_least=error.retry_after)
    return Again(now + timedelta(seconds=wait), attempts + 1, error, trace)


def _unexpected(failure: BaseException) -> VelvetError:
    name = type(failure).__name__
    if isinstance(failure, msgspec.DecodeError | UnicodeDecodeError):
        return Permanent("unexpected", error=name)
    return RetryLater("unexpected", error=name)


def is_worth_keeping(verdict: Again | Never) -> bool:
    """Tell whether a restart should know of it; a try that wasn't made leaves no trace."""
    return not (isinstance(verdict, Again) and verdict.error.code in _PASSING)


def code_of(error: VelvetError) -> str:
    return error.code[:_CODE_LENGTH]


def trace_of(failure: BaseException) -> str:
    """Give the trace without secrets, the end of it if it is long."""
    text = "".join(traceback.format_exception(failure, limit=-30))
    return scrub(text)[-_TRACE_LENGTH:]
