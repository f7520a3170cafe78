"""The load: many connections that post one update after another and time each answer."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from tests.benchmarks.path.updates import SECRET

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass
class Posted:
    """What came of a run; times in seconds, `sent` of the monotonic clock in the order given."""

    seconds: float
    latencies: list[float]
    refused: int
    sent: list[float] = field(default_factory=list)


class _Connection(asyncio.Protocol):
    def __init__(self, run: Load) -> None:
        self._run = run
        self._transport: asyncio.WriteTransport | None = None
        self._buffer = b""
        self._number = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)  # uvloop's have no such base

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._run.done.done():
            self._run.done.set_exception(exc or ConnectionError("the server hung up"))

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return  # answers have no body here, or a short one in the same packet
        self._run.answered(self._number, self._buffer.startswith(b"HTTP/1.1 200"))
        self._buffer = b""
        self.post()

    def post(self) -> None:
        number = self._run.next()
        if number is None or self._transport is None:
            return
        self._number = number
        self._run.sent[number] = time.monotonic()
        self._transport.write(self._run.requests[number])


class Load:
    def __init__(self, port: int, bodies: Sequence[bytes], connections: int) -> None:
        head = (
            "POST /telegram/bots/webhooks HTTP/1.1\r\nhost: 127.0.0.1\r\n"
            f"x-telegram-bot-api-secret-token: {SECRET}\r\n"
            "content-type: application/json\r\ncontent-length: "
        ).encode()
        self.requests = [head + b"%d\r\n\r\n" % len(body) + body for body in bodies]
        self.sent = [0.0] * len(bodies)
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._port = port
        self._connections = connections
        self._latencies: list[float] = []
        self._refused = 0
        self._given = 0

    def next(self) -> int | None:
        number = self._given
        self._given += 1
        return number if number < len(self.requests) else None

    def answered(self, number: int, good: bool) -> None:
        self._latencies.append(time.monotonic() - self.sent[number])
        self._refused += not good
        if len(self._latencies) == len(self.requests) and not self.done.done():
            self.done.set_result(None)

    async def run(self) -> Posted:
        loop = asyncio.get_running_loop()
        pairs = [
            await loop.create_connection(lambda: _Connection(self), "127.0.0.1", self._port)
            for _ in range(self._connections)
        ]
        started = time.monotonic()
        for _, connection in pairs:
            connection.post()
        await asyncio.wait_for(self.done, 60)
        seconds = time.monotonic() - started
        for transport, _ in pairs:
            transport.close()
        return Posted(seconds, self._latencies, self._refused, self.sent)
