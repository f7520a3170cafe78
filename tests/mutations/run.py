"""Plants each fault in a copy of the source and tells which test finds it: `make mutations`.

The named tests run first; where none of them fails, the random stories are played. The exit code is
not 0 if a fault survives, or if its words are no longer those of the source.

    python -m tests.mutations.run --stories   # every fault that has a number: by stories alone
    python -m tests.mutations.run WORD …      # only faults whose rule holds one of these words
"""

from __future__ import annotations

import argparse
import json
import os
import queue
import re
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.mutations.planted import FAULTS

if TYPE_CHECKING:
    from tests.mutations.fault import Fault

ROOT: Final = Path(__file__).resolve().parents[2]
#: What a copy needs.
_PARTS: Final = ("src", "tests", "pyproject.toml", "docs", "README.md", "CHANGELOG.md")
JOBS: Final = 2
#: Seconds for the tests of one fault; one that makes them hang is found, too.
PATIENCE: Final = 240
#: Stories where the named tests found nothing.
LAST_RESORT: Final = 60
_STORIES: Final = "tests/proof/test_promise.py"
_FAILED: Final = re.compile(r"^(?:FAILED|ERROR) (\S+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Verdict:
    fault: Fault
    #: The test that found it; empty if it survived.
    caught_by: str
    seconds: float
    #: What is wrong with the fault itself.
    trouble: str = ""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutations.run")
    parser.add_argument("words", nargs="*", help="only faults whose rule holds one of these")
    parser.add_argument("--stories", action="store_true", help="let stories alone find them")
    options = parser.parse_args()
    chosen = [one for one in FAULTS if any(word in one.rule for word in options.words or [""])]
    if options.stories:
        chosen = [one for one in chosen if one.stories]
    with tempfile.TemporaryDirectory(prefix="mutations-") as folder:
        copies: queue.Queue[Path] = queue.Queue()
        for number in range(JOBS):
            copies.put(_copy(Path(folder) / str(number)))

        def judge(fault: Fault) -> Verdict:
            copy = copies.get()
            try:
                verdict = _judge(fault, copy, by_stories=options.stories)
            finally:
                copies.put(copy)
            print(_line(verdict), flush=True)
            return verdict

        with ThreadPoolExecutor(JOBS) as pool:
            verdicts = list(pool.map(judge, chosen))
    return _report(verdicts)


def _copy(place: Path) -> Path:
    place.mkdir()
    ignore = shutil.ignore_patterns("__pycache__", "*.pyc")
    for name in _PARTS:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, place / name, ignore=ignore)
        else:
            shutil.copy(ROOT / name, place / name)
    return place


def _judge(fault: Fault, copy: Path, *, by_stories: bool) -> Verdict:
    began = time.monotonic()
    file = copy / "src" / "velvetrope" / fault.file
    sound = file.read_text() if file.exists() else ""
    if sound.count(fault.before) != 1:
        trouble = f"{fault.file} holds its words {sound.count(fault.before)} times"
        return Verdict(fault, "", 0.0, trouble)
    file.write_text(sound.replace(fault.before, fault.after))
    try:
        named = tuple(f"tests/{test}" for test in fault.tests)
        caught = "" if by_stories else _run(copy, named, {})
        if not caught:
            number = fault.stories or LAST_RESORT
            caught = _run(copy, (_STORIES,), {"VELVETROPE_PROOF_EXAMPLES": str(number)})
    finally:
        file.write_text(sound)
    return Verdict(fault, caught, time.monotonic() - began)


def _run(copy: Path, tests: tuple[str, ...], more: dict[str, str]) -> str:
    """Run tests until one fails; gives its name, or nothing if all pass."""
    environment = {
        **os.environ,
        **more,
        "PYTHONPATH": str(copy / "src"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "VELVETROPE_PROOF_SHRINK": "no",
        "VELVETROPE_PROOF_FOLDER": str(copy / "stories"),
    }
    command = [sys.executable, "-m", "pytest", "-n0", "-x", "-q", "-p", "no:cacheprovider", *tests]
    try:
        done = subprocess.run(
            command,
            cwd=copy,
            env=environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"{tests[0]} (it did not end)"
    if done.returncode == 0:
        return ""
    found = _FAILED.search(done.stdout)
    if done.returncode != 1 or found is None:
        raise RuntimeError(f"pytest could not run {tests}:\n{done.stdout}{done.stderr}"[-4000:])
    return found[1]


def _line(verdict: Verdict) -> str:
    how = verdict.trouble or (f"caught by {verdict.caught_by}" if verdict.caught_by else "SURVIVED")
    return f"{verdict.fault.rule}: {how} ({verdict.seconds:.0f} s)"


def _report(verdicts: list[Verdict]) -> int:
    caught = [one for one in verdicts if one.caught_by]
    stale = [one for one in verdicts if one.trouble]
    survived = [one for one in verdicts if not one.caught_by and not one.trouble]
    record = ROOT / "build" / "mutations.json"
    record.parent.mkdir(exist_ok=True)
    rows = [
        {"rule": one.fault.rule, "caught_by": one.caught_by, "seconds": round(one.seconds, 1)}
        for one in verdicts
    ]
    record.write_text(json.dumps(rows, indent=1) + "\n")
    print(f"{len(verdicts)} faults: {len(caught)} caught, {len(survived)} survived", end="")
    print(f", {len(stale)} no longer match the source" if stale else "")
    return int(len(caught) < len(verdicts))


if __name__ == "__main__":
    sys.exit(main())
