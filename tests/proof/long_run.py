"""Plays thousands of stories, in chunks that some processes share: `make test-long`.

    make test-long EXAMPLES=400 SEED=3 MINUTES=12

Each chunk has a seed of its own and leaves a line in `build/proof/long-<seed>.jsonl`. A run that
was cut off, or whose minutes are over, goes on with the chunks that are missing when it is started
again with the same seed. The exit code is 0 once all chunks are green.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from tests.proof.standby import die_with_parent

FOLDER: Final = Path("build/proof")
CHUNK: Final = 50
#: Processes at once; a story waits for most of its time, so that two cores bear four.
JOBS: Final = 4
#: What the sum of the chunks tells.
_SUMS: Final = ("examples", "steps", "kills", "faults", "worlds")


def main() -> int:
    examples = int(os.environ.get("EXAMPLES", "2000"))
    first = int(os.environ.get("SEED", "1"))
    ends = time.monotonic() + float(os.environ.get("MINUTES", "inf")) * 60
    FOLDER.mkdir(parents=True, exist_ok=True)
    record = FOLDER / f"long-{first}.jsonl"
    seeds = {first * 1000 + number: CHUNK for number in range(examples // CHUNK)}
    if examples % CHUNK:
        seeds[first * 1000 + len(seeds)] = examples % CHUNK
    done = {chunk["seed"] for chunk in _chunks(record) if not chunk["failures"]}
    missing = [seed for seed in seeds if seed not in done]
    print(f"{len(seeds)} chunks, {len(missing)} to be played", flush=True)

    def play(seed: int) -> None:
        if time.monotonic() < ends:
            _play(seed, seeds[seed], record)

    with ThreadPoolExecutor(int(os.environ.get("JOBS") or JOBS)) as pool:
        list(pool.map(play, missing))
    return _report(record, set(seeds))


def _play(seed: int, examples: int, record: Path) -> None:
    folder = FOLDER / str(seed)
    env = {
        **os.environ,
        "VELVETROPE_PROOF_SEED": str(seed),
        "VELVETROPE_PROOF_EXAMPLES": str(examples),
        "VELVETROPE_PROOF_SUMMARY": str(record),
        "VELVETROPE_PROOF_FOLDER": str(folder),
    }
    command = [sys.executable, "-m", "pytest", "-n0", "-q", "--timeout=0", "tests/proof"]
    done = subprocess.run(
        command,
        env=env,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=die_with_parent,
    )
    print(f"chunk {seed}: {'green' if done.returncode == 0 else 'RED'}", flush=True)
    if done.returncode:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "pytest.log").write_text(done.stdout + done.stderr)
        print("\n".join(done.stdout.splitlines()[-40:]), flush=True)


def _chunks(record: Path) -> list[dict[str, Any]]:
    lines = record.read_text().splitlines() if record.exists() else []
    return [json.loads(line) for line in lines]


def _report(record: Path, seeds: set[int]) -> int:
    """Tell the sum of all chunks, the last try of each."""
    last = {chunk["seed"]: chunk for chunk in _chunks(record) if chunk["seed"] in seeds}
    sums = {name: sum(chunk[name] for chunk in last.values()) for name in _SUMS}
    failed = {seed: chunk["failures"] for seed, chunk in last.items() if chunk["failures"]}
    kinds: Counter[str] = Counter()
    for chunk in last.values():
        kinds.update(chunk["kinds"])
    total = {
        "chunks": f"{len(last) - len(failed)} green of {len(seeds)}",
        **sums,
        "minutes_of_all_processes": round(sum(one["seconds"] for one in last.values()) / 60, 1),
        "cpu_minutes": round(sum(one["cpu"] for one in last.values()) / 60, 1),
        "failures": failed,
        "kinds": dict(kinds.most_common()),
    }
    text = json.dumps(total, indent=1)
    record.with_suffix(".summary.json").write_text(text + "\n")
    print(text)
    return int(bool(failed) or len(last) < len(seeds))


if __name__ == "__main__":
    sys.exit(main())
