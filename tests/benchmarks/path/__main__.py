"""Measures the durable path: `make bench-path`. Everything runs on this machine, for a minute."""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import uvloop

from tests.benchmarks.path.load import Load, Posted
from tests.benchmarks.path.place import Place
from tests.benchmarks.path.updates import message, unheard_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

CONNECTIONS = 32
CHATS = 1_000
#: Each person writes so often at once: more would meet the pace of one message a second.
EACH = 4


def post(port: int, bodies: Sequence[bytes], connections: int = CONNECTIONS) -> Posted:
    async def run() -> Posted:
        return await Load(port, bodies, connections).run()

    posted = uvloop.run(run())
    if posted.refused:
        raise AssertionError(f"{posted.refused} updates were refused")
    return posted


def percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def show(name: str, values: Sequence[float], unit: str, digits: int = 0) -> float:
    middle = statistics.median(values)
    low, high = min(values), max(values)
    print(f"  {name:44} {middle:10.{digits}f} {unit:8} ({low:.{digits}f}-{high:.{digits}f})")
    return middle


class Bench:
    def __init__(self, place: Place, runs: int) -> None:
        self._place = place
        self._runs = runs
        self._people = iter(range(1_000_000, 9_000_000))

    def people(self, count: int) -> list[int]:
        return [next(self._people) for _ in range(count)]

    def warm_up(self) -> None:
        post(self._place.port, [message(user, "/start") for user in self.people(200)])
        self._place.quiet()
        self._place.log()

    def stored(self, count: int) -> None:
        """Measure what is acknowledged, while what is stored is marked done in the background."""
        rates, p50, p99, cpu = [], [], [], []
        for _ in range(self._runs):
            users = self.people(CHATS)
            bodies = [unheard_of(users[n % CHATS]) for n in range(count)]
            before = self._place.cpu_seconds()
            posted = post(self._place.port, bodies)
            rates.append(count / posted.seconds)
            p50.append(percentile(posted.latencies, 0.5) * 1000)
            p99.append(percentile(posted.latencies, 0.99) * 1000)
            self._place.quiet()
            cpu.append((self._place.cpu_seconds() - before) / count * 1e6)
        print(f"stored events, {CONNECTIONS} connections, {count} each run")
        show("events acknowledged", rates, "/s")
        show("acknowledged after, p50", p50, "ms", 1)
        show("acknowledged after, p99", p99, "ms", 1)
        show("CPU for one, with marking it done", cpu, "µs")

    def path(self) -> None:
        """Measure from the first update posted to the last message at the far end."""
        count = CHATS * EACH
        rates, ack, arrival, cpu = [], [], [], []
        for _ in range(self._runs):
            users = self.people(CHATS)
            bodies = [message(users[n % CHATS], "/start") for n in range(count)]
            before = self._place.cpu_seconds()
            posted = post(self._place.port, bodies)
            seen = self._arrived(count)
            rates.append(count / (max(at for _, at in seen) - min(posted.sent)))
            ack.append(percentile(posted.latencies, 0.99) * 1000)
            arrival.append(percentile(_delays(users, posted, seen), 0.5) * 1000)
            cpu.append((self._place.cpu_seconds() - before) / count * 1e6)
            self._place.quiet()
        print(f"update in, sendMessage at the far end, {CHATS} chats, {count} each run")
        show("updates answered", rates, "/s")
        show("at the far end after, p50 (all at once)", arrival, "ms", 1)
        show("acknowledged after, p99", ack, "ms", 1)
        show("CPU for one", cpu, "µs")

    def idle(self, count: int) -> None:
        """Measure /start on a machine that has nothing else to do."""
        middles, tails = [], []
        for _ in range(self._runs):
            delays = []
            for user in self.people(count):
                posted = post(self._place.port, [message(user, "/start")], 1)
                ((_, at),) = self._arrived(1)
                delays.append(at - posted.sent[0])
                time.sleep(0.01)
            middles.append(percentile(delays, 0.5) * 1000)
            tails.append(percentile(delays, 0.99) * 1000)
        print(f"/start on an idle machine, {count} each run")
        show("at the far end after, p50", middles, "ms", 1)
        show("at the far end after, p99", tails, "ms", 1)

    def _arrived(self, count: int) -> list[tuple[int, float]]:
        seen: list[tuple[int, float]] = []
        deadline = time.monotonic() + 30
        while len(seen) < count:
            if time.monotonic() > deadline:
                raise AssertionError(f"{len(seen)} of {count} messages arrived")
            time.sleep(0.002 if count == 1 else 0.05)
            seen += self._place.log()
        return seen


def _delays(users: Sequence[int], posted: Posted, seen: Sequence[tuple[int, float]]) -> list[float]:
    """Match each person's n-th update with the n-th message to them."""
    asked: dict[int, list[float]] = {user: [] for user in users}
    for number, at in enumerate(posted.sent):
        asked[users[number % len(users)]].append(at)
    answered: dict[int, list[float]] = {user: [] for user in users}
    for user, at in seen:
        answered[user].append(at)
    return [
        there - here
        for user in users
        for here, there in zip(sorted(asked[user]), sorted(answered[user]), strict=True)
    ]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--runs", type=int, default=5)
    options.add_argument("--stored", type=int, default=10_000)
    options.add_argument("--only", choices=("stored", "path", "idle"))
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder, Place(Path(folder)) as place:
        bench = Bench(place, chosen.runs)
        print(f"serving after {place.start_seconds:.2f} s with {place.memory():.0f} MiB")
        bench.warm_up()
        parts: dict[str, Callable[[], None]] = {
            "idle": lambda: bench.idle(100),
            "stored": lambda: bench.stored(chosen.stored),
            "path": bench.path,
        }
        for name, part in parts.items():
            if chosen.only in {None, name}:
                part()
        print(f"resident memory at the end {place.memory():.0f} MiB")


if __name__ == "__main__":
    main()
