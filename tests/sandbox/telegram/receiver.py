"""A webhook that keeps what it is told and answers as a test wishes."""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

from tests.processes import eventually

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Got:
    """One delivery: when it came, with which secret, and what."""

    at: float
    secret: str | None
    update: dict[str, Any]

    @property
    def id(self) -> int:
        return int(self.update["update_id"])

    @property
    def kind(self) -> str:
        return next(name for name in self.update if name != "update_id")

    @property
    def text(self) -> str:
        return str(self.update["message"]["text"])


@dataclass
class Answer:
    """What the webhook says; `gate` is waited for first."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    gate: threading.Event | None = None


class Receiver:
    """Serves on a free port; `plan` decides per delivery, else everything is taken."""

    def __init__(self) -> None:
        self.got: list[Got] = []
        self.answers: deque[Answer] = deque()
        self.plan: Callable[[Got], Answer | None] = lambda _got: None
        self._lock = threading.Lock()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                secret = self.headers.get("X-Telegram-Bot-Api-Secret-Token")
                answer = receiver._take(Got(time.monotonic(), secret, json.loads(body)))
                if answer.gate is not None:
                    answer.gate.wait(10)
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: object) -> None:
                pass

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/hook"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _take(self, got: Got) -> Answer:
        with self._lock:
            self.got.append(got)
            planned = self.plan(got)
            if planned is not None:
                return planned
            return self.answers.popleft() if self.answers else Answer()

    def wait(self, count: int, *, seconds: float = 10.0) -> list[Got]:
        """Wait for so many deliveries and give them all."""
        eventually(lambda: len(self.got) >= count, seconds=seconds, what=f"{count} deliveries")
        return list(self.got)
