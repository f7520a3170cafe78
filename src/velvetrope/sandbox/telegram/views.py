"""Shapes the world for whoever looks at it through the control API: the phone and tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from velvetrope.sandbox.telegram import membership
from velvetrope.sandbox.telegram.methods.setup import in_language

if TYPE_CHECKING:
    from velvetrope.sandbox.telegram.calls import Call
    from velvetrope.sandbox.telegram.delivery import Courier, Delivery
    from velvetrope.sandbox.telegram.state import Bot, Dialog, History, Note, Person, Room
    from velvetrope.sandbox.telegram.world import World

Shown = dict[str, object]

#: Seconds for which «typing…» is shown.
_TYPING = 5.0


def show_person(person: Person) -> Shown:
    return {
        "id": person.id,
        "first_name": person.first_name,
        "last_name": person.last_name,
        "username": person.username,
        "language_code": person.language_code,
        "deactivated": person.deactivated,
        "too_many_chats": person.too_many_chats,
    }


def show_bot(bot: Bot, courier: Courier) -> Shown:
    """Show a bot with the state of its webhook; never its token."""
    mailbox = courier.mailbox(bot)
    return {
        "id": bot.id,
        "name": bot.name,
        "username": bot.username,
        "webhook": {
            "url": mailbox.webhook.url,
            "has_secret": mailbox.webhook.secret is not None,
            "allowed_updates": mailbox.webhook.allowed,
            "max_connections": mailbox.webhook.max_connections,
            "pending": mailbox.pending,
            "last_error": mailbox.last_error[1] if mailbox.last_error else None,
        },
        "commands": [
            {"scope": scope, "language_code": language, "commands": commands}
            for (scope, language), commands in bot.commands.items()
        ],
        "descriptions": bot.descriptions,
        "short_descriptions": bot.short_descriptions,
    }


def show_room(world: World, room: Room) -> Shown:
    return {
        "id": room.id,
        "title": room.title,
        "kind": room.kind,
        "username": room.username,
        "migrated_to": room.migrated_to,
        "deleted": room.deleted,
        "members": [
            {
                "id": user_id,
                "status": member.status,
                "is_in": member.is_in,
                "rights": [right for right, given in member.rights.items() if given],
                "until_date": member.until_date,
            }
            for user_id, member in room.members.items()
        ],
        "join_requests": [
            {"user": r.person, "date": r.date, "state": r.state, "link": r.link}
            for r in room.requests.values()
        ],
        "invite_links": [membership.describe_link(world, link) for link in room.links.values()],
        "messages": _show_history(room.history, {room.id: room.title}),
    }


def _show_note(note: Note, names: dict[int, str]) -> Shown:
    rows = note.keyboard.inline_keyboard if note.keyboard else []
    return {
        "id": note.id,
        "from": names.get(note.sender, "me"),
        "from_id": note.sender,
        "date": note.date,
        "edited": note.edited,
        "text": note.text,
        "entities": note.entities,
        "keyboard": rows,
        "service": note.service,
    }


def _show_history(history: History, names: dict[int, str]) -> list[Shown]:
    return [_show_note(note, names) for note in history.values()]


def show_dialogs(world: World, person: Person) -> list[Shown]:
    """Show everything on a person's phone: every bot, and the chats they know of."""
    language = person.language_code or ""
    shown = [
        _show_dialog(world, bot, bot.dialogs.get(person.id), language)
        for bot in world.bots.values()
    ]
    shown += [
        _show_room_to(world, room, person)
        for room in world.rooms.values()
        if room.migrated_to is None and (person.id in room.members or room.id in person.opened)
    ]
    return shown


def _show_dialog(world: World, bot: Bot, dialog: Dialog | None, language: str) -> Shown:
    typing_since = world.clock.time() - (dialog.typing_at if dialog else 0.0)
    return {
        "bot": bot.username,
        "id": bot.id,
        "title": bot.name,
        "kind": "bot",
        "started": dialog is not None and dialog.started,
        "blocked": dialog is not None and dialog.blocked,
        "typing": typing_since < _TYPING,
        "description": in_language(bot.descriptions, language),
        "short_description": in_language(bot.short_descriptions, language),
        "commands": _commands_for(bot, language),
        "messages": _show_history(dialog.history, {bot.id: bot.username}) if dialog else [],
    }


def _commands_for(bot: Bot, language: str) -> list[object]:
    """Choose the commands as Telegram does: the narrowest scope, then the person's language."""
    for scope in ("all_private_chats", "default"):
        for wanted in (language, ""):
            found = bot.commands.get((scope, wanted))
            if found:
                return list(found)
    return []


def _show_room_to(world: World, room: Room, person: Person) -> Shown:
    member = room.member(person.id)
    names = {user_id: p.first_name for user_id in room.members if (p := world.people.get(user_id))}
    names |= {room.id: room.title} | {bot.id: bot.name for bot in world.bots.values()}
    names.pop(person.id, None)
    request = room.requests.get(person.id)
    url = person.opened.get(room.id)
    link = world.links.get(url or "")
    return {
        "chat": room.id,
        "id": room.id,
        "title": room.title,
        "kind": room.kind,
        "is_in": member.is_in,
        "status": member.status,
        "may_post": member.may("can_post_messages") if room.kind == "channel" else member.is_in,
        "member_count": sum(m.is_in for i, m in room.members.items() if i not in world.bots),
        "request": request.state if request else None,
        "link": url,
        "asks_approval": link is not None and link.creates_join_request,
        "deleted": room.deleted,
        "messages": _show_history(room.history, names) if member.is_in else [],
    }


def show_call(world: World, number: int, call: Call) -> Shown:
    bot = world.bots.get(call.bot or 0)
    return {
        "number": number,
        **msgspec.to_builtins(call),
        "bot": call.bot,
        "bot_username": bot.username if bot else None,
        "target": _name_of(world, call.params.get("chat_id")),
    }


def show_delivery(world: World, number: int, delivery: Delivery) -> Shown:
    bot = world.bots.get(delivery.bot)
    username = bot.username if bot else None
    return {"number": number, **msgspec.to_builtins(delivery), "bot_username": username}


def _name_of(world: World, chat_id: object) -> str | None:
    """Say in words whom a call is about; None for somebody unknown."""
    if isinstance(chat_id, str) and chat_id.lstrip("-").isdigit():
        chat_id = int(chat_id)
    if not isinstance(chat_id, int):
        return None
    if chat_id in world.people:
        return world.people[chat_id].first_name
    return world.rooms[chat_id].title if chat_id in world.rooms else None
