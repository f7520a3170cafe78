"""Methods about the bot itself: who it is, its webhook, commands and descriptions."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from velvetrope.sandbox.telegram import wire
from velvetrope.sandbox.telegram.delivery import Webhook
from velvetrope.sandbox.telegram.errors import ApiError, bad_request
from velvetrope.sandbox.telegram.params import Params

if TYPE_CHECKING:
    from velvetrope.sandbox.telegram.methods.context import Context

_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")
_COMMAND = re.compile(r"[a-z0-9_]{1,32}")
_LANGUAGE = re.compile(r"([a-z]{2})?")
_PORTS = {None, 443, 80, 88, 8443}
_COMMANDS_LIMIT = 100
_DESCRIPTION_LIMIT = 512
_SHORT_LIMIT = 120


class NoParams(Params):
    pass


class SetWebhook(Params):
    url: str
    ip_address: str | None = None
    max_connections: int | None = None
    allowed_updates: list[str] | None = None
    drop_pending_updates: bool = False
    secret_token: str | None = None


class DeleteWebhook(Params):
    drop_pending_updates: bool = False


class GetUpdates(Params):
    offset: int | None = None
    limit: int | None = None
    timeout: int | None = None
    allowed_updates: list[str] | None = None


class CommandsAt(Params):
    scope: dict[str, object] | None = None
    language_code: str = ""


class SetMyCommands(CommandsAt, kw_only=True):
    commands: list[wire.BotCommand]


class SetMyDescription(Params):
    description: str = ""
    language_code: str = ""


class SetMyShortDescription(Params):
    short_description: str = ""
    language_code: str = ""


class InLanguage(Params):
    language_code: str = ""


def get_me(context: Context, _params: NoParams) -> wire.User:
    me = context.bot.to_wire()
    me.can_join_groups = True
    me.can_read_all_group_messages = False
    me.supports_inline_queries = False
    me.can_connect_to_business = False
    me.has_main_web_app = False
    return me


def set_webhook(context: Context, params: SetWebhook) -> bool:
    courier, bot = context.courier, context.bot
    if context.knobs.webhook_pace:
        context.pace.spend_webhook(bot.id)
    mailbox = courier.mailbox(bot)
    if params.url:
        _check_address(params.url)
    if params.secret_token is not None and not _SECRET.fullmatch(params.secret_token):
        raise bad_request("secret token contains unallowed characters")
    allowed = mailbox.webhook.allowed
    if params.allowed_updates is not None:
        allowed = [kind for kind in params.allowed_updates if kind in _KINDS] or None
    if params.drop_pending_updates:
        mailbox.drop_pending()
    connections = params.max_connections or 40
    courier.set_webhook(
        bot,
        Webhook(
            url=params.url,
            secret=(params.secret_token or None) if params.url else None,
            max_connections=min(max(connections, 1), 100),
            allowed=allowed,
            ip_address=params.ip_address,
        ),
    )
    return True


_KINDS = {
    "message",
    "edited_message",
    "channel_post",
    "edited_channel_post",
    "callback_query",
    "my_chat_member",
    "chat_member",
    "chat_join_request",
    "pre_checkout_query",
    "subscription",
}


def _check_address(url: str) -> None:
    """Refuse what can't be a webhook; plain http is for this machine and its own network."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise bad_request("bad webhook: Failed to parse URL") from None
    if parts.scheme == "http" and _is_near(host):
        return
    if parts.scheme != "https":
        raise bad_request("bad webhook: An HTTPS URL must be provided for webhook")
    if not host:
        raise bad_request("bad webhook: Failed to parse URL")
    if port not in _PORTS and not _is_near(host):
        raise bad_request("bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443")


def _is_near(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return bool(host) and "." not in host


def delete_webhook(context: Context, params: DeleteWebhook) -> bool:
    mailbox = context.courier.mailbox(context.bot)
    if params.drop_pending_updates:
        mailbox.drop_pending()
    context.courier.set_webhook(context.bot, Webhook(allowed=mailbox.webhook.allowed))
    return True


def get_webhook_info(context: Context, _params: NoParams) -> wire.WebhookInfo:
    mailbox = context.courier.mailbox(context.bot)
    webhook = mailbox.webhook
    info = wire.WebhookInfo(
        url=webhook.url,
        has_custom_certificate=False,
        pending_update_count=mailbox.pending,
        allowed_updates=webhook.allowed,
    )
    if webhook.url:
        info.max_connections = webhook.max_connections
        info.ip_address = webhook.ip_address or "127.0.0.1"
    if mailbox.last_error is not None:
        info.last_error_date, info.last_error_message = mailbox.last_error
    return info


def get_updates(context: Context, _params: GetUpdates) -> object:
    if context.courier.mailbox(context.bot).webhook.url:
        raise ApiError(
            409,
            "Conflict: can't use getUpdates method while webhook is active; "
            "use deleteWebhook to delete the webhook first",
        )
    raise ApiError(409, "Conflict: the sandbox delivers updates by webhook only; use setWebhook")


def _place(params: CommandsAt) -> tuple[str, str]:
    _check_language(params.language_code)
    scope = params.scope or {"type": "default"}
    kind = scope.get("type")
    if not isinstance(kind, str) or kind not in _SCOPES:
        raise bad_request("can't parse BotCommandScope: Unsupported type specified")
    where = [str(scope[name]) for name in ("chat_id", "user_id") if name in scope]
    return ":".join([kind, *where]), params.language_code


_SCOPES = {
    "default",
    "all_private_chats",
    "all_group_chats",
    "all_chat_administrators",
    "chat",
    "chat_administrators",
    "chat_member",
}


def _check_language(code: str) -> None:
    if not _LANGUAGE.fullmatch(code):
        raise bad_request("invalid language code specified")


def set_my_commands(context: Context, params: SetMyCommands) -> bool:
    place = _place(params)
    if len(params.commands) > _COMMANDS_LIMIT:
        raise bad_request("BOT_COMMANDS_TOO_MUCH")
    for command in params.commands:
        if not _COMMAND.fullmatch(command.command.removeprefix("/").lower()):
            raise bad_request("BOT_COMMAND_INVALID")
        if not 1 <= len(command.description) <= 256:  # noqa: PLR2004  the reference's own limit
            raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
    context.bot.commands[place] = params.commands
    return True


def get_my_commands(context: Context, params: CommandsAt) -> list[wire.BotCommand]:
    return context.bot.commands.get(_place(params), [])


def delete_my_commands(context: Context, params: CommandsAt) -> bool:
    context.bot.commands.pop(_place(params), None)
    return True


def set_my_description(context: Context, params: SetMyDescription) -> bool:
    _check_language(params.language_code)
    if len(params.description) > _DESCRIPTION_LIMIT:
        raise bad_request("bot description is too long")
    context.bot.descriptions[params.language_code] = params.description
    return True


def get_my_description(context: Context, params: InLanguage) -> dict[str, str]:
    return {"description": in_language(context.bot.descriptions, params.language_code)}


def set_my_short_description(context: Context, params: SetMyShortDescription) -> bool:
    _check_language(params.language_code)
    if len(params.short_description) > _SHORT_LIMIT:
        raise bad_request("bot short description is too long")
    context.bot.short_descriptions[params.language_code] = params.short_description
    return True


def get_my_short_description(context: Context, params: InLanguage) -> dict[str, str]:
    found = in_language(context.bot.short_descriptions, params.language_code)
    return {"short_description": found}


def in_language(texts: dict[str, str], language: str) -> str:
    """Give the text that somebody with this language sees."""
    return texts.get(language) or texts.get("", "")
