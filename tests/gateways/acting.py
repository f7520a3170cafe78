"""A bot that acts: the calls that the product makes from its outbox, by name and parameters."""

from __future__ import annotations

from typing import Any

import msgspec

from velvetrope.gateways.telegram.bot import BotApi


class ActingBot(BotApi):
    """Each call tells what Telegram answered, or None if it was so already."""

    async def act(self, method: str, **params: object) -> Any:
        given = {name: value for name, value in params.items() if value is not None}
        result = (await self.perform(method, given)).result
        return None if result is None else msgspec.json.decode(result)

    async def approve(self, chat: int, person: int) -> bool:
        return await self.act("approveChatJoinRequest", chat_id=chat, user_id=person) is not None

    async def decline(self, chat: int, person: int) -> bool:
        return await self.act("declineChatJoinRequest", chat_id=chat, user_id=person) is not None

    async def ban(self, chat: int, person: int) -> None:
        await self.act("banChatMember", chat_id=chat, user_id=person)

    async def unban(self, chat: int, person: int, *, only_if_banned: bool) -> None:
        await self.act(
            "unbanChatMember", chat_id=chat, user_id=person, only_if_banned=only_if_banned
        )

    async def say(self, chat: int, text: str, keyboard: Any = None) -> int:
        """Send a message as the product writes them; gives its id."""
        sent = await self.act("sendMessage", chat_id=chat, text=text, **_form(keyboard))
        number: int = sent["message_id"]
        return number

    async def edit(self, chat: int, message: int, text: str, keyboard: Any = None) -> bool:
        form = _form(keyboard)
        edited = await self.act(
            "editMessageText", chat_id=chat, message_id=message, text=text, **form
        )
        return edited is not None


def _form(keyboard: Any) -> dict[str, object]:
    return {
        "parse_mode": "HTML",
        "link_preview_options": {"is_disabled": True},
        "reply_markup": None if keyboard is None else {"inline_keyboard": keyboard},
    }
