"""Stripe's events as they are stored, whichever way they came in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from velvetrope.domain.states import EventState, Source
from velvetrope.gateways.stripe.events import peek_event
from velvetrope.pipeline import jobs
from velvetrope.pipeline.events import Event
from velvetrope.store.ids import new_id
from velvetrope.store.models import InboxEvent

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime


def stripe_event(payload: bytes, account: int, received_at: datetime) -> Event:
    """Read an event of the account with this row; ValueError for anything that is no event."""
    peek = peek_event(payload)
    return Event(
        id=new_id(),
        source=Source.STRIPE.value,
        account=account,
        external_id=peek.id,
        kind=peek.type[:64],
        lane=f"stripe:{account}:{peek.lane}"[:255],
        payload=payload,
        received_at=received_at,
    )


def store_found(events: Sequence[Event]) -> set[str]:
    """Store events that were looked for, within the caller's transaction.

    Gives the external ids of those that were not known. The dispatcher finds them.
    """
    rows = [
        InboxEvent(
            id=event.id,
            source=event.source,
            account=event.account,
            external_id=event.external_id,
            kind=event.kind,
            lane=event.lane,
            payload=event.payload,
            state=EventState.PENDING.value,
            received_at=event.received_at,
        )
        for event in events
    ]
    InboxEvent.objects.bulk_create(rows, ignore_conflicts=True)
    stored = InboxEvent.objects.filter(id__in=[event.id for event in events])
    new = set(stored.values_list("external_id", flat=True))
    if new:
        jobs.wake({event.lane for event in events if event.external_id in new})
    return new
