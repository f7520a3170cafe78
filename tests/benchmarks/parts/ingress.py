"""Ingress: what is acknowledged of updates that are answered, and of those that nobody answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.benchmarks.contenders import AIOGRAM, BARE, POSTGRESQL, PTB, SQLITE, contenders, in_turn
from tests.benchmarks.load import post
from tests.benchmarks.updates import left_alone, people, starts

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.benchmarks.programs import Bot, FarEnd
    from tests.benchmarks.records import Record

    Make = Callable[[int], list[bytes]]

CONNECTIONS: Final = (8, 32, 128)
LEFT_ALONE: Final = "Ingress of updates that nobody answers, 32 connections"
#: Posted in one measurement: the same to everybody, since a short burst is acknowledged quickly by
#: who puts off what it has to do.
_STARTS: Final = 1_500
_LEFT_ALONE: Final = 5_000


def answered(connections: int) -> str:
    return f"Ingress of /start, {connections} connections"


def _of_new_people(count: int) -> list[bytes]:
    return starts(people(count))


def _of_no_interest(count: int) -> list[bytes]:
    return list(left_alone(count))


def measure(record: Record, folder: Path, far_end: FarEnd, runs: int) -> None:
    with contenders([SQLITE, POSTGRESQL, AIOGRAM, PTB, BARE], folder, far_end) as bots:
        kinds: dict[Make, list[Bot]] = {
            _of_new_people: [bot for bot in bots if bot.name != BARE],
            _of_no_interest: bots,
        }
        for make, some in kinds.items():
            for bot in some:
                post(bot.port, make(_STARTS // 4), 32)
                bot.quiet()
        for run in range(runs):
            for connections in CONNECTIONS:
                for bot in in_turn(kinds[_of_new_people], run):
                    requests = _of_new_people(_STARTS)
                    _take(record, answered(connections), bot, requests, connections)
                    far_end.log()
            for bot in in_turn(bots, run):
                requests = _of_no_interest(_LEFT_ALONE)
                _take(record, LEFT_ALONE, bot, requests, 32)


def _take(record: Record, group: str, bot: Bot, requests: list[bytes], connections: int) -> None:
    before = bot.cpu_seconds()
    posted = post(bot.port, requests, connections)
    bot.quiet()
    used = bot.cpu_seconds() - before
    record.add(group, bot.name, "acknowledged", "/s", posted.rate)
    record.add(group, bot.name, "p50", "ms", posted.milliseconds(0.5))
    record.add(group, bot.name, "p99", "ms", posted.milliseconds(0.99))
    record.add(group, bot.name, "CPU each", "µs", used / len(requests) * 1e6)
