"""Play a story again from the file that its failure left: `… replay FILE [TIMES]`."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.processes import child_environment
from tests.proof.theatre import Theatre


def main(file: Path, times: int) -> int:
    told = json.loads(file.read_text())
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        theatre = Theatre(migrated(Path(folder)), seed=told["seed"])
        try:
            for number in range(times):
                failed += not _play(theatre, told["steps"], number)
        finally:
            theatre.close()
    print(f"{failed} of {times} broke the promise")
    return int(failed > 0)


def _play(theatre: Theatre, steps: list[tuple[str, dict[str, object]]], number: int) -> bool:
    story = theatre.begin()
    try:
        for step, how in steps:
            theatre.play(story, step, how)
        theatre.finish(story)
    except AssertionError as error:
        print(f"{number}: {error}", *getattr(error, "__notes__", ()), sep="\n  ")
        return False
    return True


def migrated(folder: Path) -> Path:
    """Give a migrated database without rows."""
    file = folder / "migrated.sqlite3"
    env = child_environment(
        VELVETROPE_ENV="development", VELVETROPE_DATABASE_URL=f"sqlite:///{file}"
    )
    command = [sys.executable, "-m", "velvetrope", "migrate"]
    subprocess.run(command, env=env, check=True, stdout=subprocess.DEVNULL)
    return file


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1))
