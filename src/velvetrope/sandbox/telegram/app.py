"""The simulated Telegram as one ASGI app: the Bot API, the control API and the phone."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from starlette.applications import Starlette

from velvetrope.sandbox.faults import Faults
from velvetrope.sandbox.guard import refuse_production
from velvetrope.sandbox.phone import pages
from velvetrope.sandbox.telegram import control, control_people, control_rooms
from velvetrope.sandbox.telegram.calls import Calls
from velvetrope.sandbox.telegram.control_desk import Desk
from velvetrope.sandbox.telegram.delivery import Courier
from velvetrope.sandbox.telegram.stream import Stream
from velvetrope.sandbox.telegram.world import TelegramKnobs, World

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.types import Receive, Scope, Send

    from velvetrope.sandbox.clock import SandboxClock

_READING = {"GET", "HEAD"}


class TelegramSimulator:
    """Serves Bot API calls past the router, and everything else through Starlette."""

    def __init__(self, clock: SandboxClock, stripe_url: str | None) -> None:
        faults = Faults(TelegramKnobs())
        self.courier = Courier(clock, faults)
        self.world = World(clock, self.courier)
        self.calls = Calls(self.world, self.courier, faults)
        self._stream = Stream(self.world, self.calls, self.courier)
        desk = Desk(self.world, self.courier, self.calls, faults, self._stream, stripe_url)
        self._site = Starlette(
            routes=[
                *control.routes(desk),
                *control_rooms.routes(desk),
                *control_people.routes(desk),
                *pages.routes(stripe_url),
            ],
            lifespan=self._lifespan,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            if scope["path"].startswith("/bot"):
                await self.calls(scope, receive, send)
                return
            if scope["method"] not in _READING and _is_foreign(scope):
                await send({"type": "http.response.start", "status": 403, "headers": []})
                await send({"type": "http.response.body", "body": b"Another site asked for this."})
                return
        await self._site(scope, receive, send)

    def stop(self) -> None:
        """End what would keep the server from stopping."""
        self._stream.stop()

    @contextlib.asynccontextmanager
    async def _lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        await self.courier.start()
        try:
            yield
        finally:
            await self.courier.close()


def _is_foreign(scope: Scope) -> bool:
    """Tell whether a page of another site in the reader's browser sent this."""
    headers = dict(scope["headers"])
    origin = headers.get(b"origin")
    return origin is not None and origin != b"http://" + headers.get(b"host", b"")


def create_app(clock: SandboxClock, stripe_url: str | None = None) -> TelegramSimulator:
    """Build the simulator; NotInProduction if the environment serves real people."""
    refuse_production(os.environ)
    return TelegramSimulator(clock, stripe_url)
