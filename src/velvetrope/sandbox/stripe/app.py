"""The look-alike as one ASGI app: the API, the hosted pages and the control API."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from velvetrope.sandbox.guard import refuse_production

from .api import Api
from .control import table
from .pages import site
from .simulator import Simulator

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.types import ASGIApp, Receive, Scope, Send

    from velvetrope.sandbox.clock import SandboxClock

_METHODS = ["GET", "POST", "DELETE", "PUT", "PATCH"]
_READING = {"GET", "HEAD"}


class _OwnPagesOnly:
    """Refuses what a page of another site in a person's browser sends."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] not in _READING:
            headers = dict(scope["headers"])
            origin = headers.get(b"origin", b"").decode("latin-1")
            host = headers.get(b"host", b"").decode("latin-1").rpartition(":")[0]
            if origin and urlsplit(origin).hostname != host:
                refusal = PlainTextResponse("Another site asked for this.", 403)
                await refusal(scope, receive, send)
                return
        await self._app(scope, receive, send)


def create_app(clock: SandboxClock, product: str | None = None) -> Starlette:
    """Build the look-alike; `product` is where the product is served.

    NotInProduction if the environment serves real people.
    """
    refuse_production(os.environ)
    simulator = Simulator(clock, product)
    api = Api(simulator)

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with simulator.running():
            yield

    return Starlette(
        routes=[
            Route("/v1/{path:path}", api.answer, methods=_METHODS),
            *table.routes(simulator),
            *site.routes(simulator),
        ],
        middleware=[Middleware(_OwnPagesOnly)],
        lifespan=lifespan,
    )
