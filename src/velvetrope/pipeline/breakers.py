"""The circuit breakers of this process, one for each remote: `stripe:<account>`, `telegram:<bot>`.

A gateway's provider calls `enter` before the gateway is used; what comes of it is settled by
whoever runs the handler, since the failure is seen there.
"""

from __future__ import annotations

from contextvars import ContextVar
from time import monotonic
from typing import TYPE_CHECKING, Final

import structlog

from velvetrope.domain.breaker import Breaker, BreakerPolicy, State
from velvetrope.domain.errors import RetryLater

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

log = structlog.get_logger()

#: Failures that say that the remote is down, by the first part of a remote's name.
OUTAGES: Final[Mapping[str, frozenset[str]]] = {
    "stripe": frozenset({"stripe_unavailable", "stripe_timeout"}),
    "telegram": frozenset({"telegram_unavailable", "telegram_timeout"}),
}

#: What the operator may do, beside waiting: all that is to be done goes on by itself.
_REMEDIES: Final[Mapping[str, str]] = {
    "stripe": "nothing is lost; if it lasts, see status.stripe.com and this machine's way out",
    "telegram": "nothing is lost; if it lasts, see this machine's way to the Bot API",
}

CIRCUIT_OPEN: Final = "circuit_open"

#: Remotes that the running handler has asked for.
_entered: ContextVar[set[str] | None] = ContextVar("velvetrope_remotes", default=None)


class Breakers:
    """Keeps calls away from remotes that are down."""

    def __init__(
        self, policy: BreakerPolicy | None = None, *, now: Callable[[], float] = monotonic
    ) -> None:
        self._policy = policy or BreakerPolicy()
        self._now = now
        self._breakers: dict[str, Breaker] = {}
        self._down_since: dict[str, float] = {}

    def watch(self) -> None:
        """Begin to note what the running task enters; ended by `settle`."""
        _entered.set(set())

    def enter(self, remote: str) -> None:
        """Ask to use a remote; RetryLater `circuit_open` while it is down, which uses no try."""
        entered = _entered.get()
        if entered is not None and remote in entered:
            return
        now = self._now()
        breaker = self.of(remote)
        if not breaker.take(now):
            wait = max(breaker.next_at(now) - now, 0.1)
            raise RetryLater(CIRCUIT_OPEN, retry_after=wait, remote=remote)
        if entered is not None:
            entered.add(remote)

    def settle(self, failure: BaseException | None) -> None:
        """Tell the breakers of everything that was entered how it went."""
        entered = _entered.get()
        _entered.set(None)
        if isinstance(failure, RetryLater) and failure.code == CIRCUIT_OPEN:
            return  # no call was made
        for remote in entered or ():
            self.record(remote, failure)

    def record(self, remote: str, failure: BaseException | None) -> None:
        """Tell a remote's breaker how a call went; only outages count against it."""
        kind = remote.partition(":")[0]
        breaker, now = self.of(remote), self._now()
        was_trusted = breaker.state(now) is State.CLOSED
        if isinstance(failure, RetryLater) and failure.code in OUTAGES.get(kind, ()):
            breaker.fail(now)
            if was_trusted and breaker.state(now) is not State.CLOSED:
                self._down_since[remote] = now
                log.error("remote_down", remote=remote, code=failure.code, remedy=_REMEDIES[kind])
        else:
            breaker.succeed(now)
            if not was_trusted and breaker.state(now) is State.CLOSED:
                seconds = now - self._down_since.pop(remote, now)
                log.warning("remote_up", remote=remote, seconds=round(seconds, 1))

    def of(self, remote: str) -> Breaker:
        breaker = self._breakers.get(remote)
        if breaker is None:
            breaker = self._breakers[remote] = Breaker(self._policy)
        return breaker

    def down(self) -> list[str]:
        """Give the remotes that are not fully trusted at the moment."""
        now = self._now()
        return sorted(
            remote
            for remote, breaker in self._breakers.items()
            if breaker.state(now) is not State.CLOSED
        )
