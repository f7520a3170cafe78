"""`velvetrope demo`: the whole product beside its sandbox, to look at or to be played through."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import aiohttp

from velvetrope.sandbox.guard import NotInProduction, refuse_production
from velvetrope.sandbox.handset import Control, SandboxError
from velvetrope.sandbox.journey import Log, StepFailedError, play
from velvetrope.sandbox.stage import OPERATOR, STRIPE_KEY, Stage, StageError
from velvetrope.sandbox.world import World, build_world

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

FOLDER: Final = Path("data/demo")
PORT: Final = 8000
PHONE_PORT: Final = 8001
STRIPE_PORT: Final = 8002


def run(options: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Run until Ctrl-C, or until the script is through; gives the exit code."""
    try:
        refuse_production(environment)
        return asyncio.run(_run(options))
    except NotInProduction as error:
        print(error, file=sys.stderr)
        return 2
    except (StageError, SandboxError, OSError, aiohttp.ClientError) as error:
        print(f"The demo could not start. {error}", file=sys.stderr)
        return 1


async def _run(options: argparse.Namespace) -> int:
    free = options.script
    stage = Stage(
        folder=options.folder or (Path(tempfile.mkdtemp()) / "demo" if free else FOLDER),
        port=_port(options.port, PORT, free=free),
        phone_port=_port(options.phone_port, PHONE_PORT, free=free),
        stripe_port=_port(options.stripe_port, STRIPE_PORT, free=free),
        database_url=options.database,
    )
    began = time.perf_counter()
    stage.clean()
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    async with aiohttp.ClientSession() as session:
        try:
            world = await _open(stage, session)
            print(f"Ready after {time.perf_counter() - began:.1f} s.\n", flush=True)
            if options.script:
                return await _play(stage, session, world)
            _print_addresses(stage, world)
            print("Ctrl-C stops it.", flush=True)
            await _wait(stage, stopping)
            return 1 if stage.fallen() else 0
        finally:
            await stage.close()


async def _open(stage: Stage, session: aiohttp.ClientSession) -> World:
    """Start both parts, people the sandbox, and connect the bot as an operator would."""
    await stage.open_sandbox()
    world = await build_world(stage.telegram_url, stage.stripe_url, stripe_key=STRIPE_KEY)
    await stage.open_product()
    stripe = Control(session, stage.stripe_url)
    await stripe.post(
        "webhook_endpoints",
        {
            "account": STRIPE_KEY,
            "url": f"{stage.product_url}/stripe/bots/webhooks",
            "secret": stage.signing_secret,
        },
    )
    prices = [part for price in world.price_ids for part in ("--price", price)]
    await stage.command(
        "bots",
        "add",
        "--token",
        "-",
        "--chat",
        str(world.chat_id),
        *prices,
        "--name",
        "Demo",
        "--json",
        stdin=world.bot_token,
    )
    return world


async def _play(stage: Stage, session: aiohttp.ClientSession, world: World) -> int:
    log = Log(lambda line: print(line, flush=True))
    telegram, stripe = Control(session, stage.telegram_url), Control(session, stage.stripe_url)
    try:
        await play(telegram, stripe, world, log)
    except StepFailedError as error:
        print(f"\nThe journey failed at: {error}. Logs: {stage.folder}/*.log", file=sys.stderr)
        return 1
    total = sum(took for _, took in log.steps)
    print(f"\nAll {len(log.steps)} steps in {total:.1f} s.")
    return 0


async def _wait(stage: Stage, stopping: asyncio.Event) -> None:
    while not stopping.is_set() and not stage.fallen():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), 0.5)


def _print_addresses(stage: Stage, world: World) -> None:
    print(f"  The phone    {stage.telegram_url}/")
    print(f"  The console  {stage.product_url}/admin/   {OPERATOR} / {stage.operator_password}")
    print(f"  The metrics  {stage.product_url}/metrics")
    print(f"\nOn the phone, open «{world.bot_name}» and press START.\n", flush=True)


def _port(wanted: int, usual: int, *, free: bool) -> int:
    """Give the port; a script, or a usual port that is taken, gets a free one."""
    if wanted and (wanted != usual or not free):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", wanted))
            except OSError:
                if wanted != usual:
                    raise OSError(f"Port {wanted} is taken: choose another.") from None
            else:
                return wanted
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        found: int = probe.getsockname()[1]
        return found
