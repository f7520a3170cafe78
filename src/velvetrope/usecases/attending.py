"""What operators order for one customer, done in the customer's lane."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from velvetrope.domain.states import EventOutcome
from velvetrope.pipeline import jobs
from velvetrope.usecases import membership, observing
from velvetrope.usecases.billing.applying import apply_facts
from velvetrope.usecases.billing.handlers import look_again
from velvetrope.usecases.orders import MessageOrder, ReinviteOrder, SyncOrder
from velvetrope.usecases.telling import tell
from velvetrope.usecases.wording import messages
from velvetrope.usecases.wording.language import words_for
from velvetrope.usecases.wording.outgoing import OutgoingMessage, escape

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from velvetrope.pipeline.work import CustomerKey, Event, Work
    from velvetrope.store.models import Customer
    from velvetrope.usecases.billing.facts import BillingFacts
    from velvetrope.usecases.observing import Seen
    from velvetrope.usecases.services import Services


@dataclass(frozen=True, slots=True)
class Look:
    """What Stripe and Telegram say of one customer now."""

    key: CustomerKey
    #: When the first question left.
    asked_at: datetime
    seen: Sequence[Seen]
    facts: BillingFacts | None = None


class SyncHandler:
    """Looks at Stripe and Telegram again, and lets everything follow from what it finds."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def prepare(self, event: Event) -> Look:
        order = jobs.decode(event.payload, SyncOrder)
        key = (order.integration_id, order.telegram_user_id)
        asked_at = self._services.clock()
        facts, seen = await asyncio.gather(
            look_again(self._services, key), observing.observe_everywhere(self._services, key)
        )
        return Look(key, asked_at, seen, facts)

    def subjects(self, event: Event, facts: Look) -> Sequence[CustomerKey]:  # noqa: ARG002  port
        return [facts.key]

    def apply(self, event: Event, facts: Look, work: Work) -> str | None:  # noqa: ARG002  port
        customer = work.customer(facts.key)
        if customer is None:
            return EventOutcome.IGNORED.value  # erased since
        _see(work, customer, facts)
        if facts.facts is None:
            membership.reconcile(work, customer)
        else:
            apply_facts(work, facts.facts)
        return EventOutcome.HANDLED.value


class ReinviteHandler:
    """Shows the doors again; first a ban is lifted, and what Telegram refused is tried again."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def prepare(self, event: Event) -> Look:
        order = jobs.decode(event.payload, ReinviteOrder)
        key = (order.integration_id, order.telegram_user_id)
        asked_at = self._services.clock()
        return Look(key, asked_at, await observing.observe_everywhere(self._services, key))

    def subjects(self, event: Event, facts: Look) -> Sequence[CustomerKey]:  # noqa: ARG002  port
        return [facts.key]

    def apply(self, event: Event, facts: Look, work: Work) -> str | None:
        customer = work.customer(facts.key)
        if customer is None:
            return EventOutcome.IGNORED.value
        _see(work, customer, facts, lifts_bans=True)
        membership.reconcile(work, customer)
        view = work.integration(customer.integration_id)
        opened = membership.chats_opened(work, view, customer)
        chats = [chat for chat in view.chats if chat.id in opened]
        doors = membership.doors(work, customer, chats)
        if not doors:
            return EventOutcome.IGNORED.value  # inside everywhere, or nothing is open any more
        message = messages.entry(words_for(customer, view, work.now), doors)
        tell(work, view, customer, message, occasion=f"entry:{event.external_id}")
        return EventOutcome.HANDLED.value


class MessageHandler:
    """Sends an operator's words as they are."""

    async def prepare(self, event: Event) -> MessageOrder:
        return jobs.decode(event.payload, MessageOrder)

    def subjects(self, event: Event, facts: MessageOrder) -> Sequence[CustomerKey]:  # noqa: ARG002  port
        return [(facts.integration_id, facts.telegram_user_id)]

    def apply(self, event: Event, facts: MessageOrder, work: Work) -> str | None:
        customer = work.customer((facts.integration_id, facts.telegram_user_id))
        if customer is None:
            return EventOutcome.IGNORED.value
        view = work.integration(facts.integration_id)
        message = OutgoingMessage(escape(facts.text))
        tell(work, view, customer, message, occasion=f"operator:{event.external_id}")
        return EventOutcome.HANDLED.value


def _see(work: Work, customer: Customer, look: Look, *, lifts_bans: bool = False) -> None:
    """Write down where the person is, and let what could not be done be tried again."""
    view = work.integration(customer.integration_id)
    observing.note_anew(work, view, customer, look.seen, look.asked_at)
    for access in work.accesses(customer):
        is_banned = access.problem == membership.BANNED_BY_HAND
        if access.desired and access.problem and (lifts_bans or not is_banned):
            access.action, access.problem = "", ""
            work.save(access)
    membership.forget_passing_trouble(work, customer)
