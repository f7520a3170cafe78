"""The link in the chat: whoever opens it from inside keeps their place until the deadline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from velvetrope.domain.adoption import Outcome, plans_for
from velvetrope.domain.errors import NeedsOperator, RetryLater
from velvetrope.domain.states import EntitlementKind, Presence
from velvetrope.usecases import membership
from velvetrope.usecases.adoption.giving import give, pays_for, watch
from velvetrope.usecases.adoption.places import fetch_places
from velvetrope.usecases.services import DEEP_LINK
from velvetrope.usecases.wording import messages

if TYPE_CHECKING:
    from collections.abc import Sequence

    from velvetrope.pipeline.work import CustomerKey, Event, Work
    from velvetrope.store.catalogue import ChatView, IntegrationView
    from velvetrope.store.models import Customer
    from velvetrope.usecases.observing import Seen
    from velvetrope.usecases.services import Services
    from velvetrope.usecases.wording.outgoing import OutgoingMessage
    from velvetrope.usecases.wording.words import Words

#: The payload of the deep link.
CLAIM: Final = "claim"
#: What a claim by the link is noted as.
BY_LINK: Final = "opened the link for members from before"
#: More than this is given up: the person waits for an answer, and can open the link again.
_TRIES: Final = 3


def claim_link(bot_username: str) -> str:
    """Give the link that an operator posts in the chat."""
    return f"{DEEP_LINK}/{bot_username}?start={CLAIM}"


async def fetch_claim(services: Services, key: CustomerKey, event: Event) -> tuple[Seen, ...]:
    """Look where somebody is who opened the link; empty if the link means nothing now.

    Raises RetryLater while Telegram can't tell, but not for ever.
    """
    view = await services.view(key[0])
    if view is None or view.claim_until is None or view.claim_until <= services.clock():
        return ()
    chats = [chat for chat in view.chats if not chat.problem]
    try:
        return await fetch_places(services.bot(view.token), chats, key[1])
    except (RetryLater, NeedsOperator) as error:
        if isinstance(error, NeedsOperator) or event.attempts >= _TRIES:
            return ()
        raise


def claim(
    work: Work, words: Words, customer: Customer, seen: Sequence[Seen]
) -> OutgoingMessage | None:
    """Adopt somebody who is inside from before; None if there is nothing special to be said."""
    view = words.view
    if view.claim_until is None or view.claim_until <= work.now:
        return None
    chosen = plans_for(_from_before(work, view, customer, seen), view.plans_for_sale)
    gifts = [
        give(
            work,
            view,
            customer,
            plan,
            kind=EntitlementKind.CLAIM,
            until=view.claim_until,
            note=BY_LINK,
            only_later=True,
        )
        for plan in chosen
    ]
    held = [one.row for one in gifts if one.outcome is not Outcome.REVOKED]
    watch(work, view, customer, seen)
    owed = [row for row in held if not pays_for(work, view, customer, row.plan_id)]
    ends = [row.period_end for row in owed if row.period_end is not None]
    if not ends:
        return None  # who pays has nothing to do, and hears how that stands
    return messages.place_kept(words, _chats_of(view, [row.plan_id for row in owed]), min(ends))


def _from_before(
    work: Work, view: IntegrationView, customer: Customer, seen: Sequence[Seen]
) -> set[int]:
    """Give the chats where the person is inside without the product having let them in.

    Whom it let in has paid, or been given, what they have; what was claimed before may be again.
    """
    claimed = {
        chat_id
        for row in work.entitlements(customer)
        if row.kind == EntitlementKind.CLAIM.value
        for chat_id in membership.opened_by(view, row.plan_id)
    }
    let_in = {row.chat_id for row in work.accesses(customer) if row.let_in_at is not None}
    inside = {one.chat_id for one in seen if one.presence is Presence.INSIDE}
    return inside - (let_in - claimed)


def _chats_of(view: IntegrationView, plan_ids: Sequence[int]) -> tuple[ChatView, ...]:
    opened = {chat_id for one in plan_ids for chat_id in membership.opened_by(view, one)}
    return tuple(chat for chat in view.chats if chat.id in opened)
