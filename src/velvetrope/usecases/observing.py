"""Looking at a person's place before a door is offered for the first time.

Updates tell only of changes: somebody who was inside, or banned, before the product came is seen
by asking alone.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec
from django.db.models import Q

from velvetrope.domain.errors import VelvetError
from velvetrope.domain.states import Presence
from velvetrope.store.models import Access, Chat
from velvetrope.usecases import membership

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from velvetrope.gateways.telegram.bot import BotApi
    from velvetrope.gateways.telegram.updates import ChatMember
    from velvetrope.pipeline.work import CustomerKey, Work
    from velvetrope.store.catalogue import IntegrationView
    from velvetrope.store.models import Customer
    from velvetrope.usecases.services import Services

#: Seconds for all looks together: an invitation doesn't wait for a slow Telegram.
PATIENCE = 3.0
#: More chats than this are learnt from updates.
MOST_CHATS = 10


class Seen(msgspec.Struct, frozen=True):
    """Where a person is in one chat, by the row's id of the chat."""

    chat_id: int
    presence: Presence


def presence_of(member: ChatMember) -> Presence:
    """Put a member's status into the product's words."""
    if member.is_admin:
        return Presence.KEEPER
    if member.is_inside:
        return Presence.INSIDE
    return Presence.BANNED if member.status == "kicked" else Presence.OUTSIDE


async def observe(services: Services, key: CustomerKey) -> tuple[Seen, ...]:
    """Ask where a person is, in chats where that isn't known; what can't be told is left out."""
    view = await services.view(key[0])
    unknown = await services.db.read(lambda: _unknown_chats(key))
    if view is None or not unknown:
        return ()
    bot = services.bot(view.token)
    looks = [asyncio.create_task(_look(bot, chat, key[1])) for chat in unknown]
    done, late = await asyncio.wait(looks, timeout=PATIENCE)
    for look in late:
        look.cancel()
    return tuple(seen for look in done if (seen := look.result()) is not None)


def note(work: Work, view: IntegrationView, customer: Customer, seen: Sequence[Seen]) -> None:
    """Write down what was seen, unless an update has told more meanwhile."""
    for one in seen:
        chat = view.chat(one.chat_id)
        if chat is None:
            continue
        access = membership.access_to(work, customer, chat)
        if access.observed == Presence.UNKNOWN.value:
            access.observed, access.observed_at = one.presence.value, work.now
            work.save(access)


async def observe_everywhere(services: Services, key: CustomerKey) -> tuple[Seen, ...]:
    """Ask where a person is in every chat that can be asked about, whatever is known."""
    view = await services.view(key[0])
    if view is None:
        return ()
    bot = services.bot(view.token)
    looks = [_look(bot, (chat.id, chat.telegram_id), key[1]) for chat in view.chats]
    return tuple(seen for seen in await asyncio.gather(*looks) if seen is not None)


def note_anew(
    work: Work,
    view: IntegrationView,
    customer: Customer,
    seen: Sequence[Seen],
    asked_at: datetime,
) -> None:
    """Write down what was seen, whatever was known when Telegram was asked; requests go on.

    Who went out unseen and may be in may have asked to enter unseen as well, which Telegram doesn't
    tell afterwards: the request is answered, and who made none is shown the way in.
    """
    opened = membership.chats_opened(work, view, customer)
    for one in seen:
        chat = view.chat(one.chat_id)
        if chat is None:
            continue
        access = membership.access_to(work, customer, chat)
        access.checked_at = work.now
        is_newer = access.observed_at is not None and access.observed_at >= asked_at
        waits = access.requested_at is not None and one.presence is Presence.OUTSIDE
        if not is_newer and not waits and access.observed != one.presence.value:
            was_inside = access.observed in membership.INSIDE
            access.observed, access.observed_at = one.presence.value, work.now
            access.action, access.problem = "", ""
            if one.presence is Presence.OUTSIDE:
                access.let_in_at = None
                if was_inside and chat.id in opened:
                    access.requested_at = work.now
            elif one.presence in {Presence.INSIDE, Presence.KEEPER}:
                access.requested_at = None
            elif one.presence is Presence.BANNED and was_inside and access.desired:
                membership.respect_ban(access)
        work.save(access)


async def _look(bot: BotApi, chat: tuple[int, int], user_id: int) -> Seen | None:
    try:
        member = await bot.get_chat_member(chat[1], user_id)
    except VelvetError:
        return None  # «not found» is no proof of absence, and trouble shows elsewhere
    return Seen(chat[0], presence_of(member))


def _unknown_chats(key: CustomerKey) -> list[tuple[int, int]]:
    known = Access.objects.filter(
        ~Q(observed=Presence.UNKNOWN.value),
        customer__integration_id=key[0],
        customer__telegram_user_id=key[1],
    ).values("chat_id")
    chats = Chat.objects.filter(integration_id=key[0], problem__isnull=True).exclude(id__in=known)
    return list(chats.order_by("id").values_list("id", "telegram_id")[:MOST_CHATS])
