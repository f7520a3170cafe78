"""Serves webhooks, console, health and metrics until it is told to stop."""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
import sys
from contextlib import contextmanager
from threading import Event
from time import monotonic
from typing import TYPE_CHECKING, Final, cast

import structlog
import uvicorn

from velvetrope.cli.failures import CommandError, Exit
from velvetrope.cli.opening import prepare, read_settings, require_migrations

if TYPE_CHECKING:
    import argparse
    import asyncio
    from collections.abc import Callable, Iterator
    from types import FrameType

    from velvetrope.settings import Settings

log = structlog.get_logger()

#: Seconds for requests in flight when the process is asked to stop; with the application's own
#: (web/asgi.py) it is less than ten in all.
PATIENCE: Final = 3
#: Seconds for which a web process serves on after it said at /up that it leaves: a proxy that asks
#: every second sends no request into the closing door.
FAREWELL: Final = 2.0
#: How long one thread may keep the others waiting: a heavy page must not hold a webhook up.
SWITCH_SECONDS: Final = 0.0005
_BACKLOG: Final = 2048


def serve(options: argparse.Namespace) -> int:
    """Bind first, then open everything; says where it serves once it does."""
    settings = read_settings()
    if options.role != "all" and settings.database.path is not None:
        raise CommandError(
            "SQLite is served by one process that does everything",
            where=f"--role {options.role}",
            remedy="Leave the role out, or keep the data in PostgreSQL (VELVETROPE_DATABASE_URL)",
            code=Exit.USAGE,
        )
    with _listen(options.host, options.port) as listener:
        url = _address(listener)
        if not settings.public_url_given:
            settings = settings.reached_at(url)
        prepare(settings, level=logging.INFO)
        require_migrations(settings)
        _warn_of_small_pool(settings.database.pool_size)
        # In production the console answers to its public name only.
        console = settings.public_url if settings.production else url
        return _run(
            settings,
            listener,
            options.role,
            lambda: _announce(url, console, options.role, as_json=options.json),
        )


def _warn_of_small_pool(size: int | None) -> None:
    from velvetrope.web.django_config import CONNECTIONS  # noqa: PLC0415  Django is set up by now

    if size is not None and size < CONNECTIONS:
        log.warning("pool_smaller_than_threads", pool_size=size, threads=CONNECTIONS)


def _run(
    settings: Settings, listener: socket.socket, role: str, on_ready: Callable[[], None]
) -> int:
    from velvetrope import bootstrap  # noqa: PLC0415  reaches the models
    from velvetrope.store.serving import serve_alone  # noqa: PLC0415  the same
    from velvetrope.web.asgi import create_app  # noqa: PLC0415  the same
    from velvetrope.web.connections import House, room_for_connections  # noqa: PLC0415  the same

    # Fails in words before the server's own start does with a trace; that one takes it for good.
    if settings.database.path is not None:
        serve_alone().close()
    sys.setswitchinterval(SWITCH_SECONDS)
    chosen, leaving = bootstrap.Role(role), Event()
    house = House(room_for_connections())
    config = uvicorn.Config(
        create_app(bootstrap.build(settings), chosen, leaving.is_set),
        loop="uvloop",
        # Called like the class that uvicorn expects, once per connection.
        http=cast("type[asyncio.Protocol]", house.protocol),
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # the product believes the proxies that its settings name
        backlog=_BACKLOG,
        timeout_graceful_shutdown=PATIENCE,
    )
    # Only beside others does it help to say farewell: there a proxy can choose.
    farewell = FAREWELL if chosen is bootstrap.Role.WEB else 0.0
    server = _Server(config, on_ready, leaving, farewell)
    server.run(sockets=[listener])
    return Exit.DONE if server.served else Exit.FAILED


class _Server(uvicorn.Server):
    """uvicorn's server that says when it serves, and ends with 0 when it is asked to stop."""

    def __init__(
        self,
        config: uvicorn.Config,
        on_ready: Callable[[], None],
        leaving: Event,
        farewell: float,
    ) -> None:
        super().__init__(config)
        self._on_ready = on_ready
        self._leaving = leaving
        self._farewell = farewell
        self._leaves_at = 0.0
        self.served = False

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if not self.should_exit:
            self.served = True
            self._on_ready()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Say farewell at the first SIGTERM; whoever asks again, or at a keyboard, doesn't wait."""
        if sig == signal.SIGTERM and not self._leaving.is_set():
            self._leaves_at = monotonic() + self._farewell
            self._leaving.set()
        else:
            super().handle_exit(sig, frame)

    async def on_tick(self, counter: int) -> bool:
        if self._leaving.is_set() and monotonic() >= self._leaves_at:
            self.should_exit = True
        return await super().on_tick(counter)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop on SIGTERM and SIGINT; uvicorn's own way raises them again at the end."""
        signals = (signal.SIGTERM, signal.SIGINT)
        before = {number: signal.signal(number, self.handle_exit) for number in signals}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except (OSError, OverflowError) as error:
        listener.close()
        raise CommandError(
            f"This address can't be listened at ({getattr(error, 'strerror', None) or error})",
            where=f"{host}:{port}",
            remedy="Choose another with --host and --port, or stop who uses it",
        ) from None
    listener.listen(_BACKLOG)
    listener.setblocking(False)  # noqa: FBT003  the standard library's signature
    return listener


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _announce(url: str, console: str, role: str, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"url": url, "pid": os.getpid()}), flush=True)
    elif role == "worker":
        print(f"Velvet Rope works; how it is: {url}/telegram/bots/health", flush=True)
    else:
        print(f"Velvet Rope serves at {url} (the console: {console}/admin/)", flush=True)
