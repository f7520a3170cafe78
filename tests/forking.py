"""Processes of the product that begin as forks of one that has imported what they need.

A new interpreter spends half a second of CPU on imports before the product says a word, and the
tests start more than a thousand processes. A fork has all else that a process has: its own id,
environment, folder, files and end; it opens the settings and the database itself.

`VELVETROPE_TESTS_FORK=no` has each begin as an interpreter of its own, as `make coverage` does.
"""

from __future__ import annotations

import atexit
import io
import multiprocessing
import os
import runpy
import subprocess
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final, Protocol, cast

from tests.proof.standby import die_with_parent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_context: Final = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["tests.imports"])


class Process(Protocol):
    """The part of `subprocess.Popen` that tests use."""

    @property
    def pid(self) -> int: ...
    @property
    def returncode(self) -> int | None: ...
    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int: ...
    def send_signal(self, sig: int) -> None: ...
    def kill(self) -> None: ...


def begin(
    command: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: Path,
    stdout: Path,
    stderr: Path,
    stdin: Path | None = None,
) -> Process:
    """Begin `python -m module arguments…` and append what it says to two files."""
    if _forks() and command[:2] == [sys.executable, "-m"]:
        return _Fork(command[2:], env, cwd, (stdin or Path(os.devnull), stdout, stderr))
    with (
        (stdin or Path(os.devnull)).open("rb") as asked,
        stdout.open("ab") as out,
        stderr.open("ab") as err,
    ):
        return subprocess.Popen(
            command, stdin=asked, stdout=out, stderr=err, env=dict(env), cwd=cwd
        )


def _forks() -> bool:
    """Judge at each start: coverage begins when the tests do, and not when they are imported."""
    return (
        os.environ.get("VELVETROPE_TESTS_FORK") != "no"
        and "COVERAGE_PROCESS_CONFIG" not in os.environ
    )


class _Fork:
    """A child of the process that has imported everything; that one tells how it ended."""

    def __init__(
        self,
        module_and_arguments: Sequence[str],
        env: Mapping[str, str],
        folder: Path,
        files: tuple[Path, Path, Path],
    ) -> None:
        self._process = _context.Process(
            target=_become,
            args=(list(module_and_arguments), dict(env), folder, files),
            daemon=True,
        )
        self._process.start()
        self.pid = cast("int", self._process.pid)

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Give the exit code; raises subprocess.TimeoutExpired."""
        self._process.join(timeout)
        code = self._process.exitcode
        if code is None:
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0.0)
        return code

    def send_signal(self, sig: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, sig)

    def kill(self) -> None:
        self._process.kill()


def _become(
    module_and_arguments: list[str],
    env: dict[str, str],
    folder: Path,
    files: tuple[Path, Path, Path],
) -> None:
    """Be the process that a new interpreter would have become."""
    die_with_parent()
    os.environ.clear()
    os.environ.update(env)
    os.chdir(folder)
    for number, file in enumerate(files):
        with file.open("ab" if number else "rb") as opened:
            os.dup2(opened.fileno(), number)
    sys.stdin = open(0, encoding="utf-8")  # noqa: SIM115  until the end
    sys.stdout = _unbuffered(1)
    sys.stderr = _unbuffered(2)
    if env.get("PYTHONWARNINGS") == "error":
        warnings.simplefilter("error")
    module, *sys.argv[1:] = module_and_arguments
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    finally:
        atexit._run_exitfuncs()


def _unbuffered(number: int) -> io.TextIOWrapper:
    """Give what PYTHONUNBUFFERED makes of a file descriptor."""
    raw = open(number, "wb", buffering=0)  # noqa: SIM115  until the end
    errors = "backslashreplace" if number == 2 else "strict"
    return io.TextIOWrapper(cast("BinaryIO", raw), "utf-8", errors, write_through=True)
