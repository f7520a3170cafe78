"""Programs under measurement: started, looked at and ended alike, whoever wrote them."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self
from urllib.error import HTTPError
from urllib.request import urlopen

from tests.processes import child_environment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_TICKS: Final = os.sysconf("SC_CLK_TCK")
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")
_START_SECONDS: Final = 30.0


class Process:
    """A program with the processes that it starts; its output goes into a file."""

    def __init__(self, name: str, command: Sequence[str], folder: Path, **env: str) -> None:
        self.name = name
        self._command = command
        self._log = folder / f"{name.replace(' ', '-')}.log"
        # Warnings of other people's programs are theirs.
        self.env: Mapping[str, str] = child_environment(**{"PYTHONWARNINGS": "default", **env})
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        with self._log.open("a") as log:
            self._process = subprocess.Popen(
                self._command, env=self.env, stdout=subprocess.PIPE, stderr=log, text=True
            )
        return self

    def __exit__(self, *_: object) -> None:
        process = self._running
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()

    @property
    def _running(self) -> subprocess.Popen[str]:
        if self._process is None:
            raise AssertionError(f"{self.name} does not run")
        return self._process

    def first_line(self) -> str:
        stdout = self._running.stdout
        line = stdout.readline() if stdout is not None else ""
        if not line:
            raise AssertionError(f"{self.name} said nothing; see {self._log}")
        return line

    def wait_for_answer(self, port: int) -> None:
        """Wait for the first answer to a GET, whatever its status."""
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline and self._running.poll() is None:
            try:
                urlopen(f"http://127.0.0.1:{port}/up", timeout=5).close()
            except HTTPError as answer:
                answer.close()
                return
            except (OSError, http.client.HTTPException):
                time.sleep(0.005)
            else:
                return
        raise AssertionError(f"{self.name} does not answer:\n{self._log.read_text()[-2000:]}")

    @property
    def pids(self) -> list[int]:
        return family(self._running.pid)

    def cpu_seconds(self) -> float:
        """Give what it has used so far, with what it started."""
        return sum(_cpu_seconds(pid) for pid in self.pids)

    def memory(self) -> float:
        """Give the resident memory of all its processes in MiB."""
        return sum(_resident(pid) for pid in self.pids) / 2**20


class Bot(Process):
    """A program that takes updates of one bot at a webhook."""

    #: Chats are answered so often by one run of the sustained round trip.
    answers_each = 1

    def __init__(
        self, name: str, command: Sequence[str], folder: Path, *, port: int, **env: str
    ) -> None:
        self.port = port
        super().__init__(name, [*command, str(self.port)], folder, **env)
        self.start_seconds = 0.0

    def __enter__(self) -> Self:
        started = time.monotonic()
        super().__enter__()
        self.wait_for_answer(self.port)
        self.start_seconds = time.monotonic() - started
        return self

    def quiet(self) -> None:
        """Wait until it has nothing in hand."""
        used = self.cpu_seconds()
        while True:
            time.sleep(0.1)
            now = self.cpu_seconds()
            if now - used <= 1 / _TICKS:
                return
            used = now


class FarEnd(Process):
    """The shared Bot API, and a Stripe; a bot that sends more than `limit` a second is refused."""

    def __init__(self, folder: Path, limit: int = 0) -> None:
        command = [sys.executable, "-m", "tests.benchmarks.far_end", "--limit", str(limit)]
        super().__init__("far end", command, folder)
        self.port = 0

    def __enter__(self) -> Self:
        super().__enter__()
        self.port = int(self.first_line())
        return self

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def refused(self) -> int:
        """Give how many messages were too many for a bot."""
        with urlopen(f"http://127.0.0.1:{self.port}/refused") as answer:
            return int(answer.read())

    def log(self, wanted: int = 0) -> list[tuple[int, float]]:
        """Give who was written to, and when, since the last time; waits until it is so many."""
        with urlopen(f"http://127.0.0.1:{self.port}/log/{wanted}", timeout=120) as answer:
            return [(chat, at) for chat, at in json.load(answer)]


def family(pid: int) -> list[int]:
    """Give a process and all that it started, and they did."""
    children: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        children += map(int, (task / "children").read_text().split())
    return [pid, *(one for child in children for one in family(child))]


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
