"""Measures the product against what people would otherwise use: `make bench`.

Each part keeps its runs in build/bench; benchmarks/results.md and its chart are written from them
after every part, so that a part can be repeated alone.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.benchmarks import records, report
from tests.benchmarks.parts import delivery, footprint, growth, ingress, payment, round_trip, stripe
from tests.benchmarks.programs import FarEnd

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.benchmarks.records import Record

    Measure = Callable[[Record, Path, FarEnd], None]

PARTS: Final[Mapping[str, Measure]] = {
    "ingress": ingress.measure,
    "round_trip": round_trip.measure,
    "stripe": stripe.measure,
    "payment": payment.measure,
    "delivery": delivery.measure,
    "growth": growth.measure,
    "footprint": footprint.measure,
}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--parts", default=",".join(PARTS), help="some of " + ", ".join(PARTS))
    options.add_argument("--runs", type=int, default=5)
    options.add_argument("--growth", action="store_true", help="growth to a million customers")
    options.add_argument("--report", action="store_true", help="only write the report anew")
    chosen = options.parse_args()
    parts: dict[str, Measure] = {**PARTS, "growth": partial(growth.measure, more=chosen.growth)}
    for part in [] if chosen.report else chosen.parts.split(","):
        started = time.monotonic()
        record = records.begin(part, chosen.runs)
        with tempfile.TemporaryDirectory(prefix="bench-") as name, FarEnd(Path(name)) as far_end:
            Path(name).chmod(0o755)  # PostgreSQL runs as another user
            parts[part](record, Path(name), far_end)
        record.save()
        print(report.as_text(record))
        print(f"{part}: {time.monotonic() - started:.0f} s\n", flush=True)
    report.write([found for part in PARTS if (found := records.load(part)) is not None])


if __name__ == "__main__":
    main()
