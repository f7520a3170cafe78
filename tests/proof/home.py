"""An installation whose servers and commands are forked from a process that stands by."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from tests.processes import START_SECONDS, Completed, Installation

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.processes import Sandbox


class Home(Installation):
    """Starts, kills and stops servers in milliseconds; the same otherwise."""

    def __init__(self, folder: Path, migrated: Path, sandbox: Sandbox) -> None:
        super().__init__(folder, migrated, sandbox)
        self.pid = 0
        self.kills = 0
        with self.server.log_file.open("ab") as log:
            self._standby = subprocess.Popen(
                [sys.executable, "-m", "tests.proof.standby", str(self.port)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=unmeasured({**self.env, "PYTHONPATH": os.pathsep.join(sys.path)}),
                bufsize=0,
            )
        self._left = b""
        self._hear("ready")

    @property
    def is_up(self) -> bool:
        return self.pid != 0

    def start(self) -> None:
        self._tell({"do": "serve"})
        self.pid = self._hear("serves")["serves"]

    def kill(self) -> None:
        """End the server as a power cut would."""
        self._end(signal.SIGKILL)
        self.kills += 1

    def stop(self) -> int:
        """Stop the server as systemd would; gives its exit code."""
        return self._end(signal.SIGTERM)

    def command(
        self, *arguments: str, stdin: str | None = None, env: Mapping[str, str] | None = None
    ) -> Completed:
        if env:
            raise ValueError("a fork has the environment of the process that stands by")
        out, err = self.folder / "command.out", self.folder / "command.err"
        self._tell(
            {
                "do": "command",
                "arguments": arguments,
                "stdin": stdin or "",
                "out": str(out),
                "err": str(err),
            }
        )
        code = self._hear("code")["code"]
        return Completed(code, out.read_text(), err.read_text())

    def close(self) -> None:
        self.http.close()
        if self.is_up:
            self.kill()
        if self._standby.stdin is not None:
            self._standby.stdin.close()
        self._standby.wait(10)
        if self._standby.stdout is not None:
            self._standby.stdout.close()

    def _tell(self, words: dict[str, Any]) -> None:
        assert self._standby.stdin is not None
        self._standby.stdin.write(json.dumps(words).encode() + b"\n")

    def _hear(self, word: str) -> dict[str, Any]:
        """Give the next line that holds `word`; others are of servers that were killed since."""
        assert self._standby.stdout is not None
        while True:
            while b"\n" not in self._left:
                ready, _, _ = select.select([self._standby.stdout], [], [], START_SECONDS)
                more = os.read(self._standby.stdout.fileno(), 4096) if ready else b""
                if not more:
                    raise AssertionError(f"nothing was heard:\n{self.log_text()[-5000:]}")
                self._left += more
            line, _, self._left = self._left.partition(b"\n")
            heard: dict[str, Any] = json.loads(line)
            if word in heard:
                return heard

    def _end(self, how: signal.Signals) -> int:
        """Send a signal and wait until the port and the database are free again."""
        pid, self.pid = self.pid, 0
        os.kill(pid, how)
        self._tell({"do": "bury", "pid": pid})
        code: int = self._hear("buried")["buried"]
        return code


def unmeasured(environment: Mapping[str, str]) -> dict[str, str]:
    """Leave coverage out: it would double the time, and who is killed reports nothing anyway."""
    return {name: value for name, value in environment.items() if "COVERAGE" not in name}
