"""A person blocks the bot or lets it write again."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from velvetrope.domain.states import EventOutcome
from velvetrope.gateways.telegram.updates import ChatMemberUpdated, Update, decode_update
from velvetrope.usecases import reaching

if TYPE_CHECKING:
    from collections.abc import Sequence

    from velvetrope.pipeline.work import CustomerKey, Event, Handler, Work
    from velvetrope.store.models import Customer


class OwnMembershipHandler:
    """Remembers who blocks the bot; its standing in channels and groups is for `elsewhere`."""

    def __init__(self, elsewhere: Handler[Update]) -> None:
        self._elsewhere = elsewhere

    async def prepare(self, event: Event) -> Update:
        update = decode_update(event.payload)
        return update if _private(update) else await self._elsewhere.prepare(event)

    def subjects(self, event: Event, facts: Update) -> Sequence[CustomerKey]:
        change = _private(facts)
        if change is None:
            return self._elsewhere.subjects(event, facts)
        return [(event.account, change.chat.id)]

    def apply(self, event: Event, facts: Update, work: Work) -> str | None:
        change = _private(facts)
        if change is None:
            return self._elsewhere.apply(event, facts, work)
        customer = work.customer((event.account, change.chat.id))
        if customer is None or not _remember(work, customer, change):
            return EventOutcome.IGNORED.value
        work.save(customer)
        return None


def _private(update: Update) -> ChatMemberUpdated | None:
    change = update.my_chat_member
    return change if change is not None and change.chat.is_private else None


def _remember(work: Work, customer: Customer, change: ChatMemberUpdated) -> bool:
    """Write the change down; news older than what is known change nothing."""
    at = datetime.fromtimestamp(change.date, UTC)
    if change.new_chat_member.status == "kicked":
        heard_since = customer.started_at is not None and _second(customer.started_at) > at
        if customer.blocked_at is not None or heard_since:
            return False
        customer.blocked_at = at
        return True
    if customer.blocked_at is None or _second(customer.blocked_at) > at:
        return False
    return reaching.mark_reachable(work, customer)


def _second(moment: datetime) -> datetime:
    """Cut a time to what Telegram's dates can tell: whole seconds."""
    return moment.replace(microsecond=0)
