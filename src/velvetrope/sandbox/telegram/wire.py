"""The objects that the simulator sends, shaped as the Bot API's reference lists them."""

from __future__ import annotations

import msgspec


class User(msgspec.Struct, omit_defaults=True, kw_only=True):
    id: int
    is_bot: bool
    first_name: str
    last_name: str | None = None
    username: str | None = None
    language_code: str | None = None
    can_join_groups: bool | None = None
    can_read_all_group_messages: bool | None = None
    supports_inline_queries: bool | None = None
    can_connect_to_business: bool | None = None
    has_main_web_app: bool | None = None


class Chat(msgspec.Struct, omit_defaults=True, kw_only=True):
    id: int
    type: str
    title: str | None = None
    username: str | None = None
    first_name: str | None = None
    last_name: str | None = None


class Entity(msgspec.Struct, omit_defaults=True, kw_only=True):
    """A stretch of a text; offset and length count UTF-16 code units."""

    type: str
    offset: int
    length: int
    url: str | None = None
    language: str | None = None
    custom_emoji_id: str | None = None


class Button(msgspec.Struct, omit_defaults=True, kw_only=True, forbid_unknown_fields=True):
    """A button under a message: exactly one of the optional actions is set."""

    text: str
    url: str | None = None
    callback_data: str | None = None
    copy_text: dict[str, str] | None = None
    style: str | None = None
    icon_custom_emoji_id: str | None = None


class Keyboard(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    inline_keyboard: list[list[Button]]


class Message(msgspec.Struct, omit_defaults=True, kw_only=True):
    message_id: int
    date: int
    chat: Chat
    from_: User | None = msgspec.field(default=None, name="from")
    sender_chat: Chat | None = None
    edit_date: int | None = None
    text: str | None = None
    entities: list[Entity] | None = None
    reply_markup: Keyboard | None = None
    new_chat_members: list[User] | None = None
    left_chat_member: User | None = None
    migrate_to_chat_id: int | None = None
    migrate_from_chat_id: int | None = None


class CallbackQuery(msgspec.Struct, omit_defaults=True, kw_only=True):
    id: str
    from_: User = msgspec.field(name="from")
    message: Message
    chat_instance: str
    data: str


class InviteLink(msgspec.Struct, omit_defaults=True, kw_only=True):
    invite_link: str
    creator: User
    creates_join_request: bool
    is_primary: bool
    is_revoked: bool
    name: str | None = None
    expire_date: int | None = None
    member_limit: int | None = None
    pending_join_request_count: int | None = None


class ChatMemberUpdated(msgspec.Struct, omit_defaults=True, kw_only=True):
    chat: Chat
    from_: User = msgspec.field(name="from")
    date: int
    old_chat_member: dict[str, object]
    new_chat_member: dict[str, object]
    invite_link: InviteLink | None = None
    via_join_request: bool | None = None


class ChatJoinRequest(msgspec.Struct, omit_defaults=True, kw_only=True):
    chat: Chat
    from_: User = msgspec.field(name="from")
    user_chat_id: int
    date: int
    bio: str | None = None
    invite_link: InviteLink | None = None


class WebhookInfo(msgspec.Struct, omit_defaults=True, kw_only=True):
    url: str
    has_custom_certificate: bool
    pending_update_count: int
    ip_address: str | None = None
    last_error_date: int | None = None
    last_error_message: str | None = None
    max_connections: int | None = None
    allowed_updates: list[str] | None = None


class BotCommand(msgspec.Struct, forbid_unknown_fields=True):
    command: str
    description: str


#: What an update can carry.
Payload = Message | CallbackQuery | ChatMemberUpdated | ChatJoinRequest
