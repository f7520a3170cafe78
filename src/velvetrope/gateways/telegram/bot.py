"""One bot at the Bot API: stored calls by their name, and typed methods for what is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Generic, TypeVar

import msgspec

from velvetrope.domain.errors import Permanent
from velvetrope.gateways.telegram import errors
from velvetrope.gateways.telegram.records import (
    BotCommand,
    BotUser,
    ChatInfo,
    WebhookInfo,
)
from velvetrope.gateways.telegram.updates import KINDS, ChatInviteLink, ChatMember

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from velvetrope.gateways.telegram.client import TelegramClient

T = TypeVar("T")

#: What registration subscribes to; leaving it out would keep whatever was set before.
ALLOWED_UPDATES: Final = KINDS

MAX_CONNECTIONS: Final = 100


class Performed(msgspec.Struct, frozen=True):
    """A call that reached its aim; `already` names why there was nothing left to do, if so."""

    result: msgspec.Raw | None
    already: str | None = None


class _As(Generic[T]):
    """Decodes a result, or takes an answer of another shape for trouble on Telegram's side."""

    def __init__(self, kind: type[T]) -> None:
        self._decode = msgspec.json.Decoder(kind).decode

    def __call__(self, method: str, result: msgspec.Raw) -> T:
        try:
            return self._decode(result)
        except (ValueError, RecursionError):
            failure = errors.unavailable(method, "unexpected_result", maybe_delivered=True)
        raise failure


_bot_user = _As(BotUser)
_webhook_info = _As(WebhookInfo)
_chat_info = _As(ChatInfo)
_chat_member = _As(ChatMember)
_invite_link = _As(ChatInviteLink)
_number = _As(int)


class BotApi:
    """One bot's view of the Bot API; every method is one request and raises the three kinds."""

    def __init__(self, client: TelegramClient, token: str) -> None:
        self._client = client
        self._token = token

    def __repr__(self) -> str:
        return f"BotApi(bot {self._token.partition(':')[0]})"

    async def perform(self, method: str, params: Mapping[str, object]) -> Performed:
        """Call any method; a refusal that means «it is so already» is a success.

        It is how the outbox calls, with stored parameters; the typed methods below are for what is
        asked while somebody waits for the answer.
        """
        try:
            return Performed(await self._client.call(self._token, method, params))
        except Permanent as error:
            if not errors.is_already_so(error):
                raise
            return Performed(None, already=error.code)

    async def get_me(self) -> BotUser:
        return _bot_user("getMe", await self._call("getMe"))

    async def set_webhook(
        self,
        url: str,
        *,
        secret_token: str,
        allowed_updates: Sequence[str] = ALLOWED_UPDATES,
        max_connections: int = MAX_CONNECTIONS,
        drop_pending_updates: bool | None = None,
    ) -> None:
        """Register the webhook; Telegram allows one call a second for each bot."""
        await self._call(
            "setWebhook",
            url=url,
            secret_token=secret_token,
            allowed_updates=list(allowed_updates),
            max_connections=max_connections,
            drop_pending_updates=drop_pending_updates,
        )

    async def get_webhook_info(self) -> WebhookInfo:
        return _webhook_info("getWebhookInfo", await self._call("getWebhookInfo"))

    async def set_my_commands(
        self, commands: Sequence[BotCommand], *, language_code: str | None = None
    ) -> None:
        """Set the menu of commands; without a language, for everybody not covered by one."""
        await self._call("setMyCommands", commands=list(commands), language_code=language_code)

    async def set_my_description(
        self, description: str, *, language_code: str | None = None
    ) -> None:
        """Set the text of an empty chat, up to 512 characters; empty removes it."""
        await self._call("setMyDescription", description=description, language_code=language_code)

    async def set_my_short_description(
        self, short_description: str, *, language_code: str | None = None
    ) -> None:
        """Set the text of the bot's profile, up to 120 characters; empty removes it."""
        await self._call(
            "setMyShortDescription",
            short_description=short_description,
            language_code=language_code,
        )

    async def get_chat(self, chat_id: int) -> ChatInfo:
        return _chat_info("getChat", await self._call("getChat", chat_id=chat_id))

    async def get_chat_member(self, chat_id: int, user_id: int) -> ChatMember:
        """Look a person up; a failure is never proof that they are outside."""
        result = await self._call("getChatMember", chat_id=chat_id, user_id=user_id)
        return _chat_member("getChatMember", result)

    async def get_chat_member_count(self, chat_id: int) -> int:
        result = await self._call("getChatMemberCount", chat_id=chat_id)
        return _number("getChatMemberCount", result)

    async def create_chat_invite_link(
        self,
        chat_id: int,
        *,
        name: str | None = None,
        creates_join_request: bool = True,
        expire_date: int | None = None,
        member_limit: int | None = None,
    ) -> ChatInviteLink:
        """Make a link, by default one that asks; `name` up to 32 characters.

        `member_limit` and `creates_join_request` exclude each other.
        """
        result = await self._call(
            "createChatInviteLink",
            chat_id=chat_id,
            name=name,
            creates_join_request=creates_join_request,
            expire_date=expire_date,
            member_limit=member_limit,
        )
        return _invite_link("createChatInviteLink", result)

    async def edit_chat_invite_link(
        self, chat_id: int, invite_link: str, *, creates_join_request: bool = True
    ) -> ChatInviteLink:
        """Set a link of the bot's own to what it should be; tells whether it was revoked."""
        result = await self._call(
            "editChatInviteLink",
            chat_id=chat_id,
            invite_link=invite_link,
            creates_join_request=creates_join_request,
        )
        return _invite_link("editChatInviteLink", result)

    async def _call(self, method: str, **params: object) -> msgspec.Raw:
        return await self._client.call(self._token, method, params)
