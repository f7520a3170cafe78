"""The product under measurement: an installation with one bot, on either database."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING, Final
from urllib.request import urlopen

from tests.benchmarks import stripe_events
from tests.benchmarks.programs import Bot
from tests.processes import ENCRYPTION_KEY, SECRET_KEY, child_environment, free_port

if TYPE_CHECKING:
    from pathlib import Path

_COMMAND: Final = (sys.executable, "-m", "velvetrope")
_AT_REST: Final = ("velvetrope_events_in_hand ", "velvetrope_items_in_hand ")


def environment(database_url: str, far_end: str) -> dict[str, str]:
    """Give the settings of an installation whose vendors are the far end."""
    return {
        "VELVETROPE_ENV": "development",
        "VELVETROPE_DATABASE_URL": database_url,
        "VELVETROPE_SECRET_KEY": SECRET_KEY,
        "VELVETROPE_ENCRYPTION_KEYS": ENCRYPTION_KEY,
        "VELVETROPE_STRIPE_WEBHOOK_SECRETS": stripe_events.SECRET,
        "VELVETROPE_STRIPE_API_KEY": "sk_test_" + "x" * 24,
        "VELVETROPE_TELEGRAM_API_URL": far_end,
        "VELVETROPE_STRIPE_API_URL": far_end,
        "VELVETROPE_PUBLIC_URL": "https://bench.example",
        "VELVETROPE_LOG_FORMAT": "json",
    }


def prepare(env: dict[str, str], *rows: str) -> None:
    """Bring a database up to date and fill it; `rows` are arguments of the module for that."""
    whole = child_environment(**env)
    subprocess.run([*_COMMAND, "migrate"], env=whole, check=True, stdout=subprocess.DEVNULL)
    filling = [sys.executable, "-m", "tests.benchmarks.rows", *rows]
    subprocess.run(filling, env=whole, check=True)


class Product(Bot):
    """The server of an installation; with other roles than `all` one process for each."""

    answers_each = 4

    def __init__(self, name: str, folder: Path, env: dict[str, str], role: str = "all") -> None:
        port = free_port()
        command = [*_COMMAND, "serve", "--role", role, "--port"]
        super().__init__(name, command, folder, port=port, **env)

    def quiet(self) -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with urlopen(f"http://127.0.0.1:{self.port}/metrics") as answer:
                lines = answer.read().decode().splitlines()
            if all(line.endswith(" 0.0") for line in lines if line.startswith(_AT_REST)):
                return
            time.sleep(0.05)
        raise AssertionError(f"{self.name} did not come to rest")
