"""The occasions of messages that have to be true when they are sent, as outbox items name them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from velvetrope.domain.messages import MessageKind

if TYPE_CHECKING:
    from datetime import datetime

#: What the occasion begins with: delivery asks again before it sends such an item.
FAMILY: Final = "due"


@dataclass(frozen=True, slots=True)
class Occasion:
    """A fact about one entitlement: another date, or another number of days, is another one."""

    kind: MessageKind
    entitlement_id: int
    #: What it is about: the moment that it announces, or the renewal that is not paid.
    about: str
    #: How many days before; 0 for what is said at once.
    days: int = 0

    def __str__(self) -> str:
        parts = (FAMILY, self.kind.value, self.entitlement_id, self.about, self.days)
        return ":".join(str(part) for part in parts)


def failure_of(invoice_id: str, since: datetime) -> str:
    """Name a renewal that is not paid: its invoice, else when it failed first."""
    return invoice_id or stamp(since)


def stamp(moment: datetime) -> str:
    """Write a moment for an occasion, without colons."""
    return f"{moment:%Y%m%dT%H%M%S}"


def parse(text: str | None) -> Occasion | None:
    """Read an item's occasion; None if it is of another family."""
    family, *parts = (text or "").split(":")
    if family != FAMILY or len(parts) != 4:  # noqa: PLR2004  as written above
        return None
    kind, entitlement_id, about, days = parts
    return Occasion(MessageKind(kind), int(entitlement_id), about, int(days))
