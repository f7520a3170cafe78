"""The product under measurement: one process on SQLite, or web and worker over PostgreSQL."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING, Final, Self
from urllib.request import urlopen

import psycopg

from tests.benchmarks import stripe_events
from tests.benchmarks.programs import Bot, family
from tests.postgres import Server
from tests.processes import ENCRYPTION_KEY, SECRET_KEY, child_environment, free_port

if TYPE_CHECKING:
    from pathlib import Path

_COMMAND: Final = (sys.executable, "-m", "velvetrope")
_UNFINISHED: Final = """
    SELECT (SELECT count(*) FROM store_inboxevent
            WHERE state IN ('pending', 'claimed') AND (due_at IS NULL OR due_at <= now()))
         + (SELECT count(*) FROM store_outboxitem
            WHERE state IN ('pending', 'claimed') AND (due_at IS NULL OR due_at <= now()))
"""
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
    """The server of an installation, in one of its roles."""

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


class Deployment(Product):
    """One web and one worker process over a PostgreSQL of their own, which makes commits durable.

    What PostgreSQL's processes use counts as well.
    """

    def __init__(self, name: str, folder: Path, far_end: str, *rows: str) -> None:
        self._server = Server(folder / "postgresql", durable=True)
        self._rows = rows
        env = environment(self._server.address("postgres"), far_end)
        super().__init__(name, folder, env, "web")
        self._worker = Product("worker", folder, env, "worker")

    def __enter__(self) -> Self:
        self._server.make()
        self._server.start()
        prepare(dict(self.env), *self._rows)
        self._worker.__enter__()
        return super().__enter__()

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        self._worker.__exit__()
        self._server.stop()

    @property
    def pids(self) -> list[int]:
        process = self._server.process
        database = [] if process is None else family(process.pid)
        return [*super().pids, *self._worker.pids, *database]

    def quiet(self) -> None:
        deadline = time.monotonic() + 60
        with psycopg.connect(self._server.address("postgres"), autocommit=True) as connection:
            while time.monotonic() < deadline:
                row = connection.execute(_UNFINISHED).fetchone()
                if row == (0,):
                    return
                time.sleep(0.05)
        raise AssertionError(f"{self.name} did not come to rest")
