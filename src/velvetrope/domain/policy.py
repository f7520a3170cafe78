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
    #: Whether access stays while the collection of a subscription is paused.
    collection_pause_keeps: bool = True
    #: Whether a full refund ends access.
    refund_ends: bool = True
    #: Whether a refund of a part ends access as well.
    partial_refund_ends: bool = False
    #: Whether a dispute suspends access while it is open.
    dispute_suspends: bool = True
    #: Whether an inquiry that may become a dispute suspends access.
    dispute_warning_suspends: bool = False
    #: Whether a lost dispute ends access.
    dispute_lost_ends: bool = True
    #: A chat loses at most so many members, or
    brake_members: int = 5
    #: so many per cent of its known ones, whichever is more,
    brake_percent: int = 5
    #: within so many hours, before an operator is asked.
    brake_hours: int = 1

    @property
    def grace(self) -> timedelta:
        return timedelta(days=self.grace_days)

    @property
    def slack(self) -> timedelta:
        return timedelta(hours=self.slack_hours)

    @property
    def brake_window(self) -> timedelta:
        return timedelta(hours=self.brake_hours)

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
