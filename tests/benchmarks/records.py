"""What was measured: each figure with all its runs, kept part by part in `build/bench`."""

from __future__ import annotations

import platform
import statistics
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

FOLDER: Final = Path("build/bench")


class Figure(msgspec.Struct):
    """One quantity of one program in one situation; a value for each run."""

    group: str
    who: str
    name: str
    unit: str
    values: list[float] = []


class Record(msgspec.Struct):
    """The figures of one part, and where and when they were taken."""

    part: str
    when: str
    commit: str
    machine: str
    figures: list[Figure] = []
    notes: list[str] = []

    def add(self, group: str, who: str, name: str, unit: str, value: float) -> None:
        """Add a run's value to a figure."""
        figure = self.find(group, who, name)
        if figure is None:
            figure = Figure(group, who, name, unit, [])
            self.figures.append(figure)
        figure.values.append(value)

    def find(self, group: str, who: str, name: str) -> Figure | None:
        wanted = (group, who, name)
        for figure in self.figures:
            if (figure.group, figure.who, figure.name) == wanted:
                return figure
        return None

    def note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)

    def save(self) -> None:
        FOLDER.mkdir(parents=True, exist_ok=True)
        path(self.part).write_bytes(msgspec.json.format(msgspec.json.encode(self), indent=1))


@dataclass(frozen=True, slots=True)
class Summary:
    """The middle of several runs and the ends of their range."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: list[float]) -> Summary:
        return cls(statistics.median(values), min(values), max(values))


def begin(part: str) -> Record:
    return Record(
        part=part,
        when=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        commit=_commit(),
        machine=_machine(),
    )


def load(part: str) -> Record | None:
    """Read what a part has measured; None if it was not run."""
    file = path(part)
    return msgspec.json.decode(file.read_bytes(), type=Record) if file.exists() else None


def path(part: str) -> Path:
    return FOLDER / f"{part}.json"


def _commit() -> str:
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty"],  # noqa: S607  whichever git is there
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or "unknown"


def _machine() -> str:
    cpu = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    cores = sum(
        line.startswith("processor") for line in Path("/proc/cpuinfo").read_text().splitlines()
    )
    return f"{cpu}, {cores} cores, Linux {platform.release()}, Python {platform.python_version()}"
