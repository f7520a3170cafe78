"""Taking people out: never without a fresh look at Stripe and Telegram, never too many at once.

Only when Stripe was asked again, after the decision, and the person is still to leave, the call is
made.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from velvetrope.domain.door import DoorAction
from velvetrope.domain.errors import NeedsOperator, Permanent, RetryLater, VelvetError
from velvetrope.domain.states import EventOutcome, Presence, Priority
from velvetrope.pipeline import jobs
from velvetrope.usecases import membership, observing
from velvetrope.usecases.billing.applying import apply_facts
from velvetrope.usecases.billing.handlers import look_again
from velvetrope.usecases.leaving.brake import count_anew, count_enough, may_leave
from velvetrope.usecases.leaving.goodbye import hurry
from velvetrope.usecases.leaving.orders import HELD, RemoveOrder
from velvetrope.usecases.observing import presence_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from velvetrope.pipeline.work import CustomerKey, Event, Work
    from velvetrope.store.catalogue import ChatView, IntegrationView
    from velvetrope.store.models import Access, Customer
    from velvetrope.usecases.billing.facts import BillingFacts
    from velvetrope.usecases.services import Services

#: Tries until the job ends for now; the sweep has it asked for again.
_TRIES: Final = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What was found right before a removal."""

    order: RemoveOrder
    #: None if it could not be found out.
    facts: BillingFacts | None = None
    #: When Telegram was asked, before Stripe.
    asked_at: datetime
    #: Where the person is; None if Telegram did not say.
    presence: Presence | None = None
    #: Those of the chat whom the product has let in and knows inside, as far as it matters.
    known: int = 0
    #: Why there was no look; nobody is removed then.
    trouble: str = ""


class RemoveHandler:
    """Looks at everything again, and takes the person out who is still to leave."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def prepare(self, event: Event) -> Look | None:
        order = jobs.decode(event.payload, RemoveOrder)
        view = await self._services.view(order.integration_id)
        chat = None if view is None else view.chat(order.chat_id)
        if view is None or chat is None:
            return None
        person = order.telegram_user_id
        asked_at = self._services.clock()
        try:
            presence = await self._presence(view, chat, person)
            facts = await look_again(self._services, (view.id, person))
        except VelvetError as error:
            if isinstance(error, RetryLater) and event.attempts + 1 < _TRIES:
                raise
            return Look(order=order, asked_at=asked_at, trouble=error.code)
        known = await self._services.db.read(lambda: count_enough(view.policy, chat.id, asked_at))
        return Look(order=order, asked_at=asked_at, facts=facts, presence=presence, known=known)

    async def _presence(
        self, view: IntegrationView, chat: ChatView, user_id: int
    ) -> Presence | None:
        bot = self._services.bot(view.token)
        try:
            return presence_of(await bot.get_chat_member(chat.telegram_id, user_id))
        except (Permanent, NeedsOperator):
            return None  # «not found» proves nothing, and the removal itself tells of lost rights
        except RetryLater as error:
            if error.code == "chat_migrated":
                return None  # the removal follows it
            raise

    def subjects(self, event: Event, facts: Look | None) -> Sequence[CustomerKey]:  # noqa: ARG002  port
        if facts is None:
            return []
        return [(facts.order.integration_id, facts.order.telegram_user_id)]

    def apply(self, event: Event, facts: Look | None, work: Work) -> str | None:  # noqa: ARG002  port
        if facts is None:
            return EventOutcome.IGNORED.value
        order = facts.order
        view = work.integration(order.integration_id)
        chat = view.chat(order.chat_id)
        customer = work.customer((order.integration_id, order.telegram_user_id))
        if customer is None or chat is None:
            return EventOutcome.IGNORED.value
        if facts.presence is not None:
            seen = (observing.Seen(chat.id, facts.presence),)
            observing.note_anew(work, view, customer, seen, facts.asked_at)
        if facts.facts is None:
            membership.reconcile(work, customer)
        else:
            apply_facts(work, facts.facts)
        access = membership.find_access(work, customer, chat.id)
        if access is None or not _is_to_leave(access):
            hurry(customer)
            return EventOutcome.IGNORED.value
        if facts.trouble:
            access.problem = facts.trouble
            work.save(access)
        elif order.confirmed or may_leave(work, view, access, facts.known):
            if order.confirmed:
                count_anew(chat.id, work.now)
            _take_out(work, view, customer, chat, access)
        return EventOutcome.HANDLED.value


def _is_to_leave(access: Access) -> bool:
    is_asked = access.action == DoorAction.REMOVE.value and access.problem in ("", HELD)
    return is_asked and not access.desired


def _take_out(
    work: Work, view: IntegrationView, customer: Customer, chat: ChatView, access: Access
) -> None:
    access.problem, access.removed_at = "", work.now
    work.save(access)
    work.send(
        integration_id=view.id,
        method=membership.METHODS[DoorAction.REMOVE],
        params={"chat_id": chat.telegram_id, "user_id": customer.telegram_user_id},
        chat_id=chat.telegram_id,
        customer=customer,
        priority=Priority.GRANT.value,
    )
    work.audit(
        "removal_asked",
        subject="access",
        subject_id=access.id,
        integration_id=view.id,
        before={"observed": access.observed},
        after={"desired": access.desired},
    )
