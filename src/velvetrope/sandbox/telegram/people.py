"""What a person can do: speak, press, follow links, block a bot, leave, post in their channel."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qs, urlsplit

from velvetrope.sandbox.telegram import entities, membership, wire
from velvetrope.sandbox.telegram.state import Bot, Dialog, Member, Note, Person, Room
from velvetrope.sandbox.telegram.world import CALLBACK_LIFETIME, Press, Unknown, World

if TYPE_CHECKING:
    from velvetrope.sandbox.telegram.state import Link

_TEXT_LIMIT = 4096
_PAYLOAD = re.compile(r"[A-Za-z0-9_-]{0,64}")


class Followed(NamedTuple):
    """Where a link led: what came of it, and the chat or bot it names."""

    outcome: str
    chat: int | None = None
    bot: str | None = None
    payload: str | None = None


def say(world: World, person: Person, bot: Bot, text: str) -> Note:
    """Send a private message to a bot; writing to a blocked bot unblocks it."""
    text = text.strip()
    if not 1 <= entities.utf16_length(text) <= _TEXT_LIMIT:
        raise ValueError("A message has 1 to 4096 characters.")
    dialog = bot.dialog(person.id)
    if dialog.blocked:
        unblock(world, person, bot)
    dialog.started = True
    bot.last_message_id += 1
    note = dialog.history.add(
        Note(
            bot.last_message_id,
            world.date,
            person.id,
            text,
            entities.detect(text, commands=True),
        )
    )
    message = world.message_of(note, bot, person)
    world.updates.push(bot, "message", f"message:{person.id}", message, membership.DAY)
    world.changes.append(person.id)
    return note


def press(world: World, person: Person, bot: Bot, message_id: int, data: str) -> Press:
    """Press a button under a bot's message; the bot's answer comes into what is returned."""
    note = bot.dialog(person.id).history.get(message_id)
    if note is None or note.sender != bot.id:
        raise Unknown(f"The bot has sent no message {message_id} here.")
    pressed = world.new_press(bot, person)
    query = wire.CallbackQuery(
        id=pressed.id,
        from_=person.to_wire(),
        message=world.message_of(note, bot, person),
        chat_instance=str(-bot.id * 1_000_003 - person.id),
        data=data,
    )
    queue = f"callback:{person.id}"
    world.updates.push(bot, "callback_query", queue, query, CALLBACK_LIFETIME)
    return pressed


def find_link(world: World, url: str) -> Link | None:
    """Give the invite link behind an address, however it is written; None for another address."""
    parts = urlsplit(url if "://" in url else f"https://{url}")
    if parts.hostname not in {"t.me", "telegram.me"}:
        return None
    path = parts.path.strip("/").replace("joinchat/", "+", 1)
    return world.links.get(f"https://t.me/{path}")


def look_at(world: World, person: Person, link: Link) -> None:
    """Open the preview of a chat without asking to enter."""
    person.opened[link.chat_id] = link.url
    world.changes.append(person.id)


def follow(world: World, person: Person, url: str) -> Followed:
    """Follow a t.me link: into a chat, to a bot, or to a bot's /start with a payload."""
    link = find_link(world, url)
    if link is not None:
        return Followed(membership.enter_by(world, person, link), chat=link.chat_id)
    parts = urlsplit(url if "://" in url else f"https://{url}")
    name = parts.path.strip("/")
    if parts.hostname not in {"t.me", "telegram.me"} or not name:
        raise Unknown("That isn't a link into this sandbox.")
    if name.startswith("+"):
        return Followed("expired")
    bot = world.bot(name)
    payload = parse_qs(parts.query, keep_blank_values=True).get("start")
    if payload is None:
        return Followed("opened", bot=bot.username)
    if not _PAYLOAD.fullmatch(payload[0]):
        raise ValueError("A start payload has up to 64 of A-Za-z0-9_-.")
    say(world, person, bot, f"/start {payload[0]}".strip())
    return Followed("started", bot=bot.username, payload=payload[0])


def block(world: World, person: Person, bot: Bot) -> None:
    """Block a bot: it can't write any more and learns so."""
    _set_blocked(world, person, bot, bot.dialog(person.id), blocked=True)


def unblock(world: World, person: Person, bot: Bot) -> None:
    """Lift the block."""
    _set_blocked(world, person, bot, bot.dialog(person.id), blocked=False)


def _set_blocked(world: World, person: Person, bot: Bot, dialog: Dialog, *, blocked: bool) -> None:
    if dialog.blocked == blocked:
        return
    dialog.blocked = blocked
    world.changes.append(person.id)
    states: list[dict[str, object]] = [
        {"user": bot.to_wire(), "status": "member"},
        {"user": bot.to_wire(), "status": "kicked", "until_date": 0},
    ]
    change = wire.ChatMemberUpdated(
        chat=person.to_chat(),
        from_=person.to_wire(),
        date=world.date,
        old_chat_member=states[not blocked],
        new_chat_member=states[blocked],
    )
    queue = f"my_chat_member:{person.id}"
    world.updates.push(bot, "my_chat_member", queue, change, membership.DAY)


def post(world: World, person: Person, room: Room, text: str) -> Note:
    """Post in a channel as the channel, or speak in a group as oneself."""
    member = room.member(person.id)
    if room.kind == "channel" and not member.may("can_post_messages"):
        raise PermissionError("Only the owner and administrators post in a channel.")
    if not member.is_in:
        raise PermissionError("Who isn't in the chat can't write there.")
    room.last_message_id += 1
    sender = room.id if room.kind == "channel" else person.id
    text, found = entities.trim(*entities.parse_html(text))
    note = room.history.add(
        Note(
            room.last_message_id,
            world.date,
            sender,
            text,
            entities.add_detected(text, found, commands=True),
        )
    )
    kind = "channel_post" if room.kind == "channel" else "message"
    membership.tell_room(world, room, kind, world.message_of(note, room))
    world.changes.append(room.id)
    return note


def upgrade(world: World, room: Room) -> Room:
    """Turn a basic group into a supergroup with a new id, as Telegram does when it grows."""
    if room.kind != "group" or room.migrated_to is not None:
        raise ValueError("Only a basic group can be upgraded, and only once.")
    owner = next(i for i, member in room.members.items() if member.status == "creator")
    grown = world.add_room("supergroup", room.title, owner)
    grown.members = dict(room.members)
    for old, new in ((room, grown), (grown, room)):
        old.last_message_id += 1
        note = old.history.add(
            Note(old.last_message_id, world.date, owner, "", [], service="upgraded")
        )
        message = world.message_of(note, old)
        if old is room:
            message.migrate_to_chat_id = new.id
        else:
            message.migrate_from_chat_id = new.id
        membership.tell_room(world, old, "message", message)
    room.migrated_to = grown.id
    room.members = {
        user_id: Member("left") for user_id in room.members if user_id not in world.people
    }
    return grown
