"""The parts of the demo as processes: the sandbox, and the product with its own commands."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import secrets
import shutil
import signal
import sys
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

START_SECONDS: Final = 60.0
STOP_SECONDS: Final = 15.0

#: Test keys of the sandbox; the real Stripe knows no such account.
STRIPE_KEY: Final = "sk_test_velvetrope_sandbox_demo"
OPERATOR: Final = "demo"


class StageError(Exception):
    """A part of the demo did not start; the message holds what it said."""


@dataclass
class Stage:
    """Starts the parts one after the other and stops them in the opposite order."""

    folder: Path
    port: int
    phone_port: int
    stripe_port: int
    #: An empty database for the product; none: a file in the folder.
    database_url: str = ""
    telegram_url: str = ""
    stripe_url: str = ""
    product_url: str = ""
    operator_password: str = ""
    signing_secret: str = field(default_factory=lambda: f"whsec_{secrets.token_hex(16)}")
    _processes: list[asyncio.subprocess.Process] = field(default_factory=list)
    #: Open files whose locks say that the folder is taken; the system lets go of them at the end.
    _held: list[IO[str]] = field(default_factory=list)

    @property
    def clock_file(self) -> Path:
        return self.folder / "clock"

    def clean(self) -> None:
        """Forget an earlier run: the sandbox forgets everything when it stops, so must we.

        A folder with anything else in it is not ours to empty.
        """
        if self.folder.is_dir() and any(self.folder.iterdir()) and not self.log("sandbox").exists():
            raise StageError(f"{self.folder} holds something else: name an empty folder, or none.")
        self._claim()
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(mode=0o700, parents=True)

    def _claim(self) -> None:
        """Keep the folder for this run: emptying one that is played in would pull the rug away."""
        if self._held:
            return
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        claim = self.folder.with_name(f"{self.folder.name}.lock").open("a", encoding="ascii")
        try:
            fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            claim.close()
            raise StageError(
                f"Another demo runs in {self.folder}: stop it, or name another folder."
            ) from None
        self._held.append(claim)

    async def open_sandbox(self) -> None:
        said = await self._start(
            "sandbox",
            "-m",
            "velvetrope.sandbox",
            "--telegram",
            str(self.phone_port),
            "--stripe",
            str(self.stripe_port),
            "--clock",
            str(self.clock_file),
            "--product",
            f"http://127.0.0.1:{self.port}",
        )
        self.telegram_url, self.stripe_url = said["telegram"], said["stripe"]

    async def open_product(self) -> None:
        await self.command("migrate")
        made = await self.command("createoperator", OPERATOR, "--json")
        self.operator_password = made["password"]
        said = await self._start(
            "product", "-m", "velvetrope", "serve", "--port", str(self.port), "--json"
        )
        self.product_url = said["url"]

    async def command(self, *arguments: str, stdin: str = "") -> Any:
        """Run a `velvetrope` command to its end; gives the JSON that it printed, if any."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "velvetrope",
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=self.environment(),
        )
        out, err = await asyncio.wait_for(process.communicate(stdin.encode()), START_SECONDS)
        if process.returncode:
            what = " ".join(arguments[:2])
            raise StageError(f"velvetrope {what} failed ({process.returncode}):\n{err.decode()}")
        return json.loads(out) if "--json" in arguments else None

    async def close(self) -> None:
        """Stop the parts, the newest first, and let go of the folder."""
        for process in reversed(self._processes):
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
                try:
                    await asyncio.wait_for(process.wait(), STOP_SECONDS)
                except TimeoutError:
                    process.kill()
                    await process.wait()
        for claim in self._held:
            claim.close()

    def environment(self) -> dict[str, str]:
        """Give the product's environment: development, with the sandbox for both vendors."""
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith("VELVETROPE_")
        }
        return {
            **inherited,
            "VELVETROPE_ENV": "development",
            "VELVETROPE_PUBLIC_URL": f"http://127.0.0.1:{self.port}",
            "VELVETROPE_DATABASE_URL": self.database_url
            or f"sqlite:///{self.folder.absolute()}/velvetrope.sqlite3",
            "VELVETROPE_TELEGRAM_API_URL": self.telegram_url,
            "VELVETROPE_STRIPE_API_URL": self.stripe_url,
            "VELVETROPE_STRIPE_API_KEY": STRIPE_KEY,
            "VELVETROPE_STRIPE_WEBHOOK_SECRETS": self.signing_secret,
            "VELVETROPE_CLOCK_FILE": str(self.clock_file.absolute()),
            "VELVETROPE_LOG_FORMAT": "json",
        }

    def log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    async def _start(self, name: str, *arguments: str) -> Mapping[str, Any]:
        """Start a part and give the JSON line that it prints when it is ready."""
        with self.log(name).open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *arguments,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                env=self.environment(),
                # The terminal's Ctrl-C is for the demo, which stops its parts in order.
                start_new_session=True,
            )
        self._processes.append(process)
        assert process.stdout is not None  # noqa: S101  it was asked for above
        line = await asyncio.wait_for(process.stdout.readline(), START_SECONDS)
        if not line:
            await process.wait()
            raise StageError(f"The {name} did not start:\n{_tail(self.log(name))}")
        said: Mapping[str, Any] = json.loads(line)
        return said

    def fallen(self) -> Sequence[int]:
        """Give the exit codes of parts that ended by themselves."""
        return [one.returncode for one in self._processes if one.returncode is not None]


def _tail(file: Path) -> str:
    return "\n".join(file.read_text(errors="replace").splitlines()[-20:])
