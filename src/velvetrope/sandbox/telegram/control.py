"""The control API, half one: makes people, bots and chats, turns knobs, shows what happened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import aiohttp
import msgspec
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from velvetrope.sandbox.telegram import membership, people, views
from velvetrope.sandbox.telegram.state import ChatKind, Member, Person, Room, Status
from velvetrope.sandbox.telegram.world import Unknown

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request

    from velvetrope.sandbox.faults import Faults
    from velvetrope.sandbox.telegram.calls import Calls
    from velvetrope.sandbox.telegram.delivery import Courier
    from velvetrope.sandbox.telegram.stream import Stream
    from velvetrope.sandbox.telegram.world import TelegramKnobs, World

T = TypeVar("T")


@dataclass(slots=True, frozen=True)
class Desk:
    """What the control API handles."""

    world: World
    courier: Courier
    calls: Calls
    faults: Faults[TelegramKnobs]
    stream: Stream
    #: Where the Stripe simulator lives, which moves the time; None moves the clock alone.
    stripe_url: str | None


class NewBot(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    username: str
    token: str | None = None


class NewPerson(msgspec.Struct, forbid_unknown_fields=True):
    first_name: str
    last_name: str | None = None
    username: str | None = None
    language_code: str | None = None
    id: int = 0


class PersonChanges(msgspec.Struct, forbid_unknown_fields=True):
    first_name: str | None = None
    language_code: str | None = None
    deactivated: bool | None = None
    too_many_chats: bool | None = None


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


class Step(msgspec.Struct, forbid_unknown_fields=True):
    seconds: float


def reply(content: object, status: int = 200) -> Response:
    """Answer in JSON."""
    return Response(msgspec.json.encode(content), status, media_type="application/json")


async def read(request: Request, kind: type[T]) -> T:
    """Read the body as `kind`; ValueError says what is wrong with it."""
    return msgspec.json.decode(await request.body() or b"{}", type=kind)


def handle(
    desk: Desk, work: Callable[[Desk, Request], Awaitable[Response]]
) -> Callable[[Request], Awaitable[Response]]:
    """Turn what goes wrong in `work` into JSON that says so."""

    async def answer(request: Request) -> Response:
        try:
            return await work(desk, request)
        except Unknown as error:
            return reply({"error": str(error.args[0])}, 404)
        except PermissionError as error:
            return reply({"error": str(error)}, 403)
        except (ValueError, KeyError) as error:
            return reply({"error": str(error)}, 400)

    return answer


def room_of(desk: Desk, request: Request) -> Room:
    """Find the chat that the path names."""
    return desk.world.room(int(request.path_params["chat"]))


async def add_bot(desk: Desk, request: Request) -> Response:
    new = await read(request, NewBot)
    bot = desk.world.add_bot(new.name, new.username, new.token)
    desk.world.changes.append(0)
    return reply({"id": bot.id, "token": bot.token, "username": bot.username}, 201)


async def replace_token(desk: Desk, request: Request) -> Response:
    """Revoke a bot's token and give it another, as BotFather does."""
    bot = desk.world.bot(request.path_params["bot"])
    desk.world.replace_token(bot)
    return reply({"id": bot.id, "token": bot.token, "username": bot.username})


async def add_person(desk: Desk, request: Request) -> Response:
    new = await read(request, NewPerson)
    person = Person(new.id, new.first_name, new.last_name, new.username, new.language_code)
    return reply(views.show_person(desk.world.add_person(person)), 201)


async def change_person(desk: Desk, request: Request) -> Response:
    person = desk.world.person(int(request.path_params["user"]))
    changes = await read(request, PersonChanges)
    for name, value in msgspec.structs.asdict(changes).items():
        if value is not None:
            setattr(person, name, value)
    desk.world.changes.append(person.id)
    return reply(views.show_person(person))


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


async def show_calls(desk: Desk, request: Request) -> Response:
    after = int(request.query_params.get("after", "0"))
    found = desk.calls.log.after(after, int(request.query_params.get("limit", "1000")))
    shown = [views.show_call(desk.world, number, call) for number, call in found]
    return reply({"calls": shown, "last": desk.calls.log.last})


async def show_deliveries(desk: Desk, request: Request) -> Response:
    after = int(request.query_params.get("after", "0"))
    limit = int(request.query_params.get("limit", "1000"))
    found = desk.courier.deliveries.after(after, limit)
    shown = [views.show_delivery(desk.world, number, d) for number, d in found]
    return reply({"deliveries": shown, "last": desk.courier.deliveries.last})


async def show_movements(desk: Desk, request: Request) -> Response:
    """Tell who came into which chat, or left it, and who let them or put them out."""
    after = int(request.query_params.get("after", "0"))
    found = desk.world.movements.after(after, int(request.query_params.get("limit", "1000")))
    shown = [{"number": number, **msgspec.to_builtins(one)} for number, one in found]
    return reply({"movements": shown, "last": desk.world.movements.last})


async def show_faults(desk: Desk, _request: Request) -> Response:
    return reply(desk.faults.knobs)


async def set_faults(desk: Desk, request: Request) -> Response:
    knobs = desk.faults.configure(await request.body())
    desk.courier.pump_all()
    return reply(knobs)


async def show_state(desk: Desk, _request: Request) -> Response:
    world = desk.world
    return reply(
        {
            "sandbox": "Velvet Rope sandbox: not Telegram",
            "now": world.clock.now(),
            "offset": world.clock.offset,
            "stripe": desk.stripe_url,
            "bots": [views.show_bot(bot, desk.courier) for bot in world.bots.values()],
            "users": [views.show_person(person) for person in world.people.values()],
            "chats": [
                {"id": room.id, "title": room.title, "kind": room.kind}
                for room in world.rooms.values()
            ],
            "knobs": desk.faults.knobs,
        }
    )


async def advance_time(desk: Desk, request: Request) -> Response:
    """Move the sandbox's time; the Stripe simulator does it, for renewals fall due on the way."""
    step = await read(request, Step)
    if desk.stripe_url is None:
        desk.world.clock.advance(step.seconds)
        return reply({"now": desk.world.clock.now(), "offset": desk.world.clock.offset})
    # A year of renewals takes its time, and the phone waits for it.
    timeout = aiohttp.ClientTimeout(total=120)
    async with (
        aiohttp.ClientSession(timeout=timeout) as session,
        session.post(f"{desk.stripe_url}/control/clock", json={"seconds": step.seconds}) as answer,
    ):
        if not answer.ok:
            return reply({"error": f"The Stripe simulator answered {answer.status}."}, 502)
    return reply({"now": desk.world.clock.now(), "offset": desk.world.clock.offset})


async def show_stream(desk: Desk, _request: Request) -> Response:
    return StreamingResponse(
        desk.stream.events(),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


def routes(desk: Desk) -> list[Route]:
    """List the addresses of this half."""
    table = [
        ("POST", "/control/bots", add_bot),
        ("POST", "/control/bots/{bot}/token", replace_token),
        ("POST", "/control/users", add_person),
        ("PATCH", "/control/users/{user:int}", change_person),
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
        ("GET", "/control/calls", show_calls),
        ("GET", "/control/deliveries", show_deliveries),
        ("GET", "/control/movements", show_movements),
        ("GET", "/control/faults", show_faults),
        ("POST", "/control/faults", set_faults),
        ("GET", "/control/state", show_state),
        ("POST", "/control/time", advance_time),
        ("GET", "/control/stream", show_stream),
    ]
    return [Route(path, handle(desk, work), methods=[method]) for method, path, work in table]
