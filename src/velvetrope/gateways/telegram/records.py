"""What the Bot API answers, as small Structs; what updates hold as well is in `updates.py`."""

from __future__ import annotations

import msgspec

from velvetrope.gateways.telegram.updates import Id, Timestamp


class BotUser(msgspec.Struct, frozen=True):
    """The bot itself, from getMe."""

    id: Id
    first_name: str
    username: str
    is_bot: bool = True
    can_join_groups: bool = True


class BotCommand(msgspec.Struct, frozen=True):
    """An entry of the menu: `command` without the slash, `description` up to 256 characters."""

    command: str
    description: str


class WebhookInfo(msgspec.Struct, frozen=True):
    """The state of the webhook; another `url` than ours means that somebody else has the token."""

    url: str
    pending_update_count: int = 0
    has_custom_certificate: bool = False
    ip_address: str | None = None
    last_error_date: Timestamp | None = None
    last_error_message: str | None = None
    last_synchronization_error_date: Timestamp | None = None
    max_connections: int | None = None
    allowed_updates: tuple[str, ...] = ()


class ChatInfo(msgspec.Struct, frozen=True):
    """A chat as getChat tells it; `type` is private, group, supergroup or channel."""

    id: Id
    type: str
    title: str | None = None
    username: str | None = None
    linked_chat_id: Id | None = None
    join_by_request: bool = False
    join_to_send_messages: bool = False
