"""A server in a process of its own, with one bot whose far end is nowhere."""

from __future__ import annotations

import socket
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Self

from django.db import connections

from tests.processes import Installation
from tests.web.deliveries import make_integration

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def looking_at(file: Path) -> Iterator[None]:
    """Have this thread's models read and write the file of another process."""
    values = connections.settings["default"]
    connections["default"].close()
    before, values["NAME"] = values["NAME"], str(file)
    connections["default"].settings_dict["NAME"] = str(file)
    try:
        yield
    finally:
        connections["default"].close()
        values["NAME"] = before
        connections["default"].settings_dict["NAME"] = before


#: Seconds after which a server is taken to wait for more.
SILENCE = 0.5


class Served:
    """An installation that serves while the block lasts."""

    def __init__(self, folder: Path, migrated: Path, **changes: str) -> None:
        self.installation = Installation(folder, migrated, None, **changes)
        with looking_at(self.installation.database):
            make_integration()

    def __enter__(self) -> Self:
        self.installation.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.installation.close()

    @property
    def http(self) -> Any:
        return self.installation.http

    def raw(self, data: bytes, *, seconds: float = 5.0) -> bytes:
        """Send bytes as they are, then nothing more; give whatever comes back.

        The end is said once something has come, or nothing will: whoever hangs up before gets no
        answer.
        """
        with socket.create_connection(("127.0.0.1", self.installation.port), seconds) as line:
            answer = b""
            # A server that has answered already may be gone before all was sent.
            with suppress(OSError):
                line.sendall(data)
            line.settimeout(SILENCE)
            with suppress(ConnectionError, TimeoutError):
                answer += line.recv(65536)
            line.settimeout(seconds)
            with suppress(OSError):
                line.shutdown(socket.SHUT_WR)
            with suppress(ConnectionError, TimeoutError):
                while piece := line.recv(65536):
                    answer += piece
            return answer
