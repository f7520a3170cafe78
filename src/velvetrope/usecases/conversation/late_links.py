"""A link that Stripe could not give at once is sent as soon as it can.

The person's lane goes on meanwhile: they can ask for their status or choose another plan.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import msgspec

from velvetrope.domain.errors import RetryLater
from velvetrope.domain.states import EventOutcome, EventState, Source
from velvetrope.pipeline import jobs
from velvetrope.store.models import InboxEvent
from velvetrope.usecases.conversation.links import Asked, Found, fetch_link, is_settled, say_link
from velvetrope.usecases.telling import tell
from velvetrope.usecases.wording import messages
from velvetrope.usecases.wording.language import words_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from velvetrope.pipeline.work import CustomerKey, Event, Work
    from velvetrope.store.models import Customer
    from velvetrope.usecases.services import Services
    from velvetrope.usecases.wording.outgoing import OutgoingMessage
    from velvetrope.usecases.wording.words import Words

SEND_LINK: Final = "send_link"

#: A link that comes later than this would surprise more than help.
PATIENCE: Final = timedelta(minutes=15)
#: The try after which the person is told to come back; before the event becomes a dead letter.
LAST_TRY: Final = 6
#: An operator may replay an order that failed; one from another day is answered with a button,
#: since Stripe keeps neither a session nor an idempotency key that long.
OLDEST: Final = timedelta(hours=12)
#: However often somebody presses the button meanwhile, they get one notice and one link.
_WINDOW: Final = 600


class LinkOrder(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for by the event `event_id`, received at `asked_at`."""

    integration_id: int
    telegram_user_id: int
    plan_id: int | None
    telegram_language: str
    event_id: int
    asked_at: datetime


def count_earlier(key: CustomerKey, asked: Asked, event: Event) -> int:
    """Count the orders of the same link within the same window that have come to their end."""
    stamp = f"{SEND_LINK}:{_stamp(key, asked, event)}"
    orders = InboxEvent.objects.filter(
        source=Source.JOB.value,
        account=key[0],
        external_id__gte=stamp,
        external_id__lt=f"{stamp}~",
    )
    under_way = (EventState.PENDING.value, EventState.CLAIMED.value)
    return orders.exclude(state__in=under_way).count()


def send_later(
    work: Work,
    words: Words,
    customer: Customer,
    asked: Asked,
    event: Event,
    *,
    passing: bool,
    earlier: int = 0,
) -> None:
    """Tell the person that the link isn't there yet, and order it.

    While an order is under way it stands for all presses of the button; `earlier` ones don't.
    """
    key = (customer.integration_id, customer.telegram_user_id)
    stamp = _stamp(key, asked, event) + (f":{earlier}" if earlier else "")
    tell(
        work,
        words.view,
        customer,
        _apology(words, asked, passing=passing),
        occasion=f"link_{'delayed' if passing else 'refused'}:{stamp}",
    )
    _order(work, key, asked, event, stamp)


def send_another(work: Work, customer: Customer, asked: Asked, event: Event) -> None:
    """Order another link where the one that was found leads to a session that is used up."""
    key = (customer.integration_id, customer.telegram_user_id)
    _order(work, key, asked, event, f"{key[1]}:another:{event.id}")


def needs_another(work: Work, customer: Customer, asked: Asked) -> bool:
    """Tell whether the session behind a link was paid and nothing is left of the purchase."""
    return asked.plan_id is not None and not is_settled(work, customer, asked.plan_id)


def _stamp(key: CustomerKey, asked: Asked, event: Event) -> str:
    what = "portal" if asked.plan_id is None else f"plan:{asked.plan_id}"
    return f"{key[1]}:{what}:{int(event.received_at.timestamp()) // _WINDOW}"


def _order(work: Work, key: CustomerKey, asked: Asked, event: Event, stamp: str) -> None:
    work.defer(
        SEND_LINK,
        LinkOrder(
            integration_id=key[0],
            telegram_user_id=key[1],
            plan_id=asked.plan_id,
            telegram_language=asked.telegram_language,
            event_id=event.id,
            asked_at=event.received_at,
        ),
        lane=f"job:link:{key[0]}:{key[1]}",
        account=key[0],
        external_id=f"{SEND_LINK}:{stamp}",
    )


def _apology(words: Words, asked: Asked, *, passing: bool) -> OutgoingMessage:
    if not passing:
        return messages.sales_paused(words)
    if asked.plan_id is None:
        return messages.portal_delayed(words)
    return messages.checkout_delayed(words)


class SendLinkHandler:
    """Gets the link and sends it.

    What needs an operator, or will never work, ends as a dead letter, so that it is seen; replayed
    after the cause is mended, it still sends the link.
    """

    def __init__(self, services: Services) -> None:
        self._services = services

    async def prepare(self, event: Event) -> tuple[LinkOrder, Found | None]:
        """Give the order with its link; None for the link when the person waited too long."""
        order = jobs.decode(event.payload, LinkOrder)
        age = self._services.clock() - order.asked_at
        if age > OLDEST:
            return order, None
        # The same session as the first try's, if that one reached Stripe and its answer was lost.
        first = msgspec.structs.replace(event, id=order.event_id, received_at=order.asked_at)
        key = (order.integration_id, order.telegram_user_id)
        try:
            answer = await fetch_link(self._services, key, _asked(order), first)
        except RetryLater:
            if age > PATIENCE or event.attempts + 1 >= LAST_TRY:
                return order, None
            raise
        return order, answer

    def subjects(
        self,
        event: Event,  # noqa: ARG002  the port's signature
        facts: tuple[LinkOrder, Found | None],
    ) -> Sequence[CustomerKey]:
        order, _ = facts
        return [(order.integration_id, order.telegram_user_id)]

    def apply(
        self,
        event: Event,
        facts: tuple[LinkOrder, Found | None],
        work: Work,
    ) -> str | None:
        order, answer = facts
        customer = work.customer((order.integration_id, order.telegram_user_id))
        if customer is None:
            return EventOutcome.IGNORED.value  # erased since then
        words = words_for(customer, work.integration(order.integration_id), work.now)
        message = (
            _unreachable(words, order)
            if answer is None
            else say_link(work, words, customer, _asked(order), answer)
        )
        if message is None and needs_another(work, customer, _asked(order)):
            send_another(work, customer, _asked(order), event)
        if message is not None:
            tell(work, words.view, customer, message, occasion=f"link:{order.event_id}")
        return None


def _asked(order: LinkOrder) -> Asked:
    return Asked(order.plan_id, order.telegram_language)


def _unreachable(words: Words, order: LinkOrder) -> OutgoingMessage:
    if order.plan_id is None:
        return messages.portal_unreachable(words)
    plan = words.view.plan(order.plan_id)
    if plan is None or not plan.for_sale:
        return messages.plan_not_sold(words)
    return messages.checkout_unreachable(words, plan)
