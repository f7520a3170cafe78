"""Runs both simulators in one process: `python -m velvetrope.sandbox --telegram 0 --stripe 0`."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import uvloop

from velvetrope.sandbox.clock import SandboxClock
from velvetrope.sandbox.guard import NotInProduction, refuse_production
from velvetrope.sandbox.server import address_of, bind_loopback, serve
from velvetrope.sandbox.way_back import WayBack

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT; prints one JSON line with the addresses when ready."""
    parser = argparse.ArgumentParser(
        prog="python -m velvetrope.sandbox",
        description="A Telegram and a Stripe to play with; nothing leaves this machine.",
    )
    parser.add_argument(
        "--telegram", type=int, default=0, metavar="PORT", help="0 takes a free one"
    )
    parser.add_argument("--stripe", type=int, default=0, metavar="PORT", help="0 takes a free one")
    parser.add_argument("--clock", type=Path, metavar="FILE", help="keeps how far time was moved")
    parser.add_argument("--product", metavar="URL", help="where the product is served")
    options = parser.parse_args(arguments)
    try:
        refuse_production(os.environ)
        uvloop.run(run(options))
    except NotInProduction as error:
        print(error, file=sys.stderr)
        return 2
    except OSError as error:
        print(f"The sandbox can't listen: {error.strerror}.", file=sys.stderr)
        return 1
    return 0


async def run(options: argparse.Namespace) -> None:
    """Serve both simulators with the options of the command line."""
    from velvetrope.sandbox.stripe.app import create_app as create_stripe  # noqa: PLC0415  slow
    from velvetrope.sandbox.telegram.app import create_app as create_telegram  # noqa: PLC0415  slow

    clock = SandboxClock(options.clock)
    telegram_socket, stripe_socket = bind_loopback(options.telegram), bind_loopback(options.stripe)
    telegram_url, stripe_url = address_of(telegram_socket), address_of(stripe_socket)
    telegram = create_telegram(clock, stripe_url)
    stripe = WayBack(create_stripe(clock, options.product), telegram_url)
    ready = asyncio.Event()

    async def announce() -> None:
        await ready.wait()
        line = {"telegram": telegram_url, "stripe": stripe_url, "pid": os.getpid()}
        print(json.dumps(line), flush=True)

    announcing = asyncio.create_task(announce())
    await serve([(telegram, telegram_socket), (stripe, stripe_socket)], ready, [telegram.stop])
    await announcing


if __name__ == "__main__":
    sys.exit(main())
