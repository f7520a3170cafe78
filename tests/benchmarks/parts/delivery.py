"""Delivery: Telegram's 30 messages a second held for one bot, and for a hundred at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.benchmarks.contenders import SQLITE, bulk, one
from tests.benchmarks.programs import FarEnd

if TYPE_CHECKING:
    from pathlib import Path

    from tests.benchmarks.programs import Bot
    from tests.benchmarks.records import Record

LIMIT: Final = 30
BOTS: Final = 100
ONE: Final = "Delivery, one bot"
MANY: Final = f"Delivery, {BOTS} bots"
_EACH_ALONE: Final = 150
_EACH_OF_MANY: Final = 40


def measure(record: Record, folder: Path, far_end: FarEnd, runs: int) -> None:  # noqa: ARG001  has its own
    record.note(
        f"The far end refuses with 429 what a bot sends beyond {LIMIT} messages within any second."
    )
    with FarEnd(folder, limit=LIMIT) as strict:
        for group, bots, each in ((ONE, 1, _EACH_ALONE), (MANY, BOTS, _EACH_OF_MANY)):
            place = folder / str(bots)
            place.mkdir()
            with one(SQLITE, place, strict, bots=bots) as bot:
                for run in range(runs):
                    _deliver(record, group, bot, strict, bots * each, run * each, each)


def _deliver(
    record: Record, group: str, bot: Bot, far_end: FarEnd, count: int, first: int, each: int
) -> None:
    refused = far_end.refused()
    bulk(bot, each, first)
    times = sorted(at for _, at in far_end.log(count))
    bot.quiet()
    record.add(group, bot.name, "sent", "/s", (count - 1) / (times[-1] - times[0]))
    record.add(group, bot.name, "refused", "", far_end.refused() - refused)
