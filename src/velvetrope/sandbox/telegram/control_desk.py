"""What all parts of the control API work with: the simulator, and answers in JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, TypeVar

import msgspec
from starlette.responses import Response
from starlette.routing import Route

from velvetrope.sandbox.telegram.world import Unknown

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from starlette.requests import Request

    from velvetrope.sandbox.faults import Faults
    from velvetrope.sandbox.telegram.calls import Calls
    from velvetrope.sandbox.telegram.delivery import Courier
    from velvetrope.sandbox.telegram.stream import Stream
    from velvetrope.sandbox.telegram.world import TelegramKnobs, World

    Work: TypeAlias = Callable[["Desk", Request], Awaitable[Response]]

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


def reply(content: object, status: int = 200) -> Response:
    """Answer in JSON."""
    return Response(msgspec.json.encode(content), status, media_type="application/json")


async def read(request: Request, kind: type[T]) -> T:
    """Read the body as `kind`; ValueError says what is wrong with it."""
    return msgspec.json.decode(await request.body() or b"{}", type=kind)


def _handle(desk: Desk, work: Work) -> Callable[[Request], Awaitable[Response]]:
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


def routes_of(desk: Desk, table: Iterable[tuple[str, str, Work]]) -> list[Route]:
    """Make the routes of a table of methods, paths and what they do."""
    return [Route(path, _handle(desk, work), methods=[method]) for method, path, work in table]
