"""Growth: what more integrations and more customers cost; straight lines or better."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from typing import TYPE_CHECKING, Final

from tests.benchmarks.products import Product, environment, prepare
from tests.processes import child_environment

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.benchmarks.programs import FarEnd
    from tests.benchmarks.records import Record

INTEGRATIONS: Final = "Growth with integrations, 10,000 customers"
CUSTOMERS: Final = "Growth with customers, 10 integrations"
SHAPE: Final = "power of growth"
_CUSTOMERS: Final = 10_000
_SIZES: Final = ((INTEGRATIONS, (10, 1_000, 10_000)), (CUSTOMERS, (10_000, 100_000)))
_MORE: Final = 1_000_000


def measure(
    record: Record, folder: Path, far_end: FarEnd, runs: int, *, more: bool = False
) -> None:
    """Measure sizes one after another; with `more` up to a million customers as well."""
    record.note(
        "Each customer has a right, a place in a chat and a handled update. Times of pages and"
        " searches are the best of three in one run, without the network; the last column is the"
        " power of the size by which a figure grew from the second largest size to the largest:"
        " 1 is a straight line, 0 is no growth at all."
    )
    for group, sizes in _SIZES:
        chosen = (*sizes, _MORE) if more and group == CUSTOMERS else sizes
        for size in chosen:
            bots, customers = (size, _CUSTOMERS) if group == INTEGRATIONS else (10, size)
            what = "integrations" if group == INTEGRATIONS else "customers"
            env = _filled(folder, far_end, bots, customers)
            _measure_one(record, group, f"{size:,} {what}", folder, env, min(runs, 2))
        _shape(record, group, chosen)


def _filled(folder: Path, far_end: FarEnd, bots: int, customers: int) -> dict[str, str]:
    """Give the environment of an installation of some size."""
    file = folder / f"{bots}-{customers}.sqlite3"
    env = environment(f"sqlite:///{file}", far_end.url)
    if not file.exists():
        prepare(env, "--bots", str(bots), "--customers", str(customers))
    return env


def _measure_one(
    record: Record, group: str, size: str, folder: Path, env: dict[str, str], runs: int
) -> None:
    command = [sys.executable, "-m", "tests.benchmarks.growing"]
    for _ in range(runs):
        with Product("grown", folder, env) as product:
            record.add(group, "first answer, s", size, "", product.start_seconds)
            record.add(group, "resident, MiB", size, "", product.memory())
        done = subprocess.run(
            command, env=child_environment(**env), check=True, capture_output=True, text=True
        )
        found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
        for name, milliseconds in found.items():
            record.add(group, f"{name}, ms", size, "", milliseconds)


def _shape(record: Record, group: str, sizes: Sequence[int]) -> None:
    """Note the exponent of the last step of each figure."""
    figures = [one for one in record.figures if one.group == group]
    columns = list(dict.fromkeys(one.name for one in figures))
    step = math.log(sizes[-1] / sizes[-2])
    for row in dict.fromkeys(one.who for one in figures):
        before, after = (record.find(group, row, column) for column in columns[-2:])
        if before is not None and after is not None:
            for small, large in zip(before.values, after.values, strict=True):
                record.add(group, row, SHAPE, "", math.log(large / small) / step)
