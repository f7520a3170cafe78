"""Asking Telegram where people are right now, whatever was known before."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from velvetrope.domain.errors import Permanent
from velvetrope.domain.states import Presence
from velvetrope.usecases.observing import Seen, presence_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from velvetrope.gateways.telegram.bot import BotApi
    from velvetrope.store.catalogue import ChatView

#: Questions about one person that are under way together.
AT_ONCE: Final = 10


async def fetch_places(bot: BotApi, chats: Sequence[ChatView], user_id: int) -> tuple[Seen, ...]:
    """Look at one person in every chat; `unknown` where Telegram knows nothing of them.

    Raises RetryLater and NeedsOperator: what could not be asked is not made up.
    """
    seen: list[Seen] = []
    for start in range(0, len(chats), AT_ONCE):
        some = chats[start : start + AT_ONCE]
        seen += await asyncio.gather(*(_look(bot, chat, user_id) for chat in some))
    return tuple(seen)


async def _look(bot: BotApi, chat: ChatView, user_id: int) -> Seen:
    try:
        member = await bot.get_chat_member(chat.telegram_id, user_id)
    except Permanent:
        return Seen(chat.id, Presence.UNKNOWN)  # «not found» is no proof of absence
    # A bot is there because somebody wants it there, and it pays for nothing.
    return Seen(chat.id, Presence.KEEPER if member.user.is_bot else presence_of(member))
