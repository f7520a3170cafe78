"""Telegram updates as small Structs: a cheap peek for the edge, a full decoding for the handlers.

Only the fields that the product uses are declared; others, and kinds that it does not know, are
skipped without building objects for them. Names and meanings: Bot API, «Getting updates».
"""

from __future__ import annotations

from typing import Annotated, Final, TypeAlias

import msgspec

#: Identifiers need 64 bits; JSON numbers beyond that are refused rather than rounded.
Id: TypeAlias = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
UpdateId: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
#: Seconds since 1970; 0 marks a message that is no longer accessible.
Timestamp: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2**40)]

#: The members of an update that the product subscribes to.
KINDS: Final = (
    "message",
    "callback_query",
    "my_chat_member",
    "chat_member",
    "chat_join_request",
    "pre_checkout_query",
    "subscription",
)
UNKNOWN: Final = "unknown"

#: The lane of updates that name neither a person nor a chat that the product knows.
OTHER_LANE: Final = "other"


class _Record(msgspec.Struct, frozen=True, gc=False):
    """What all records share: immutable, outside the garbage collector, unknown fields skipped."""


class User(_Record, frozen=True):
    id: Id
    is_bot: bool = False
    first_name: str = ""
    last_name: str | None = None
    username: str | None = None
    language_code: str | None = None


class Chat(_Record, frozen=True):
    id: Id
    type: str
    title: str | None = None
    username: str | None = None

    @property
    def is_private(self) -> bool:
        return self.type == "private"


class SuccessfulPayment(_Record, frozen=True):
    """A payment in Stars; amounts in the currency's smallest unit."""

    currency: str
    total_amount: int
    invoice_payload: str
    telegram_payment_charge_id: str
    provider_payment_charge_id: str = ""
    subscription_expiration_date: Timestamp | None = None
    is_recurring: bool = False
    is_first_recurring: bool = False


class Message(_Record, frozen=True):
    """A message; under a callback query `date` 0 means that it can no longer be edited."""

    message_id: Id
    chat: Chat
    date: Timestamp = 0
    from_: User | None = msgspec.field(name="from", default=None)
    sender_chat: Chat | None = None
    text: str | None = None
    new_chat_members: tuple[User, ...] = ()
    left_chat_member: User | None = None
    migrate_to_chat_id: Id | None = None
    migrate_from_chat_id: Id | None = None
    successful_payment: SuccessfulPayment | None = None

    @property
    def is_from_person(self) -> bool:
        """Tell a person apart from bots, anonymous administrators and channels."""
        return self.from_ is not None and not self.from_.is_bot and self.sender_chat is None


class CallbackQuery(_Record, frozen=True):
    id: str
    from_: User = msgspec.field(name="from")
    message: Message | None = None
    data: str | None = None


class ChatMember(_Record, frozen=True):
    """A person's or the bot's standing in a chat."""

    status: str
    user: User
    is_member: bool | None = None
    is_anonymous: bool | None = None
    can_invite_users: bool = False
    can_restrict_members: bool = False
    until_date: Timestamp | None = None

    @property
    def is_inside(self) -> bool:
        """Tell whether the person sees the chat now."""
        if self.status == "restricted":
            return bool(self.is_member)
        return self.status in {"creator", "administrator", "member"}

    @property
    def is_admin(self) -> bool:
        return self.status in {"creator", "administrator"}


class ChatInviteLink(_Record, frozen=True):
    invite_link: str
    creator: User | None = None
    creates_join_request: bool = False
    is_primary: bool = False
    is_revoked: bool = False
    name: str | None = None
    expire_date: Timestamp | None = None
    member_limit: int | None = None
    pending_join_request_count: int | None = None


class ChatMemberUpdated(_Record, frozen=True):
    """A change of standing: `new_chat_member.user` is whom it concerns, `from_` who did it."""

    chat: Chat
    from_: User = msgspec.field(name="from")
    date: Timestamp
    old_chat_member: ChatMember
    new_chat_member: ChatMember
    invite_link: ChatInviteLink | None = None
    via_join_request: bool = False


class ChatJoinRequest(_Record, frozen=True):
    """A wish to enter; `user_chat_id` may be written to for five minutes without /start."""

    chat: Chat
    from_: User = msgspec.field(name="from")
    user_chat_id: Id
    date: Timestamp
    invite_link: ChatInviteLink | None = None
    query_id: str | None = None


class PreCheckoutQuery(_Record, frozen=True):
    id: str
    from_: User = msgspec.field(name="from")
    currency: str
    total_amount: int
    invoice_payload: str


class Subscription(_Record, frozen=True):
    """A change of a Stars subscription; `state` is canceled, active or failed."""

    user: User
    invoice_payload: str
    state: str


class Update(_Record, frozen=True):
    """One update; exactly one member is set, or none if Telegram sent a kind unknown here."""

    update_id: UpdateId
    message: Message | None = None
    callback_query: CallbackQuery | None = None
    my_chat_member: ChatMemberUpdated | None = None
    chat_member: ChatMemberUpdated | None = None
    chat_join_request: ChatJoinRequest | None = None
    pre_checkout_query: PreCheckoutQuery | None = None
    subscription: Subscription | None = None

    @property
    def kind(self) -> str:
        return next((kind for kind in KINDS if getattr(self, kind) is not None), UNKNOWN)


class UpdatePeek(_Record, frozen=True):
    """What the edge needs to know before it stores the bytes.

    `lane` is the last part of the lane's name: `<user>`, `chat:<chat>` or `other`.
    """

    update_id: int
    kind: str
    lane: str
    user_id: int | None = None
    chat_id: int | None = None


class _Who(_Record, frozen=True):
    id: Id


class _Where(_Record, frozen=True):
    id: Id
    type: str


class _PeekMessage(_Record, frozen=True):
    chat: _Where
    from_: _Who | None = msgspec.field(name="from", default=None)


class _PeekFrom(_Record, frozen=True):
    from_: _Who = msgspec.field(name="from")


class _PeekMember(_Record, frozen=True):
    user: _Who


class _PeekMemberUpdated(_Record, frozen=True):
    chat: _Where
    new_chat_member: _PeekMember


class _PeekJoinRequest(_Record, frozen=True):
    chat: _Where
    from_: _Who = msgspec.field(name="from")


class _Peek(_Record, frozen=True):
    update_id: UpdateId
    message: _PeekMessage | None = None
    callback_query: _PeekFrom | None = None
    my_chat_member: _PeekMemberUpdated | None = None
    chat_member: _PeekMemberUpdated | None = None
    chat_join_request: _PeekJoinRequest | None = None
    pre_checkout_query: _PeekFrom | None = None
    subscription: _PeekMember | None = None


_decode_peek = msgspec.json.Decoder(_Peek).decode
_decode_update = msgspec.json.Decoder(Update).decode


def decode_update(payload: bytes) -> Update:
    """Decode a whole update; ValueError for anything that is none."""
    try:
        payload.decode()  # msgspec skips what it does not need without looking at its encoding
        return _decode_update(payload)
    except RecursionError:
        raise msgspec.DecodeError("nested too deeply") from None


def peek_update(payload: bytes) -> UpdatePeek:  # noqa: PLR0911  one return for each kind of update
    """Read the identity, kind and lane of an update; ValueError for anything that is none.

    Queues of Telegram (facts: «Order») decide about lanes: messages of a private chat, callbacks,
    join requests and memberships of one person stay in order with each other, and so does
    everything else of one chat.
    """
    try:
        payload.decode()
        peek = _decode_peek(payload)
    except RecursionError:
        raise msgspec.DecodeError("nested too deeply") from None
    if (message := peek.message) is not None:
        sender = message.from_.id if message.from_ is not None else None
        return _in_chat(peek.update_id, "message", message.chat, sender)
    if (query := peek.callback_query) is not None:
        return _of_person(peek.update_id, "callback_query", query.from_.id, None)
    if (own := peek.my_chat_member) is not None:
        return _in_chat(peek.update_id, "my_chat_member", own.chat, None)
    if (member := peek.chat_member) is not None:
        person = member.new_chat_member.user.id
        return _of_person(peek.update_id, "chat_member", person, member.chat.id)
    if (request := peek.chat_join_request) is not None:
        person = request.from_.id
        return _of_person(peek.update_id, "chat_join_request", person, request.chat.id)
    if (checkout := peek.pre_checkout_query) is not None:
        return _of_person(peek.update_id, "pre_checkout_query", checkout.from_.id, None)
    if (subscription := peek.subscription) is not None:
        return _of_person(peek.update_id, "subscription", subscription.user.id, None)
    return UpdatePeek(update_id=peek.update_id, kind=UNKNOWN, lane=OTHER_LANE)


def _of_person(update_id: int, kind: str, user_id: int, chat_id: int | None) -> UpdatePeek:
    return UpdatePeek(
        update_id=update_id, kind=kind, lane=str(user_id), user_id=user_id, chat_id=chat_id
    )


def _in_chat(update_id: int, kind: str, chat: _Where, sender: int | None) -> UpdatePeek:
    if chat.type == "private":  # the id of a private chat is the person's
        return _of_person(update_id, kind, chat.id, chat.id)
    return UpdatePeek(
        update_id=update_id, kind=kind, lane=f"chat:{chat.id}", user_id=sender, chat_id=chat.id
    )
