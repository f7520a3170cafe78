"""Payment to invite: from Stripe's event posted to the message with the way in at the far end."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from tests.benchmarks.contenders import POSTGRESQL, SQLITE, contenders
from tests.benchmarks.load import percentile, post
from tests.benchmarks.stripe_events import delivery, purchase
from tests.benchmarks.updates import people, starts

if TYPE_CHECKING:
    from pathlib import Path

    from tests.benchmarks.programs import Bot, FarEnd
    from tests.benchmarks.records import Record

PAYMENTS_A_SECOND: Final = 200
IDLE: Final = "Payment to invite, idle"
BUSY: Final = f"Payment to invite, {PAYMENTS_A_SECOND} payments a second"
_ALONE: Final = 30
_SECONDS: Final = 3
_CONNECTIONS: Final = 32


def measure(record: Record, folder: Path, far_end: FarEnd, runs: int) -> None:
    record.note(
        "Each payer has pressed /start before. Each payment makes the product ask Stripe for the"
        " session and the subscription and Telegram for the person's place in the chat."
    )
    with contenders([SQLITE, POSTGRESQL], folder, far_end) as bots:
        for bot in bots:
            _pay(bot, far_end, _guests(bot, far_end, 50), None)
        for _ in range(runs):
            for bot in bots:
                _idle(record, bot, far_end)
                _busy(record, bot, far_end)


def _guests(bot: Bot, far_end: FarEnd, count: int) -> list[int]:
    """Have people press /start, which the bot needs before it may write to them."""
    guests = people(count)
    post(bot.port, starts(guests), _CONNECTIONS)
    far_end.log(count)
    bot.quiet()
    return guests


def _pay(bot: Bot, far_end: FarEnd, payers: list[int], pace: float | None) -> list[float]:
    """Give after how many seconds each payer's invitation was at the far end."""
    requests = [delivery(purchase(payer)) for payer in payers]
    posted = post(bot.port, requests, min(_CONNECTIONS, len(payers)), pace)
    seen = dict(reversed(far_end.log(len(payers))))
    return [seen[payer] - sent for payer, sent in zip(payers, posted.sent, strict=True)]


def _idle(record: Record, bot: Bot, far_end: FarEnd) -> None:
    delays = []
    for guest in _guests(bot, far_end, _ALONE):
        delays += _pay(bot, far_end, [guest], None)
        time.sleep(0.01)
    record.add(IDLE, bot.name, "p50", "ms", percentile(delays, 0.5) * 1000)
    record.add(IDLE, bot.name, "p99", "ms", percentile(delays, 0.99) * 1000)


def _busy(record: Record, bot: Bot, far_end: FarEnd) -> None:
    guests = _guests(bot, far_end, PAYMENTS_A_SECOND * _SECONDS)
    before = bot.cpu_seconds()
    delays = _pay(bot, far_end, guests, PAYMENTS_A_SECOND)
    bot.quiet()
    used = bot.cpu_seconds() - before
    record.add(BUSY, bot.name, "p50", "ms", percentile(delays, 0.5) * 1000)
    record.add(BUSY, bot.name, "p99", "ms", percentile(delays, 0.99) * 1000)
    record.add(BUSY, bot.name, "CPU each", "µs", used / len(guests) * 1e6)
