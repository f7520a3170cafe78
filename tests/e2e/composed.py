"""The services of compose.yaml as plain processes: its own commands, its own proxy, no container.

What differs is said here and nowhere else: addresses are of this machine's loopback, PostgreSQL is
the tests' own, and since vendors are pretended the environment is development.
"""

from __future__ import annotations

import os
import re
import shutil
from functools import partial
from typing import TYPE_CHECKING, Final

import httpx
import pytest

from tests.composed import PRODUCT, ROOT, SERVICES
from tests.processes import COMMAND, START_SECONDS, Installation, Running, eventually, free_port

if TYPE_CHECKING:
    from pathlib import Path

    from tests.processes import Sandbox

#: Those that run until they are stopped.
SERVING: Final = [name for name in PRODUCT if name != "migrate"]
_SITE: Final = re.compile(r"^(\{\$VELVETROPE_PUBLIC_URL\} \{)$", re.MULTILINE)


class Composed:
    """What `docker compose up` would start; `installation` runs commands beside it."""

    def __init__(
        self, folder: Path, migrated: Path, sandbox: Sandbox, database_url: str, caddy: str
    ) -> None:
        ports = {name: free_port() for name in ("proxy", *SERVING)}
        url = f"http://127.0.0.1:{ports['proxy']}"
        outside = {
            "VELVETROPE_ENV": "development",
            "VELVETROPE_DATABASE_URL": database_url,
            "VELVETROPE_TRUSTED_PROXIES": "127.0.0.1",
        }
        self.installation = Installation(
            folder, migrated, sandbox, VELVETROPE_PUBLIC_URL=url, **outside
        )
        self.installation.url = url
        environment = self.installation.env
        self.processes = {
            name: Running(self._command(name, ports[name]), folder, name, environment)
            for name in SERVING
        }
        for name in PRODUCT:
            assert set(SERVICES[name]["environment"]) == set(outside), "something new to be said"
        self._ports = ports
        web = [f"127.0.0.1:{ports[name]}" for name in SERVING if "web" in SERVICES[name]["command"]]
        self.proxy = Running(
            self._proxy_command(folder, caddy),
            folder,
            "proxy",
            {
                "PATH": os.environ["PATH"],
                "HOME": str(folder),
                "VELVETROPE_PUBLIC_URL": url,
                "WEB": " ".join(web),
            },
        )

    @staticmethod
    def _command(name: str, port: int) -> list[str]:
        words: list[str] = [*SERVICES[name]["command"]]
        words[words.index("--host") + 1] = "127.0.0.1"
        words[words.index("--port") + 1] = str(port)
        return [*COMMAND, *words, "--json"]

    @staticmethod
    def _proxy_command(folder: Path, caddy: str) -> list[str]:
        """Have the proxy read its own file, with the one line that keeps it to loopback."""
        (mount,) = (one for one in SERVICES["proxy"]["volumes"] if "Caddyfile" in one)
        source, target, _ = mount.split(":")
        file = folder / "Caddyfile"
        text, sites = _SITE.subn(r"\1\n\tbind 127.0.0.1", (ROOT / source).read_text())
        assert sites == 1
        file.write_text(text)
        program, *words = SERVICES["proxy"]["command"]
        assert program == "caddy"
        return [caddy, *(str(file) if word == target else word for word in words)]

    def start(self) -> None:
        """Start everything in the order that `depends_on` asks for."""
        done = self.installation.command(*SERVICES["migrate"]["command"])
        assert done.code == 0, done.err
        for name, process in self.processes.items():
            waits = SERVICES[name]["depends_on"]
            assert waits["migrate"] == {"condition": "service_completed_successfully"}
            process.run()
        self.proxy.run()
        for name in SERVING:
            eventually(partial(self._is_up, name), seconds=START_SECONDS, what=f"{name} is up")
        eventually(lambda: self._is_up("proxy"), seconds=20, what="an answer through the proxy")

    def restart(self, name: str) -> int:
        """Restart a process as an update does; gives the exit code of the one before."""
        process = self.processes[name]
        code = process.stop(seconds=15)
        process.start()
        eventually(lambda: self._is_up(name), what=f"{name} is up")
        return code

    def close(self) -> None:
        self.proxy.stop()
        for process in self.processes.values():
            process.stop()
        self.installation.close()

    def ask(self, name: str, path: str) -> httpx.Response:
        """Ask the proxy or one process for a page."""
        return httpx.get(f"http://127.0.0.1:{self._ports[name]}{path}", trust_env=False)

    def _is_up(self, name: str) -> bool:
        try:
            return self.ask(name, "/up").is_success
        except httpx.TransportError:
            return False


def find_caddy() -> str:
    """Find the proxy; skips where there is none, but not in CI, which has to install it."""
    found = shutil.which("caddy")
    if found is None and not os.environ.get("CI"):
        pytest.skip("no Caddy on this machine: apt-get install caddy")
    return found or "caddy"
