"""The parts that several of Stripe's objects are made of."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, TypeAlias

import msgspec


class Named(msgspec.Struct, frozen=True):
    """An expanded object of which only the identity matters."""

    id: str


#: A reference is an id, or the whole object where it was expanded.
Reference: TypeAlias = str | Named | None
Seconds: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2**36)]
Metadata: TypeAlias = dict[str, str] | None


class SubscriptionDetails(msgspec.Struct, frozen=True):
    subscription: Reference = None
    metadata: Metadata = None


class InvoiceParent(msgspec.Struct, frozen=True):
    """What an invoice is for."""

    subscription_details: SubscriptionDetails | None = None


class Transitions(msgspec.Struct, frozen=True):
    """When an invoice came into which state."""

    finalized_at: Seconds | None = None
    paid_at: Seconds | None = None


def id_of(reference: Reference) -> str | None:
    return reference.id if isinstance(reference, Named) else reference


def moment(seconds: int) -> datetime:
    """Turn Stripe's seconds into an aware time."""
    return datetime.fromtimestamp(seconds, UTC)


def moment_or_none(seconds: int | None) -> datetime | None:
    return None if seconds is None else moment(seconds)
