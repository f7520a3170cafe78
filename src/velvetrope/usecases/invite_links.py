"""The one link of each chat: by request only, made on first need, renewed when it was revoked."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from velvetrope.domain.errors import NeedsOperator, Permanent, RetryLater
from velvetrope.gateways.telegram.errors import migrated_to
from velvetrope.store.models import Chat
from velvetrope.store.revisions import touch
from velvetrope.usecases.chat_moves import move_chat
from velvetrope.usecases.onboarding import request_check

if TYPE_CHECKING:
    from datetime import datetime

    from velvetrope.gateways.telegram.bot import BotApi
    from velvetrope.usecases.services import Services

#: How long a link is handed out before Telegram is asked whether it still works: a link that an
#: administrator revoked tells nobody.
TRUSTED_FOR = timedelta(minutes=5)
#: How often a link that can't be had has the bot looked at, so that the operator is told.
VERIFIED_EVERY = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class _Door:
    integration_id: int
    telegram_id: int
    link: str
    checked_at: datetime | None


class InviteLinks:
    """Gives links of chats to those who send them."""

    def __init__(self, services: Services) -> None:
        self._services = services
        #: Two messages at one time must not make two links.
        self._locks: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    async def link(self, chat_id: int) -> str:
        """Give the link of a chat (by its row's id); raises the three kinds."""
        lock = self._locks.setdefault(chat_id, asyncio.Lock())
        async with lock:
            door = await self._services.db.read(lambda: _read(chat_id))
            if door is None:
                raise Permanent("chat_unknown")
            now = self._services.clock()
            if door.link and door.checked_at is not None and now - door.checked_at < TRUSTED_FOR:
                return door.link
            view = await self._services.view(door.integration_id)
            if view is None:
                raise Permanent("chat_unknown")
            bot = self._services.bot(view.token)
            try:
                link = await _checked(bot, door) or await _made(bot, door)
            except RetryLater as error:
                if (moved_to := migrated_to(error.data)) is not None:
                    await self._services.db.write(
                        lambda: move_chat(door.integration_id, door.telegram_id, moved_to)
                    )
                raise
            except (NeedsOperator, Permanent):
                slot = int(now.timestamp() // VERIFIED_EVERY.total_seconds())
                await self._services.db.write(
                    lambda: request_check(door.integration_id, cause=f"link:{slot}")
                )
                raise
            await self._services.db.write(lambda: _keep(door.integration_id, chat_id, link, now))
            return link


async def _checked(bot: BotApi, door: _Door) -> str | None:
    """Set the known link to what it should be; None if it does not work any more."""
    if not door.link:
        return None
    try:
        found = await bot.edit_chat_invite_link(door.telegram_id, door.link)
    except Permanent:
        return None
    return None if found.is_revoked else found.invite_link


async def _made(bot: BotApi, door: _Door) -> str:
    made = await bot.create_chat_invite_link(door.telegram_id, name="Velvet Rope")
    return made.invite_link


def _read(chat_id: int) -> _Door | None:
    row = Chat.objects.filter(id=chat_id).first()
    if row is None:
        return None
    return _Door(row.integration_id, row.telegram_id, row.invite_link, row.invite_link_at)


def _keep(integration_id: int, chat_id: int, link: str, now: datetime) -> None:
    Chat.objects.filter(id=chat_id).update(invite_link=link, invite_link_at=now)
    touch([integration_id])
