"""Who takes part: the product on each database and what people would otherwise use."""

from __future__ import annotations

import subprocess
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.benchmarks.products import Deployment, Product, environment, prepare
from tests.benchmarks.programs import Bot, FarEnd
from tests.processes import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SQLITE: Final = "Velvet Rope, SQLite"
POSTGRESQL: Final = "Velvet Rope, PostgreSQL"
BARE: Final = "bare dispatcher, SQLite"
AIOGRAM: Final = "aiogram"
PTB: Final = "python-telegram-bot"
DJSTRIPE: Final = "dj-stripe, SQLite, gunicorn"
#: Has what `requirements/benchmarks.txt` names; `make bench` sees to it.
_ENVIRONMENT: Final = Path("build/bench-venv/bin/python")


class Peer(Bot):
    """A program of `tests.benchmarks.peers`."""

    def __init__(
        self, name: str, module: str, folder: Path, python: str = sys.executable, **env: str
    ) -> None:
        command = [python, "-m", f"tests.benchmarks.peers.{module}"]
        super().__init__(name, command, folder, port=free_port(), **env)


def one(name: str, folder: Path, far_end: FarEnd, *, bots: int = 1) -> Bot:
    """Make a contender by its name; whatever it needs to start is prepared."""
    file = folder / f"{name.replace(' ', '-')}.sqlite3"
    if name == AIOGRAM:
        return Peer(name, "aiogram_bot", folder, FAR_END=far_end.url)
    if name == PTB:
        return Peer(name, "ptb_bot", folder, FAR_END=far_end.url)
    if name == DJSTRIPE:
        python = str(_ENVIRONMENT.absolute())
        return Peer(name, "djstripe_view", folder, python, DJSTRIPE_DATABASE=str(file))
    if name == POSTGRESQL:
        return Deployment(name, folder, far_end.url, "--bots", str(bots))
    env = environment(f"sqlite:///{file}", far_end.url)
    if not file.exists():
        prepare(env, "--bots", str(bots))
    return Peer(name, "bare", folder, **env) if name == BARE else Product(name, folder, env)


def bulk(bot: Bot, each: int, first: int) -> None:
    """Give every bot of an installation so many messages to send, to chats of their own."""
    command = [sys.executable, "-m", "tests.benchmarks.rows"]
    options = ["--messages", str(each), "--first", str(first)]
    subprocess.run([*command, *options], env=dict(bot.env), check=True)


@contextmanager
def contenders(names: Sequence[str], folder: Path, far_end: FarEnd) -> Iterator[list[Bot]]:
    """Start all who take part; those who aren't measured rest meanwhile."""
    with ExitStack() as stack:
        yield [stack.enter_context(one(name, folder, far_end)) for name in names]


def in_turn(bots: Sequence[Bot], run: int) -> list[Bot]:
    """Give the order of a run: each begins once in a while, so that none always follows another."""
    start = run % len(bots)
    return [*bots[start:], *bots[:start]]
