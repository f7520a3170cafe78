"""All processes of one installation, started, killed and started again as a supervisor would."""

from __future__ import annotations

import contextlib
import json
import os
import threading
from datetime import datetime
from typing import IO, TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from tests.faults.relay import Relay
from tests.processes import COMMAND, Installation, Running

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.processes import Sandbox

#: What a log line that is no JSON counts as: a trace that Python itself has printed.
_BARE: Final = "(not structured)"


class Piped(Running):
    """Its standard error goes through a pipe: limits on files leave it alone, as a journal."""

    def __init__(
        self, arguments: list[str], folder: Path, name: str, env: Mapping[str, str]
    ) -> None:
        super().__init__(arguments, folder, name, env)
        os.mkfifo(self.log_file)
        # Open at both ends for as long as the tests run: no writer ever waits, or is the last one.
        pipe = os.fdopen(os.open(self.log_file, os.O_RDWR), "rb", buffering=0)
        threading.Thread(target=_keep, args=(pipe, self._kept), daemon=True).start()

    @property
    def log_file(self) -> Path:
        return self.folder / f"{self.name}.pipe"

    @property
    def _kept(self) -> Path:
        return self.folder / f"{self.name}.log"

    def log_text(self) -> str:
        return self._kept.read_text(errors="replace") if self._kept.exists() else ""


class Fleet(Installation):
    """One process on SQLite; processes are known by their names, which logs are called by."""

    database_name = "sqlite"

    def __init__(self, folder: Path, migrated: Path, sandbox: Sandbox, **changes: str) -> None:
        #: The roads to the vendors.
        self.telegram = Relay(_port(sandbox.telegram_url))
        self.stripe = Relay(_port(sandbox.stripe_url))
        roads = {
            "VELVETROPE_TELEGRAM_API_URL": self.telegram.url,
            "VELVETROPE_STRIPE_API_URL": self.stripe.url,
        }
        super().__init__(folder, migrated, sandbox, **roads, **changes)
        self.parts = {"all": self._part("all", "all", self.port)}

    def _part(self, name: str, role: str, port: int) -> Running:
        serve = [*COMMAND, "serve", "--role", role, "--host", "127.0.0.1", "--port", str(port)]
        return Piped([*serve, "--json"], self.folder, name, self.env)

    def start(self, *names: str) -> None:
        """Start processes, all of them if none is named."""
        for name in names or self.parts:
            self.parts[name].start()

    def kill(self, *names: str) -> None:
        """End processes as a power cut would, all of them if none is named."""
        for name in names or self.parts:
            self.parts[name].kill()

    def stop(self) -> int:
        """Stop everything as systemd would; gives the worst exit code."""
        return max(part.stop() for part in self.parts.values())

    def close(self) -> None:
        self.http.close()
        for part in self.parts.values():
            with contextlib.suppress(ProcessLookupError):
                part.stop()
        self.telegram.close()
        self.stripe.close()

    @property
    def pids(self) -> list[int]:
        return [part.pid for part in self.parts.values()]

    def log_text(self) -> str:
        return "".join(part.log_text() for part in self.parts.values())

    def said_between(self, begin: datetime, end: datetime) -> Iterator[dict[str, Any]]:
        """Give the log's lines of a time; a bare trace has the time of the line before it."""
        for part in self.parts.values():
            moment = begin
            for line in part.log_text().splitlines():
                try:
                    said = json.loads(line)
                    moment = datetime.fromisoformat(said["timestamp"])
                except (ValueError, KeyError, TypeError):
                    said = {"message": _BARE, "text": line}
                if begin <= moment <= end:
                    yield {**said, "process": part.name}


def _port(url: str) -> int:
    port = urlsplit(url).port
    assert port is not None
    return port


def _keep(pipe: IO[bytes], file: Path) -> None:
    with file.open("ab", buffering=0) as log:
        while True:
            log.write(pipe.read(65_536))
