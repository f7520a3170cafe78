"""Measures what an import costs: `python docs/decisions/cost.py "import stripe" …`.

Prints the median time and memory of five fresh processes each.
"""

from __future__ import annotations

import statistics
import subprocess
import sys

MEASURE = """
import resource, time
size = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
before, began = size(), time.perf_counter()
{statement}
print(time.perf_counter() - began, (size() - before) / 1024)
"""


def main() -> None:
    for statement in sys.argv[1:]:
        runs = [_run(statement) for _ in range(5)]
        seconds, mebibytes = (statistics.median(column) for column in zip(*runs, strict=True))
        print(f"{seconds * 1000:6.0f} ms  {mebibytes:6.1f} MiB  {statement}")


def _run(statement: str) -> tuple[float, float]:
    code = MEASURE.format(statement=statement)
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    seconds, mebibytes = said.stdout.split()
    return float(seconds), float(mebibytes)


if __name__ == "__main__":
    main()
