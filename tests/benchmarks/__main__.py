"""Measures the product against what people would otherwise use: `make bench`.

Each part keeps its runs in build/bench; benchmarks/results.md and its chart are written from them
after every part, so that a part can be repeated alone.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import traceback
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.benchmarks import records, report
from tests.benchmarks.parts import delivery, footprint, growth, ingress, payment, round_trip, stripe
from tests.benchmarks.programs import FarEnd

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.benchmarks.records import Record

    Measure = Callable[[Record, Path, FarEnd, int], None]

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
    failed = []
    for part in [] if chosen.report else chosen.parts.split(","):
        try:
            _measure(part, parts[part], chosen.runs)
        except Exception:  # noqa: BLE001  the other parts are worth having
            traceback.print_exc()
            failed.append(part)
        _report()
    _report()
    if failed:
        sys.exit(f"not measured: {', '.join(failed)}")


def _measure(part: str, measure: Measure, runs: int) -> None:
    started = time.monotonic()
    record = records.begin(part)
    with tempfile.TemporaryDirectory(prefix="bench-") as name, FarEnd(Path(name)) as far_end:
        Path(name).chmod(0o755)  # PostgreSQL runs as another user
        measure(record, Path(name), far_end, runs)
    record.save()
    print(report.as_text(record))
    print(f"{part}: {time.monotonic() - started:.0f} s\n", flush=True)


def _report() -> None:
    report.write([found for part in PARTS if (found := records.load(part)) is not None])


if __name__ == "__main__":
    main()
