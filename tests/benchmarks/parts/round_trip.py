"""Round trip: from /start posted to the message at the far end, idle and by a thousand people."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from tests.benchmarks.contenders import AIOGRAM, POSTGRESQL, PTB, SQLITE, contenders, in_turn
from tests.benchmarks.load import percentile, post
from tests.benchmarks.updates import people, starts

if TYPE_CHECKING:
    from pathlib import Path

    from tests.benchmarks.programs import Bot, FarEnd
    from tests.benchmarks.records import Record

CHATS: Final = 1_000
CONNECTIONS: Final = 32
ALONE: Final = 60
SUSTAINED: Final = f"Round trip, {CHATS:,} chats at once"
IDLE: Final = "Round trip, idle"


def measure(record: Record, folder: Path, far_end: FarEnd, runs: int) -> None:
    with contenders([SQLITE, POSTGRESQL, AIOGRAM, PTB], folder, far_end) as bots:
        for bot in bots:
            post(bot.port, starts(people(200)), CONNECTIONS)
            far_end.log(200)
            bot.quiet()
        for run in range(runs):
            for bot in in_turn(bots, run):
                _sustained(record, bot, far_end)
                _idle(record, bot, far_end)


def _sustained(record: Record, bot: Bot, far_end: FarEnd) -> None:
    count = CHATS * bot.answers_each
    requests = starts(people(CHATS), bot.answers_each)
    before = bot.cpu_seconds()
    posted = post(bot.port, requests, CONNECTIONS)
    seen = far_end.log(count)
    used = bot.cpu_seconds() - before
    last = max(at for _, at in seen)
    record.add(SUSTAINED, bot.name, "answered", "/s", count / (last - min(posted.sent)))
    record.add(SUSTAINED, bot.name, "acknowledged, p99", "ms", posted.milliseconds(0.99))
    record.add(SUSTAINED, bot.name, "CPU each", "µs", used / count * 1e6)
    bot.quiet()


def _idle(record: Record, bot: Bot, far_end: FarEnd) -> None:
    delays = []
    for user in people(ALONE):
        posted = post(bot.port, starts([user]), 1)
        ((_, at),) = far_end.log(1)
        delays.append(at - posted.sent[0])
        time.sleep(0.01)
    record.add(IDLE, bot.name, "p50", "ms", percentile(delays, 0.5) * 1000)
    record.add(IDLE, bot.name, "p99", "ms", percentile(delays, 0.99) * 1000)
