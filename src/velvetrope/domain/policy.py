"""What each fact about a payment means for access, per integration."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Policy:
    """The defaults of the design; an integration stores only its differences."""

    #: Days that a failed payment keeps access, from its first failure.
    grace_days: int = 7
    #: Hours after the end of a paid period before Stripe is asked whether it was renewed.
    slack_hours: int = 2
    #: Whether a full refund ends access.
    refund_ends: bool = True
    #: Whether an open dispute suspends access.
    dispute_suspends: bool = True

    @property
    def grace(self) -> timedelta:
        return timedelta(days=self.grace_days)

    @property
    def slack(self) -> timedelta:
        return timedelta(hours=self.slack_hours)

    @classmethod
    def from_differences(cls, differences: Mapping[str, object]) -> Policy:
        """Build from what an integration stores; names and types that don't fit are left out."""
        known = {field.name: type(field.default) for field in fields(cls)}
        fitting = {
            name: value
            for name, value in differences.items()
            if name in known and type(value) is known[name]
        }
        return cls(**fitting)  # type: ignore[arg-type]  # each value was held against its field
