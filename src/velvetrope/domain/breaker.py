"""A circuit breaker: stops asking a remote that is down, and finds out when it is up again.

Only outages belong here (no connection, no answer, 5xx); a refusal proves that the remote is up.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class State(Enum):
    CLOSED = "closed"  # calls go through
    OPEN = "open"  # calls wait until the cool-down is over
    HALF_OPEN = "half_open"  # one call at a time goes through, as a probe


@dataclass(frozen=True, slots=True)
class BreakerPolicy:
    """When a breaker opens and for how long; times in seconds.

    `probe_patience` is how long a probe may be silent before another one is sent: its process may
    be gone.
    """

    failures: int = 5
    cool_down: float = 2.0
    factor: float = 2.0
    cap: float = 60.0
    probe_patience: float = 30.0


class Breaker:
    """The breaker of one remote; `now` is in seconds of a clock that never runs backwards."""

    __slots__ = ("_cool_down", "_failures", "_policy", "_probe_until", "_retry_at")

    def __init__(self, policy: BreakerPolicy | None = None) -> None:
        self._policy = policy or BreakerPolicy()
        self._failures = 0
        self._cool_down = self._policy.cool_down
        self._retry_at: float | None = None
        self._probe_until: float | None = None

    def state(self, now: float) -> State:
        if self._retry_at is None:
            return State.CLOSED
        return State.OPEN if now < self._retry_at else State.HALF_OPEN

    def next_at(self, now: float) -> float:
        """Tell the earliest time, `now` at the earliest, at which a call may be made."""
        if self._retry_at is None:
            return now
        return max(now, self._retry_at, self._probe_until or now)

    def take(self, now: float) -> bool:
        """Take the right to call: always while closed, as the only probe once cooled down."""
        if self.next_at(now) > now:
            return False
        if self._retry_at is not None:
            self._probe_until = now + self._policy.probe_patience
        return True

    def succeed(self, now: float) -> None:
        """Record that the remote answered; a probe's answer closes the breaker."""
        if self.state(now) is State.OPEN:
            return  # a call from before it opened: one late answer proves little
        self._failures = 0
        self._cool_down = self._policy.cool_down
        self._retry_at = self._probe_until = None

    def fail(self, now: float) -> None:
        """Record an outage; enough of them in a row, or a probe's, open the breaker."""
        if self._retry_at is None:
            self._failures += 1
            if self._failures >= self._policy.failures:
                self._retry_at = now + self._cool_down
        elif self._probe_until is not None:
            self._cool_down = min(self._cool_down * self._policy.factor, self._policy.cap)
            self._retry_at = now + self._cool_down
            self._probe_until = None
