"""The real parts in processes of their own: the sandbox, the server, the command line.

Each is stopped by its own id, and keeps what it said for the report of a failing test.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

import httpx

from tests.forking import begin
from tests.postgres import Template

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.forking import Process

T = TypeVar("T")

START_SECONDS = 30.0
STOP_SECONDS = 20.0
COMMAND_SECONDS = 60.0

SECRET_KEY = "tests-sign-with-this-0123456789-abcdefghijklmnop"
ENCRYPTION_KEY = "tests-encrypt-with-this-0123456789-qrstuvwxyz"
STRIPE_API_KEY = "sk_test_0123456789abcdefghijklmnop"
STRIPE_WEBHOOK_SECRET = "whsec_0123456789abcdefghijklmnop"


def eventually(
    look: Callable[[], T], *, seconds: float = 10.0, what: str = "the awaited state"
) -> T:
    """Look until the answer is true, and give it; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    pause = 0.005
    while not (seen := look()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come within {seconds} s; last seen: {seen!r}")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.1)
    return seen


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Running:
    """One process with its output in files."""

    arguments: list[str]
    folder: Path
    name: str
    env: Mapping[str, str]
    process: Process | None = field(default=None, repr=False)

    @property
    def pid(self) -> int:
        if self.process is None:
            raise AssertionError(f"{self.name} does not run")
        return self.process.pid

    @property
    def log_file(self) -> Path:
        return self.folder / f"{self.name}.log"

    def log_text(self) -> str:
        """Give all that the process, and those before it of that name, wrote to standard error."""
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def run(self) -> Path:
        """Start it and give the file that holds what it prints."""
        if self.process is not None and self.process.poll() is None:
            raise AssertionError(f"{self.name} runs already")
        said = self.folder / f"{self.name}.out"
        said.write_bytes(b"")
        self.process = begin(
            self.arguments, env=self.env, cwd=self.folder, stdout=said, stderr=self.log_file
        )
        return said

    def start(self) -> dict[str, Any]:
        """Start it and give the JSON line that it prints when it is ready."""
        said = self.run()

        def first_line() -> str | None:
            text = said.read_text(errors="replace")
            if "\n" in text:
                return text.partition("\n")[0]
            if self.process is not None and self.process.poll() is not None:
                raise AssertionError(
                    f"{self.name} ended with {self.process.returncode}:\n{self.log_text()}"
                )
            return None

        line = eventually(first_line, seconds=START_SECONDS, what=f"the first line of {self.name}")
        ready: dict[str, Any] = json.loads(line or "")
        return ready

    def stop(self, *, seconds: float = STOP_SECONDS) -> int:
        """Ask it to end (SIGTERM) and give its exit code."""
        if self.process is None:
            return 0
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.name} did not stop within {seconds} s") from None

    def kill(self) -> None:
        """End it as a power cut would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()


class Sandbox:
    """A Telegram and a Stripe in one process; `telegram` and `stripe` are their clients."""

    def __init__(self, folder: Path) -> None:
        self.clock_file = folder / "clock"
        self.process = Running(
            [sys.executable, "-m", "velvetrope.sandbox", "--clock", str(self.clock_file)],
            folder,
            "sandbox",
            child_environment(),
        )
        self.telegram_url = ""
        self.stripe_url = ""

    def __enter__(self) -> Self:
        ready = self.process.start()
        self.telegram_url, self.stripe_url = ready["telegram"], ready["stripe"]
        self.telegram = httpx.Client(base_url=self.telegram_url, timeout=30, trust_env=False)
        self.stripe = httpx.Client(base_url=self.stripe_url, timeout=30, trust_env=False)
        return self

    def __exit__(self, *_: object) -> None:
        self.telegram.close()
        self.stripe.close()
        self.process.stop()

    def log_text(self) -> str:
        return self.process.log_text()


@dataclass
class Completed:
    """What a finished command said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Installation:
    """One installation of the product: a folder with its database, its environment, its server."""

    def __init__(
        self,
        folder: Path,
        migrated: Path | Template,
        sandbox: Sandbox | None = None,
        **changes: str,
    ) -> None:
        self.folder = folder
        #: On PostgreSQL there is no such file.
        self.database = folder / "velvetrope.sqlite3"
        self._template = None
        if isinstance(migrated, Template):
            self._template = migrated
            self.database_url = migrated.copy()
        else:
            shutil.copy(migrated, self.database)
            self.database_url = f"sqlite:///{self.database}"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        nowhere = f"http://127.0.0.1:{free_port()}"
        values = {
            "VELVETROPE_ENV": "development",
            "VELVETROPE_PUBLIC_URL": self.url,
            "VELVETROPE_DATABASE_URL": self.database_url,
            "VELVETROPE_SECRET_KEY": SECRET_KEY,
            "VELVETROPE_ENCRYPTION_KEYS": ENCRYPTION_KEY,
            "VELVETROPE_STRIPE_API_KEY": STRIPE_API_KEY,
            "VELVETROPE_STRIPE_WEBHOOK_SECRETS": STRIPE_WEBHOOK_SECRET,
            "VELVETROPE_TELEGRAM_API_URL": sandbox.telegram_url if sandbox else nowhere,
            "VELVETROPE_STRIPE_API_URL": sandbox.stripe_url if sandbox else nowhere,
            "VELVETROPE_LOG_FORMAT": "json",
        }
        if sandbox:
            values["VELVETROPE_CLOCK_FILE"] = str(sandbox.clock_file)
        self.env = child_environment(**(values | changes))
        self.server = Running(
            [*COMMAND, "serve", "--host", "127.0.0.1", "--port", str(self.port), "--json"],
            folder,
            "server",
            self.env,
        )
        self.http = httpx.Client(base_url=self.url, timeout=30, trust_env=False)

    def command(
        self, *arguments: str, stdin: str | None = None, env: Mapping[str, str] | None = None
    ) -> Completed:
        """Run `velvetrope …` in the installation's environment and wait for its end."""
        with tempfile.TemporaryDirectory(prefix="command-") as place:
            asked, out, err = (Path(place) / name for name in ("asked", "out", "err"))
            asked.write_text(stdin or "")
            process = begin(
                [*COMMAND, *arguments],
                env={**self.env, **(env or {})},
                cwd=self.folder,
                stdin=asked,
                stdout=out,
                stderr=err,
            )
            try:
                code = process.wait(COMMAND_SECONDS)
            finally:
                process.kill()
            return Completed(code, out.read_text(), err.read_text())

    def start(self) -> None:
        self.server.start()

    def stop(self) -> int:
        """Stop the server as systemd would; gives its exit code."""
        return self.server.stop()

    def kill(self) -> None:
        self.server.kill()

    def close(self) -> None:
        self.http.close()
        with contextlib.suppress(ProcessLookupError):
            self.server.stop()
        if self._template is not None:
            self._template.drop(self.database_url)

    def log_text(self) -> str:
        return self.server.log_text()


#: The command as a checkout has it, whether or not `.venv/bin` is on the path.
COMMAND = [sys.executable, "-m", "velvetrope"]


def child_environment(**changes: str) -> dict[str, str]:
    """Give an environment without this machine's own settings and proxies."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("VELVETROPE_") and not name.lower().endswith("_proxy")
    }
    return {**kept, "PYTHONWARNINGS": "error", "PYTHONUNBUFFERED": "1", **changes}
