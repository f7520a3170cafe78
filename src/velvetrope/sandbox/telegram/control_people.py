"""The control API, part two: what a person does on their phone, and what they see there."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import msgspec

from velvetrope.sandbox.telegram import membership, people, views
from velvetrope.sandbox.telegram.control_desk import Desk, read, reply, routes_of
from velvetrope.sandbox.telegram.world import Unknown

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from velvetrope.sandbox.telegram.state import Person


class Said(msgspec.Struct, forbid_unknown_fields=True):
    bot: str
    text: str


class Pressed(msgspec.Struct, forbid_unknown_fields=True):
    bot: str
    message_id: int
    data: str
    #: Seconds to wait for the bot's answer.
    wait: float = 5.0


class Followed(msgspec.Struct, forbid_unknown_fields=True):
    url: str
    #: Only open the preview of a chat; don't enter.
    look: bool = False


class OneBot(msgspec.Struct, forbid_unknown_fields=True):
    bot: str


class OneChat(msgspec.Struct, forbid_unknown_fields=True):
    chat: int


def _person(desk: Desk, request: Request) -> Person:
    return desk.world.person(int(request.path_params["user"]))


async def say(desk: Desk, request: Request) -> Response:
    said = await read(request, Said)
    note = people.say(desk.world, _person(desk, request), desk.world.bot(said.bot), said.text)
    return reply({"id": note.id}, 201)


async def press(desk: Desk, request: Request) -> Response:
    pressed = await read(request, Pressed)
    person, bot = _person(desk, request), desk.world.bot(pressed.bot)
    query = people.press(desk.world, person, bot, pressed.message_id, pressed.data)
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(query.done.wait(), pressed.wait)
    return reply(
        {
            "id": query.id,
            "answered": query.answered,
            "text": query.text,
            "alert": query.alert,
            "url": query.url,
        }
    )


async def follow(desk: Desk, request: Request) -> Response:
    followed, person = await read(request, Followed), _person(desk, request)
    link = people.find_link(desk.world, followed.url)
    if followed.look and link is not None and not link.is_revoked:
        people.look_at(desk.world, person, link)
        return reply({"outcome": "opened", "chat": link.chat_id, "bot": None, "payload": None})
    return reply(people.follow(desk.world, person, followed.url)._asdict())


async def block(desk: Desk, request: Request) -> Response:
    bot = desk.world.bot((await read(request, OneBot)).bot)
    people.block(desk.world, _person(desk, request), bot)
    return reply({})


async def unblock(desk: Desk, request: Request) -> Response:
    bot = desk.world.bot((await read(request, OneBot)).bot)
    people.unblock(desk.world, _person(desk, request), bot)
    return reply({})


async def leave(desk: Desk, request: Request) -> Response:
    person = _person(desk, request)
    room = desk.world.room((await read(request, OneChat)).chat)
    membership.leave(desk.world, room, person.id)
    return reply({})


async def withdraw(desk: Desk, request: Request) -> Response:
    """Take back a join request that still waits."""
    person = _person(desk, request)
    room = desk.world.room((await read(request, OneChat)).chat)
    waiting = room.requests.get(person.id)
    if waiting is None or waiting.state != "pending":
        raise Unknown("No request of that person waits.")
    del room.requests[person.id]
    desk.world.changes.append(person.id)
    return reply({})


async def show_dialogs(desk: Desk, request: Request) -> Response:
    return reply(views.show_dialogs(desk.world, _person(desk, request)))


def routes(desk: Desk) -> list[Route]:
    """List the addresses of this part."""
    table = [
        ("POST", "messages", say),
        ("POST", "callbacks", press),
        ("POST", "links", follow),
        ("POST", "block", block),
        ("POST", "unblock", unblock),
        ("POST", "leave", leave),
        ("POST", "withdraw", withdraw),
        ("GET", "dialogs", show_dialogs),
    ]
    paths = [(method, f"/control/users/{{user:int}}/{name}", work) for method, name, work in table]
    return routes_of(desk, paths)
