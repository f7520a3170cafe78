"""What delivery asks before it sends a message about what is due: if it is so, and what now."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from velvetrope.domain.access import Reason
from velvetrope.domain.messages import REMINDERS
from velvetrope.store.models import Entitlement
from velvetrope.usecases.reminding import occasions
from velvetrope.usecases.reminding.composing import compose_failure, compose_reminder
from velvetrope.usecases.reminding.planning import hours_of, reminders_of
from velvetrope.usecases.wording.language import words_for

if TYPE_CHECKING:
    from velvetrope.domain.clock import Clock
    from velvetrope.domain.reminders import Reminder
    from velvetrope.pipeline.events import Item
    from velvetrope.store.catalogue import Catalogue, IntegrationView
    from velvetrope.usecases.reminding.occasions import Occasion
    from velvetrope.usecases.wording.outgoing import OutgoingMessage
    from velvetrope.usecases.wording.words import Words


class Refresher:
    """Puts the words of now into an item that may have waited; runs in a thread that reads.

    An outage may last for days: by then the person may have paid, or «in 3 days» be tomorrow.
    """

    def __init__(self, catalogue: Catalogue, clock: Clock) -> None:
        self._catalogue = catalogue
        self._clock = clock

    def refresh(self, item: Item) -> bytes | datetime | None:
        """Give the parameters to send, the time to wait for, or None if it isn't so any more."""
        occasion = occasions.parse(item.occasion)
        if occasion is None:
            return item.params
        view = self._catalogue.view(item.integration_id)
        rows = Entitlement.objects.select_related("customer")
        row = rows.filter(id=occasion.entitlement_id).first()
        if view is None or row is None:
            return None
        now = self._clock()
        said = _said(words_for(row.customer, view, now), row, occasion)
        if said is None or isinstance(said, datetime):
            return said
        params = msgspec.json.decode(item.params, type=dict[str, object])
        return msgspec.json.encode({**params, "text": said.params(0)["text"]})


def _said(words: Words, row: Entitlement, occasion: Occasion) -> OutgoingMessage | datetime | None:
    if occasion.kind not in REMINDERS:
        return compose_failure(words, occasion.kind, row) if _is_still_due(row, occasion) else None
    reminder = _reminder(words.view, row, occasion, words.now)
    if reminder is None:
        return None
    hours = hours_of(words.view)
    if not hours.holds(words.now):
        later = hours.next_from(words.now)
        return later if later < reminder.until else None
    others = Entitlement.objects.filter(customer_id=row.customer_id)
    return compose_reminder(words, reminder, row, others)


def _reminder(
    view: IntegrationView, row: Entitlement, occasion: Occasion, now: datetime
) -> Reminder | None:
    """Find the reminder that the occasion names, as long as it is of use."""
    return next(
        (
            one
            for one in reminders_of(view, row)
            if one.kind is occasion.kind
            and one.days == occasion.days
            and occasions.stamp(one.about) == occasion.about
            and now < one.until
        ),
        None,
    )


def _is_still_due(row: Entitlement, occasion: Occasion) -> bool:
    """Tell whether the payment that failed is still missing."""
    since = row.past_due_since
    return (
        row.reason == Reason.GRACE.value
        and since is not None
        and occasions.failure_of(row.invoice_id, since) == occasion.about
    )
