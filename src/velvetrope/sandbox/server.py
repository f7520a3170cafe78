"""Serves several ASGI apps in one process and lets an app drop the connection it answers on."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from typing import TYPE_CHECKING

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from starlette.types import ASGIApp, Receive, Scope

_EXTENSION = "velvetrope.sandbox.drop"


class DroppableProtocol(HttpToolsProtocol):
    """uvicorn's protocol, with the way to cut the connection offered to the app."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope.setdefault("extensions", {})[_EXTENSION] = {"abort": self.transport.abort}


async def drop_connection(scope: Scope, receive: Receive) -> None:
    """Cut the connection of this request without an answer; RuntimeError on another server."""
    extension = scope.get("extensions", {}).get(_EXTENSION)
    if extension is None:
        raise RuntimeError("This server can't drop connections; run the app by serve().")
    extension["abort"]()
    while (await receive())["type"] != "http.disconnect":
        pass


def bind_loopback(port: int) -> socket.socket:
    """Listen on 127.0.0.1; port 0 takes a free one."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(2048)
    listener.setblocking(False)  # noqa: FBT003  the standard library's signature
    return listener


def address_of(listener: socket.socket) -> str:
    """Give the http address of a listening socket, without a slash at the end."""
    return f"http://127.0.0.1:{listener.getsockname()[1]}"


class _Server(uvicorn.Server):
    """A uvicorn server that leaves signals to whoever runs several of them."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.answers = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.answers.set()


async def serve(
    apps: Sequence[tuple[ASGIApp, socket.socket]],
    ready: asyncio.Event,
    on_stop: Sequence[Callable[[], None]] = (),
) -> None:
    """Serve each app on its socket until SIGINT or SIGTERM; sets `ready` once all answer.

    What `on_stop` holds is called when a signal comes, to end answers that would go on for ever.
    """
    servers = [
        _Server(
            uvicorn.Config(
                app,
                http=DroppableProtocol,
                log_config=None,
                access_log=False,
                lifespan="on",
                ws="none",
                timeout_graceful_shutdown=2,
                timeout_keep_alive=75,
            )
        )
        for app, _ in apps
    ]
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, _stop, servers, on_stop)
    async with asyncio.TaskGroup() as group:
        for server, (_, listener) in zip(servers, apps, strict=True):
            group.create_task(server.serve(sockets=[listener]))
        for server in servers:
            await server.answers.wait()
        ready.set()


def _stop(servers: Sequence[uvicorn.Server], on_stop: Sequence[Callable[[], None]]) -> None:
    for call in on_stop:
        call()
    for server in servers:
        server.should_exit = True
