"""The control API, part three: chats, who is in them, their links and requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from velvetrope.sandbox.telegram import membership, people, views
from velvetrope.sandbox.telegram.control_desk import Desk, read, reply, routes_of
from velvetrope.sandbox.telegram.state import ChatKind, Member, Room, Status
from velvetrope.sandbox.telegram.world import Unknown

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route


class NewRoom(msgspec.Struct, forbid_unknown_fields=True):
    title: str
    kind: ChatKind
    owner: int
    username: str | None = None


class NewMember(msgspec.Struct):
    status: Status
    rights: dict[str, bool] = msgspec.field(default_factory=dict)
    inside: bool = True
    until_date: int = 0
    actor: int | None = None


class NewLink(msgspec.Struct, forbid_unknown_fields=True):
    creates_join_request: bool = False
    member_limit: int | None = None
    expire_date: int | None = None
    name: str | None = None


class Verdict(msgspec.Struct, forbid_unknown_fields=True):
    approve: bool


class Posting(msgspec.Struct, forbid_unknown_fields=True):
    text: str
    author: int | None = msgspec.field(default=None, name="from")


def room_of(desk: Desk, request: Request) -> Room:
    """Find the chat that the path names."""
    return desk.world.room(int(request.path_params["chat"]))


async def add_room(desk: Desk, request: Request) -> Response:
    new = await read(request, NewRoom)
    room = desk.world.add_room(new.kind, new.title, new.owner, new.username)
    return reply(views.show_room(desk.world, room), 201)


async def show_room(desk: Desk, request: Request) -> Response:
    return reply(views.show_room(desk.world, room_of(desk, request)))


async def delete_room(desk: Desk, request: Request) -> Response:
    room = room_of(desk, request)
    room.deleted = True
    desk.world.changes.append(room.id)
    return reply({})


async def upgrade_room(desk: Desk, request: Request) -> Response:
    grown = people.upgrade(desk.world, room_of(desk, request))
    return reply(views.show_room(desk.world, grown), 201)


async def put_member(desk: Desk, request: Request) -> Response:
    room, user_id = room_of(desk, request), int(request.path_params["user"])
    desk.world.user_of(user_id)
    given = msgspec.json.decode(await request.body(), type=dict[str, object])
    new = msgspec.convert(given, NewMember)
    known = membership.rights_of(room)
    flat = {name: value for name, value in given.items() if name.startswith("can_")}
    wanted = msgspec.convert({**new.rights, **flat}, dict[str, bool])
    unknown = sorted(set(wanted) - set(known))
    if unknown:
        raise ValueError(f"A {room.kind} knows no such rights: {', '.join(unknown)}.")
    rights = {right: wanted.get(right, True) for right in known}
    member = Member(
        new.status,
        rights=rights if new.status == "administrator" else {},
        inside=new.inside,
        until_date=new.until_date,
    )
    actor = new.actor or _owner_of(room)
    membership.set_member(desk.world, room, user_id, member, actor=actor)
    return reply(views.show_room(desk.world, room))


async def delete_member(desk: Desk, request: Request) -> Response:
    room, user_id = room_of(desk, request), int(request.path_params["user"])
    if room.member(user_id).is_in:
        actor = _owner_of(room)
        membership.set_member(desk.world, room, user_id, Member("left"), actor=actor)
    return reply(views.show_room(desk.world, room))


def _owner_of(room: Room) -> int:
    return next(i for i, member in room.members.items() if member.status == "creator")


async def decide_request(desk: Desk, request: Request) -> Response:
    """Let the owner approve or decline a join request by hand."""
    room = room_of(desk, request)
    person = desk.world.person(int(request.path_params["user"]))
    approve = (await read(request, Verdict)).approve
    if person.id not in room.requests or room.requests[person.id].state != "pending":
        raise Unknown("No request of that person waits.")
    membership.close_request(
        desk.world, room, person, "approved" if approve else "declined", _owner_of(room)
    )
    return reply(views.show_room(desk.world, room))


async def add_link(desk: Desk, request: Request) -> Response:
    """Make an invite link as the owner of the chat."""
    room, new = room_of(desk, request), await read(request, NewLink)
    link = membership.new_link(desk.world, room, _owner_of(room), **msgspec.structs.asdict(new))
    return reply(membership.describe_link(desk.world, link), 201)


async def revoke_link(desk: Desk, request: Request) -> Response:
    """Revoke any link of a chat as its owner can."""
    room = room_of(desk, request)
    url = (await read(request, dict[str, str])).get("url", "")
    if url not in room.links:
        raise Unknown("The chat has no such link.")
    room.links[url].is_revoked = True
    return reply(membership.describe_link(desk.world, room.links[url]))


async def post(desk: Desk, request: Request) -> Response:
    room, new = room_of(desk, request), await read(request, Posting)
    author = desk.world.person(new.author or _owner_of(room))
    note = people.post(desk.world, author, room, new.text)
    return reply({"id": note.id}, 201)


def routes(desk: Desk) -> list[Route]:
    """List the addresses of this part."""
    table = [
        ("POST", "/control/chats", add_room),
        ("GET", "/control/chats/{chat}", show_room),
        ("DELETE", "/control/chats/{chat}", delete_room),
        ("POST", "/control/chats/{chat}/upgrade", upgrade_room),
        ("PUT", "/control/chats/{chat}/members/{user:int}", put_member),
        ("DELETE", "/control/chats/{chat}/members/{user:int}", delete_member),
        ("POST", "/control/chats/{chat}/requests/{user:int}", decide_request),
        ("POST", "/control/chats/{chat}/links", add_link),
        ("POST", "/control/chats/{chat}/links/revoke", revoke_link),
        ("POST", "/control/chats/{chat}/posts", post),
    ]
    return routes_of(desk, table)
