"""Stripe's events at the door: against dj-stripe's view, which stores them as well."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.benchmarks.contenders import DJSTRIPE, SQLITE, contenders, in_turn
from tests.benchmarks.load import post
from tests.benchmarks.peers.djstripe_view import settings as djstripe
from tests.benchmarks.stripe_events import WEBHOOK, delivery, of_no_interest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.benchmarks.programs import Bot, FarEnd
    from tests.benchmarks.records import Record

GROUP: Final = "Ingress of Stripe's events, 32 connections"
_CONNECTIONS: Final = 32
_COUNTS: Final = {SQLITE: 4_000, DJSTRIPE: 300}


def measure(record: Record, folder: Path, far_end: FarEnd, runs: int) -> None:
    with contenders([SQLITE, DJSTRIPE], folder, far_end) as bots:
        for bot in bots:
            post(bot.port, _requests(bot, 100), _CONNECTIONS)
            bot.quiet()
        for run in range(runs):
            for bot in in_turn(bots, run):
                _take(record, bot)


def _requests(bot: Bot, count: int) -> list[bytes]:
    path = djstripe.WEBHOOK if bot.name == DJSTRIPE else WEBHOOK
    return [delivery(of_no_interest(), path) for _ in range(count)]


def _take(record: Record, bot: Bot) -> None:
    requests = _requests(bot, _COUNTS[bot.name])
    before = bot.cpu_seconds()
    posted = post(bot.port, requests, _CONNECTIONS)
    bot.quiet()
    used = bot.cpu_seconds() - before
    record.add(GROUP, bot.name, "acknowledged", "/s", posted.rate)
    record.add(GROUP, bot.name, "p50", "ms", posted.milliseconds(0.5))
    record.add(GROUP, bot.name, "p99", "ms", posted.milliseconds(0.99))
    record.add(GROUP, bot.name, "CPU each", "µs", used / len(requests) * 1e6)
