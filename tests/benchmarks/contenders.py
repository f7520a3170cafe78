"""Who takes part: the product on each database and what people would otherwise use."""

from __future__ import annotations

import sys
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Final

from tests.benchmarks.products import Product, environment, prepare
from tests.benchmarks.programs import Bot, FarEnd
from tests.processes import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

SQLITE: Final = "Velvet Rope, SQLite"
BARE: Final = "bare dispatcher, SQLite"
AIOGRAM: Final = "aiogram"
PTB: Final = "python-telegram-bot"


class Peer(Bot):
    """A program of `tests.benchmarks.peers`."""

    def __init__(self, name: str, module: str, folder: Path, **env: str) -> None:
        command = [sys.executable, "-m", f"tests.benchmarks.peers.{module}"]
        super().__init__(name, command, folder, port=free_port(), **env)


def one(name: str, folder: Path, far_end: FarEnd) -> Bot:
    """Make a contender by its name; whatever it needs to start is prepared."""
    if name == AIOGRAM:
        return Peer(name, "aiogram_bot", folder, FAR_END=far_end.url)
    if name == PTB:
        return Peer(name, "ptb_bot", folder, FAR_END=far_end.url)
    file = folder / f"{name.replace(' ', '-')}.sqlite3"
    env = environment(f"sqlite:///{file}", far_end.url)
    if not file.exists():
        prepare(env)
    return Peer(name, "bare", folder, **env) if name == BARE else Product(name, folder, env)


@contextmanager
def contenders(names: Sequence[str], folder: Path, far_end: FarEnd) -> Iterator[list[Bot]]:
    """Start all who take part; those who aren't measured rest meanwhile."""
    with ExitStack() as stack:
        yield [stack.enter_context(one(name, folder, far_end)) for name in names]


def in_turn(bots: Sequence[Bot], run: int) -> list[Bot]:
    """Give the order of a run: each begins once in a while, so that none always follows another."""
    start = run % len(bots)
    return [*bots[start:], *bots[:start]]
