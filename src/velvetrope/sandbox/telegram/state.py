"""What the simulated Telegram remembers: people, bots, dialogues, chats, members, links."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Literal

from velvetrope.sandbox.telegram import wire

#: Messages that a dialogue or a chat keeps; older ones are forgotten.
HISTORY = 200

ChatKind = Literal["channel", "supergroup", "group"]
Status = Literal["creator", "administrator", "member", "restricted", "left", "kicked"]
RequestState = Literal["pending", "approved", "declined"]

#: The rights of an administrator that every kind of chat knows.
RIGHTS = (
    "can_manage_chat",
    "can_delete_messages",
    "can_manage_video_chats",
    "can_restrict_members",
    "can_promote_members",
    "can_change_info",
    "can_invite_users",
    "can_post_stories",
    "can_edit_stories",
    "can_delete_stories",
    "can_send_welcome_messages",
)
CHANNEL_RIGHTS = ("can_post_messages", "can_edit_messages", "can_manage_direct_messages")
GROUP_RIGHTS = ("can_pin_messages", "can_manage_topics", "can_manage_tags")


@dataclass(slots=True)
class Person:
    id: int
    first_name: str
    last_name: str | None = None
    username: str | None = None
    language_code: str | None = None
    #: The account was deleted: bots can't write to it.
    deactivated: bool = False
    #: In as many channels as Telegram allows: no request of theirs can be approved.
    too_many_chats: bool = False
    #: Chats that the person has opened by a link: chat id to the link.
    opened: dict[int, str] = field(default_factory=dict)

    def to_wire(self) -> wire.User:
        return wire.User(
            id=self.id,
            is_bot=False,
            first_name=self.first_name,
            last_name=self.last_name,
            username=self.username,
            language_code=self.language_code,
        )

    def to_chat(self) -> wire.Chat:
        return wire.Chat(
            id=self.id,
            type="private",
            first_name=self.first_name,
            last_name=self.last_name,
            username=self.username,
        )


@dataclass(slots=True)
class Note:
    """A message as it is kept; `sender` is a person's or bot's id, or the chat's own id."""

    id: int
    date: int
    sender: int
    text: str
    entities: list[wire.Entity]
    keyboard: wire.Keyboard | None = None
    edited: int | None = None
    #: A line about the chat itself, such as «joined».
    service: str | None = None


class History(OrderedDict[int, Note]):
    """The latest notes by message id."""

    def add(self, note: Note) -> Note:
        self[note.id] = note
        if len(self) > HISTORY:
            self.popitem(last=False)
        return note


@dataclass(slots=True)
class Dialog:
    """One person's conversation with one bot."""

    started: bool = False
    blocked: bool = False
    #: Seconds since 1970 until which a join request lets the bot write.
    reachable_until: float = 0.0
    #: When the bot last said that it is typing.
    typing_at: float = 0.0
    history: History = field(default_factory=History)


@dataclass(slots=True)
class Bot:
    id: int
    name: str
    username: str
    token: str
    last_message_id: int = 0
    dialogs: dict[int, Dialog] = field(default_factory=dict)
    #: (scope, language) to the commands.
    commands: dict[tuple[str, str], list[wire.BotCommand]] = field(default_factory=dict)
    descriptions: dict[str, str] = field(default_factory=dict)
    short_descriptions: dict[str, str] = field(default_factory=dict)
    menu_buttons: dict[int, dict[str, object]] = field(default_factory=dict)

    def to_wire(self) -> wire.User:
        return wire.User(id=self.id, is_bot=True, first_name=self.name, username=self.username)

    def dialog(self, person_id: int) -> Dialog:
        """Give the conversation with a person, begun if there was none."""
        found = self.dialogs.get(person_id)
        if found is None:
            found = self.dialogs[person_id] = Dialog()
        return found


@dataclass(slots=True)
class Member:
    status: Status
    rights: dict[str, bool] = field(default_factory=dict)
    #: For `restricted`: whether the person is in the chat.
    inside: bool = True
    #: Seconds since 1970 when a ban or restriction ends; 0 is never.
    until_date: int = 0

    @property
    def is_in(self) -> bool:
        return self.status in {"creator", "administrator", "member"} or (
            self.status == "restricted" and self.inside
        )

    def may(self, right: str) -> bool:
        return self.status == "creator" or (
            self.status == "administrator" and self.rights.get(right, False)
        )


@dataclass(slots=True)
class Link:
    """An invite link; `joined` are the people who came by it and are in."""

    url: str
    chat_id: int
    creator: int
    creates_join_request: bool = False
    is_primary: bool = False
    is_revoked: bool = False
    name: str | None = None
    expire_date: int | None = None
    member_limit: int | None = None
    joined: set[int] = field(default_factory=set)


@dataclass(slots=True)
class JoinRequest:
    person: int
    date: int
    link: str | None
    state: RequestState = "pending"


@dataclass(slots=True)
class Room:
    """A channel, supergroup or basic group."""

    id: int
    kind: ChatKind
    title: str
    username: str | None = None
    last_message_id: int = 0
    members: dict[int, Member] = field(default_factory=dict)
    requests: dict[int, JoinRequest] = field(default_factory=dict)
    links: dict[str, Link] = field(default_factory=dict)
    history: History = field(default_factory=History)
    migrated_to: int | None = None
    deleted: bool = False

    def to_wire(self) -> wire.Chat:
        return wire.Chat(id=self.id, type=self.kind, title=self.title, username=self.username)

    def member(self, user_id: int) -> Member:
        """Give the membership of a user; those never seen have left."""
        return self.members.get(user_id) or Member("left")

    @property
    def noun(self) -> str:
        """How the vendor's error texts call this kind of chat."""
        return {"channel": "channel", "supergroup": "supergroup", "group": "group"}[self.kind]
