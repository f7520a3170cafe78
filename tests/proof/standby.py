"""A process that has loaded the product and starts servers and commands by forking itself.

A start from nothing takes more than a second, a fork some milliseconds; what runs is the same: a
process of its own that serves the front door, and that can be killed at any moment. The file
descriptors of the database are opened after the fork, by whoever uses them.

Standard input holds one JSON object a line: `{"do": "serve"}` answers with the pid once a server
serves; `{"do": "bury", "pid": n}` answers with its exit code once all of it has ended;
`{"do": "command", "arguments": […], …}` runs a command of the command line and answers with its
exit code.

Two things differ from `velvetrope serve`. Vendors that fail are tried again soon, and what is
periodic runs when `/-/tick` is asked for, not as seconds pass: a story takes months within a
second. `/-/calm` answers once nothing is to be done any more.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import io
import json
import logging
import os
import signal
import socket
import sys
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import uvicorn

from velvetrope.cli import commands, opening
from velvetrope.cli.grammar import build_parser

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from velvetrope.bootstrap import Application
    from velvetrope.domain.clock import Clock
    from velvetrope.settings import Settings
    from velvetrope.web.asgi import Asgi, Receive, Scope, Send

TICK, CALM = "/-/tick", "/-/calm"
#: Seconds that a call for calm waits for it.
PATIENCE: Final = 20.0
#: Linux's PR_SET_PDEATHSIG: nothing outlives a test that was killed.
_DIE_WITH_PARENT: Final = 1


def main() -> None:
    """Load everything, then do as standard input says until it ends."""
    settings = opening.read_settings()
    opening.prepare(settings, level=logging.INFO)
    _load()
    # Bound, not listening: nobody else is given the port while no server runs.
    keeper = _bind(int(sys.argv[1]))
    gc.freeze()
    _say({"ready": os.getpid()})
    with keeper:
        _obey(settings, keeper.getsockname()[1])


def _obey(settings: Settings, port: int) -> None:
    for line in sys.stdin:
        order = json.loads(line)
        if order["do"] == "serve":
            _fork(partial(_serve, settings, port))
        elif order["do"] == "bury":
            _, status = os.waitpid(order["pid"], 0)
            _say({"buried": os.waitstatus_to_exitcode(status)})
        else:
            child = _fork(partial(_run, settings, order))
            _, status = os.waitpid(child, 0)
            _say({"code": os.waitstatus_to_exitcode(status)})


def _load() -> None:
    """Import what a server and a command need."""
    from velvetrope import bootstrap  # noqa: F401, PLC0415  reaches the models
    from velvetrope.cli import main as _  # noqa: F401, PLC0415  the same
    from velvetrope.web import asgi, connections, urls  # noqa: F401, PLC0415  the same

    for command in commands.COMMANDS:
        __import__(command.run.partition(":")[0])


def _say(words: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


def _fork(work: Callable[[], int]) -> int:
    """Run `work` in a child and give its pid."""
    child = os.fork()
    if child:
        return child
    code = 1
    die_with_parent()
    try:
        code = work()
    except BaseException:
        logging.getLogger("standby").exception("the child failed")
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def die_with_parent() -> None:
    """Let the kernel kill this process when its parent ends, however that ends."""
    ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)


def _run(settings: Settings, order: dict[str, Any]) -> int:
    """Run a command as `velvetrope …` does once it has opened the installation."""
    from velvetrope.cli import main as cli  # noqa: PLC0415  after Django's set-up

    sys.stdin = io.StringIO(order["stdin"])
    # Open until the process ends: what is said last is flushed by `_fork`.
    sys.stdout = Path(order["out"]).open("w")  # noqa: SIM115
    sys.stderr = Path(order["err"]).open("w")  # noqa: SIM115
    options: argparse.Namespace = build_parser(commands.COMMANDS).parse_args(order["arguments"])
    options.settings = settings
    try:
        return int(cli._load(options.run)(options))
    except Exception as error:  # noqa: BLE001  as the command itself would say it
        return int(cli._explain(options, error))


def _serve(settings: Settings, port: int) -> int:
    from velvetrope.bootstrap import Patience, build  # noqa: PLC0415  after Django's set-up
    from velvetrope.domain.backoff import Backoff  # noqa: PLC0415  the same
    from velvetrope.domain.breaker import BreakerPolicy  # noqa: PLC0415  the same
    from velvetrope.web.connections import House, room_for_connections  # noqa: PLC0415  the same

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    hurry = Patience(
        backoff=Backoff(base=0.03, factor=2.0, cap=0.3, tries=12),
        breakers=BreakerPolicy(cool_down=0.05, cap=0.3, probe_patience=2.0),
    )
    application = build(settings, clock=_clock_of(settings), patience=hurry)
    house = House(room_for_connections())
    config = uvicorn.Config(
        _WithKnobs(application),
        loop="uvloop",
        http=cast("type[asyncio.Protocol]", house.protocol),
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=3,
    )
    with _bind(port) as listener:
        listener.listen(2048)
        listener.setblocking(False)  # noqa: FBT003  the standard library's signature
        _Server(config).run(sockets=[listener])
    return 0


def _bind(port: int) -> socket.socket:
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind(("127.0.0.1", port))
    return bound


def _clock_of(settings: Settings) -> Clock:
    """Give the sandbox's time, read anew each time: a story's leaps follow each other quickly."""
    file = settings.clock_file
    assert file is not None

    def now() -> datetime:
        return datetime.now(UTC) + timedelta(seconds=float(file.read_text(encoding="ascii")))

    return now


class _Server(uvicorn.Server):
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if not self.should_exit:
            _say({"serves": os.getpid()})


class _WithKnobs:
    """The product's front door, with two knobs beside it."""

    def __init__(self, application: Application) -> None:
        from velvetrope.web.asgi import create_app  # noqa: PLC0415  after Django's set-up

        self._application = application
        self._product: Asgi = create_app(application)
        self._quiet = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path")
        if path == TICK:
            await self._tick()
            await _answer(send, {})
        elif path == CALM:
            await _answer(send, {"left": await self._calm()})
        else:
            await self._product(scope, receive, send)

    async def _tick(self) -> None:
        """Run what is periodic, once each; from the first time on nothing else runs it."""
        from velvetrope.pipeline.dispatch.alone import Alone  # noqa: PLC0415  after Django's set-up

        supply = self._application.pipeline._supply
        assert isinstance(supply, Alone)
        ticker = supply.ticker
        if not self._quiet:
            await ticker.stop()
            self._quiet = True
        for one in ticker._periodic:
            await one.run()

    async def _calm(self) -> str:
        """Wait until nothing is in hand, nor could be taken up; tells what is left if it can't."""
        pipeline, deadline = self._application.pipeline, time.monotonic() + PATIENCE
        while True:
            load = pipeline.load()
            busy = load.events or load.items or load.writes_waiting
            if not busy and await pipeline.quiesced():
                return ""
            if time.monotonic() > deadline:
                return repr(load)
            await asyncio.sleep(0.004)


async def _answer(send: Send, words: dict[str, str]) -> None:
    body = json.dumps(words).encode()
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


if __name__ == "__main__":
    main()
