"""How long to wait before trying again, and when to give up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from random import Random

#: Tries before something becomes a dead letter, the first one included.
TRIES: Final = 8


@dataclass(frozen=True, slots=True)
class Backoff:
    """Exponential growth with full jitter; times in seconds.

    The defaults retry within a second at first, so that a hiccup is not noticed, and have given a
    vendor up to 36 minutes, 18 on average, by the time they give up.
    """

    base: float = 1.0
    factor: float = 4.0
    cap: float = 900.0
    tries: int = TRIES

    def ceiling(self, attempt: int) -> float:
        """Tell the longest wait after the `attempt`-th failure; the first is 1."""
        if attempt < 1:
            raise ValueError("attempts are counted from 1")
        wait = self.base
        for _ in range(attempt - 1):
            if wait >= self.cap:
                break  # a power of a large attempt would overflow
            wait *= self.factor
        return min(wait, self.cap)

    def delay(self, attempt: int, rng: Random, *, at_least: float | None = None) -> float:
        """Draw the wait after the `attempt`-th failure, not shorter than a vendor asked for.

        Full jitter (anything from zero to the ceiling) spreads a crowd that failed together.
        """
        drawn = rng.uniform(0.0, self.ceiling(attempt))
        return drawn if at_least is None else max(drawn, at_least)

    def is_spent(self, attempts: int) -> bool:
        """Tell whether that many failures are enough."""
        return attempts >= self.tries


DEFAULT: Final = Backoff()


def delay(attempt: int, rng: Random, *, at_least: float | None = None) -> float:
    """Draw the wait after the `attempt`-th failure by the default policy, in seconds."""
    return DEFAULT.delay(attempt, rng, at_least=at_least)
