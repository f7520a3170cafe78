"""Footprint: what it costs to have it at all."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING, Final

from tests.benchmarks.contenders import AIOGRAM, PTB, SQLITE, one
from tests.processes import child_environment

if TYPE_CHECKING:
    from pathlib import Path

    from tests.benchmarks.programs import FarEnd
    from tests.benchmarks.records import Record

GROUP: Final = "Footprint"
_IMPORTS: Final = {
    SQLITE: "import velvetrope.cli.serve, uvicorn, django.core.handlers.wsgi, aiohttp, stripe",
    AIOGRAM: "import tests.benchmarks.peers.aiogram_bot",
    PTB: "import tests.benchmarks.peers.ptb_bot",
}


def measure(record: Record, folder: Path, far_end: FarEnd, runs: int) -> None:
    for _ in range(min(runs, 3)):
        for name, imports in _IMPORTS.items():
            started = time.monotonic()
            subprocess.run([sys.executable, "-c", imports], check=True, env=child_environment())
            record.add(GROUP, name, "import", "s", time.monotonic() - started)
            with one(name, folder, far_end) as bot:
                record.add(GROUP, name, "first answer", "s", bot.start_seconds)
                time.sleep(1)  # what is done once at the start belongs to what it costs
                record.add(GROUP, name, "resident", "MiB", bot.memory())
