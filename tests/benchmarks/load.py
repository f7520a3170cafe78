"""The load: many connections that post one request after another and time each answer."""

from __future__ import annotations

import asyncio
import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, cast

import uvloop

if TYPE_CHECKING:
    from collections.abc import Sequence

_LENGTH: Final = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_LAST_CHUNK: Final = b"0\r\n\r\n"
_PATIENCE: Final = 120


@dataclass
class Posted:
    """What came of a run; times in seconds, `sent` of the monotonic clock in the order given."""

    seconds: float
    latencies: list[float]
    refused: int
    sent: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        return len(self.latencies) / self.seconds

    def milliseconds(self, share: float) -> float:
        """Give the latency that a share of the answers stayed below."""
        return percentile(self.latencies, share) * 1000


def percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


class _Connection(asyncio.Protocol):
    def __init__(self, run: _Run, loop: asyncio.AbstractEventLoop) -> None:
        self._run = run
        self._loop = loop
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
            return
        length = _LENGTH.search(self._buffer, 0, end)
        if length is None and not self._buffer.endswith(_LAST_CHUNK):
            return
        if length is not None and len(self._buffer) < end + 4 + int(length[1]):
            return
        self._run.answered(self._number, self._buffer.startswith(b"HTTP/1.1 200"))
        self._buffer = b""
        self.post()

    def post(self) -> None:
        number = self._run.next()
        if number is None:
            return
        self._number = number
        if self._run.pace is None:
            self._run.sent[number] = time.monotonic()
            self._write()
        else:  # what is late counts from when it should have been posted
            due = self._run.sent[number] = self._run.started + number / self._run.pace
            self._loop.call_later(max(due - time.monotonic(), 0), self._write)

    def _write(self) -> None:
        if self._transport is not None:
            self._transport.write(self._run.requests[self._number])


class _Run:
    """Posts when an answer has come, or, with a `pace`, by the clock: so many a second."""

    def __init__(
        self, port: int, requests: Sequence[bytes], connections: int, pace: float | None
    ) -> None:
        self.requests = requests
        self.pace = pace
        self.started = 0.0
        self.sent = [0.0] * len(requests)
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
            await loop.create_connection(lambda: _Connection(self, loop), "127.0.0.1", self._port)
            for _ in range(self._connections)
        ]
        self.started = time.monotonic()
        for _, connection in pairs:
            connection.post()
        await asyncio.wait_for(self.done, _PATIENCE)
        seconds = time.monotonic() - self.started
        for transport, _ in pairs:
            transport.close()
        return Posted(seconds, self._latencies, self._refused, self.sent)


def post(
    port: int, requests: Sequence[bytes], connections: int, pace: float | None = None
) -> Posted:
    """Post everything, each connection its next when the last is answered; all must be taken.

    With a `pace` so many a second, whether or not the last one was quick.
    """

    async def run() -> Posted:
        return await _Run(port, requests, connections, pace).run()

    posted = uvloop.run(run())
    if posted.refused:
        raise AssertionError(f"{posted.refused} of {len(requests)} were refused")
    return posted
