"""The control API, part one: makes people and bots, turns knobs, shows what happened."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aiohttp
import msgspec
from starlette.responses import Response, StreamingResponse

from velvetrope.sandbox.telegram import views
from velvetrope.sandbox.telegram.control_desk import Desk, read, reply, routes_of
from velvetrope.sandbox.telegram.state import Person

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.routing import Route


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


class Step(msgspec.Struct, forbid_unknown_fields=True):
    seconds: float


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
    """List the addresses of this part."""
    table = [
        ("POST", "/control/bots", add_bot),
        ("POST", "/control/bots/{bot}/token", replace_token),
        ("POST", "/control/users", add_person),
        ("PATCH", "/control/users/{user:int}", change_person),
        ("GET", "/control/calls", show_calls),
        ("GET", "/control/deliveries", show_deliveries),
        ("GET", "/control/movements", show_movements),
        ("GET", "/control/faults", show_faults),
        ("POST", "/control/faults", set_faults),
        ("GET", "/control/state", show_state),
        ("POST", "/control/time", advance_time),
        ("GET", "/control/stream", show_stream),
    ]
    return routes_of(desk, table)
