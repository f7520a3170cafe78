"""When so many are to leave a chat that a person should look before it goes on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from velvetrope.domain.policy import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Departures:
    """One chat: members whom the product knows, and those it took out within the window."""

    known: int
    gone: int


def most_departures(policy: Policy, known_before: int) -> int:
    """Give how many may leave a chat within the window without a question."""
    return max(policy.brake_members, known_before * policy.brake_percent // 100)


def least_known(policy: Policy, gone: int) -> int:
    """Give how many must have been known before, so that so many may leave without a question."""
    return 0 if gone <= policy.brake_members else -(-gone * 100 // policy.brake_percent)


def is_too_many(policy: Policy, so_far: Departures) -> bool:
    """Tell whether one more would be too many; the share is of those known before the first."""
    return so_far.gone + 1 > most_departures(policy, so_far.known + so_far.gone)
