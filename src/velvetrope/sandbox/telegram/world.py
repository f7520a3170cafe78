"""The simulated Telegram as a whole: who exists, who is found under what, what goes to bots."""

from __future__ import annotations

import asyncio
import itertools
import random
import re
import secrets
import string
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from velvetrope.sandbox.faults import Knobs
from velvetrope.sandbox.journal import Journal
from velvetrope.sandbox.telegram import wire
from velvetrope.sandbox.telegram.errors import ApiError, bad_request
from velvetrope.sandbox.telegram.state import Bot, ChatKind, Link, Member, Note, Person, Room

if TYPE_CHECKING:
    from velvetrope.sandbox.clock import SandboxClock

TOKEN = re.compile(r"\d{1,20}:[A-Za-z0-9_-]{20,64}")
#: Seconds after which a press on a button can't be answered any more.
CALLBACK_LIFETIME = 150
_CALLBACKS_KEPT = 20_000
_LETTERS = string.ascii_letters + string.digits


class TelegramKnobs(Knobs, kw_only=True):
    #: Parameters that a method doesn't have are refused.
    strict: bool = True
    #: The pace of messages is limited, as Telegram does.
    strict_pace: bool = False
    #: setWebhook works once a second.
    webhook_pace: bool = True
    #: Whoever is written to exists and has pressed /start: for load.
    anyone_started: bool = False
    #: Seconds that a webhook may take to answer.
    webhook_timeout: float = 60.0


class UpdateSink(Protocol):
    """Takes updates for a bot: of a kind, in a queue, worth delivering for some seconds."""

    def push(
        self, bot: Bot, kind: str, queue: str, payload: wire.Payload, lifetime: float
    ) -> None: ...


@dataclass(slots=True)
class Press:
    """A press on a button, until the bot answers it."""

    id: str
    bot: int
    person: int
    date: float
    done: asyncio.Event = field(default_factory=asyncio.Event)
    text: str | None = None
    alert: bool = False
    url: str | None = None

    @property
    def answered(self) -> bool:
        return self.done.is_set()


@dataclass(slots=True, frozen=True)
class Movement:
    """Somebody's standing in a chat changed."""

    time: float
    chat: int
    user: int
    #: Who changed it: the person, an administrator, a bot.
    actor: int
    was: str
    now: str
    was_in: bool
    is_in: bool


class Unknown(LookupError):  # noqa: N818  reads as what is said: unknown chat
    """Nobody and nothing goes by that id or name."""


class World:
    """Everything that exists, kept in memory."""

    def __init__(self, clock: SandboxClock, updates: UpdateSink) -> None:
        self.clock = clock
        self.updates = updates
        self.people: dict[int, Person] = {}
        self.bots: dict[int, Bot] = {}
        self.by_token: dict[str, Bot] = {}
        self.by_username: dict[str, Bot | Room | Person] = {}
        self.rooms: dict[int, Room] = {}
        self.links: dict[str, Link] = {}
        self.presses: OrderedDict[str, Press] = OrderedDict()
        #: Whom a change concerns: the ids of people, or of chats.
        self.changes: Journal[int] = Journal(2000)
        self.movements: Journal[Movement] = Journal(20_000)
        self._person_ids = itertools.count(5_000_000_001)
        self._next_press = random.getrandbits(60)

    @property
    def date(self) -> int:
        return int(self.clock.time())

    # Who exists

    def add_person(self, person: Person) -> Person:
        """Register a person; an id of 0 gets a new one."""
        if not person.id:
            person.id = next(free for free in self._person_ids if free not in self.people)
        if person.id in self.people:
            raise ValueError(f"The id {person.id} is taken.")
        self._take_username(person.username, person)
        self.people[person.id] = person
        self.changes.append(person.id)
        return person

    def add_bot(self, name: str, username: str, token: str | None = None) -> Bot:
        """Register a bot; its token says in clear letters that it is none of the real service."""
        token = token or _new_token(7_000_000_001 + len(self.bots))
        if not TOKEN.fullmatch(token):
            raise ValueError("A token is digits, a colon and 20 to 64 of A-Za-z0-9_-.")
        bot = Bot(int(token.split(":", 1)[0]), name, username, token)
        if token in self.by_token or bot.id in self.bots:
            raise ValueError("A bot with this id exists.")
        self._take_username(username, bot)
        self.bots[bot.id] = bot
        self.by_token[token] = bot
        return bot

    def replace_token(self, bot: Bot) -> None:
        """Revoke a bot's token and give it another."""
        del self.by_token[bot.token]
        bot.token = _new_token(bot.id)
        self.by_token[bot.token] = bot

    def add_room(self, kind: ChatKind, title: str, owner: int, username: str | None = None) -> Room:
        """Open a channel or group that belongs to a person."""
        self.person(owner)
        number = len(self.rooms) + 1
        room = Room(
            -4_000_000_000 - number if kind == "group" else -1_003_000_000_000 - number,
            kind,
            title,
            username,
        )
        self._take_username(username, room)
        room.members[owner] = Member("creator")
        self.rooms[room.id] = room
        self.changes.append(owner)
        return room

    def _take_username(self, username: str | None, owner: Bot | Room | Person) -> None:
        if username is None:
            return
        if not re.fullmatch(r"\w{3,32}", username, re.ASCII):
            raise ValueError("A username is 3 to 32 Latin letters, digits and underscores.")
        if self.by_username.setdefault(username.lower(), owner) is not owner:
            raise ValueError(f"The username {username} is taken.")

    # Who is found under what

    def person(self, person_id: int) -> Person:
        """Give the person with this id, else raise Unknown."""
        try:
            return self.people[person_id]
        except KeyError:
            raise Unknown(f"No person has the id {person_id}.") from None

    def room(self, room_id: int) -> Room:
        """Give the chat with this id, else raise Unknown."""
        try:
            return self.rooms[room_id]
        except KeyError:
            raise Unknown(f"No chat has the id {room_id}.") from None

    def bot(self, username: str) -> Bot:
        """Give the bot with this username, else raise Unknown."""
        found = self.by_username.get(username.lower().removeprefix("@"))
        if not isinstance(found, Bot):
            raise Unknown(f"No bot is called {username}.")
        return found

    def find_target(self, chat_id: int | str) -> Person | Room | Bot:
        """Give whom a method's `chat_id` means; ApiError 400 for nobody."""
        found: Person | Room | Bot | None
        if isinstance(chat_id, str):
            if re.fullmatch(r"-?\d{1,20}", chat_id):
                chat_id = int(chat_id)
            elif not chat_id:
                raise bad_request("chat_id is empty")
            else:
                found = self.by_username.get(chat_id.removeprefix("@").lower())
                if not chat_id.startswith("@") or not isinstance(found, Room):
                    raise bad_request("chat not found")
                return found
        found = self.people.get(chat_id) or self.rooms.get(chat_id) or self.bots.get(chat_id)
        if found is None:
            raise bad_request("chat not found")
        return found

    def find_room(self, chat_id: int | str) -> Room:
        """Give the channel or group that a method's `chat_id` means; ApiError for what has gone."""
        found = self.find_target(chat_id)
        if not isinstance(found, Room):
            raise bad_request("chat not found")
        if found.migrated_to is not None:
            raise ApiError(
                400,
                "Bad Request: group chat was upgraded to a supergroup chat",
                migrate_to_chat_id=found.migrated_to,
            )
        return found

    def user_of(self, user_id: int) -> wire.User:
        """Give the person or bot with this id as the Bot API shows it."""
        found = self.people.get(user_id) or self.bots.get(user_id)
        if found is None:
            raise Unknown(f"Nobody has the id {user_id}.")
        return found.to_wire()

    # What is said

    def message_of(
        self, note: Note, place: Bot | Room, person: Person | None = None
    ) -> wire.Message:
        """Shape a note as the Bot API's Message: in a room, or between a bot and a person."""
        message = wire.Message(
            message_id=note.id,
            date=note.date,
            chat=place.to_wire() if isinstance(place, Room) else _private(person),
            edit_date=note.edited,
            text=note.text or None,
            entities=note.entities or None,
            reply_markup=note.keyboard,
        )
        if isinstance(place, Room) and note.sender == place.id:
            message.sender_chat = message.chat
        else:
            message.from_ = self.user_of(note.sender)
        return message

    def new_press(self, bot: Bot, person: Person) -> Press:
        """Keep a new press on a button of `bot` until it is answered or forgotten."""
        self._next_press += 1
        press = Press(str(self._next_press), bot.id, person.id, self.clock.time())
        self.presses[press.id] = press
        if len(self.presses) > _CALLBACKS_KEPT:
            self.presses.popitem(last=False)
        return press


def _new_token(bot_id: int) -> str:
    tail = "".join(secrets.choice(_LETTERS) for _ in range(27))
    return f"{bot_id}:SANDBOX_{tail}"


def _private(person: Person | None) -> wire.Chat:
    if person is None:
        raise TypeError("A dialogue has a person.")
    return person.to_chat()
