"""The far end: a Bot API that says yes and notes when it was asked, and a Stripe without events.

Prints the port that it listens on. `GET /log` gives [[chat id, seconds of the monotonic clock], …]
since the last `GET /log`.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from typing import cast

import uvloop

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_CHAT = re.compile(rb'"chat_id": *(-?\d+)')
_RESULT = b'{"ok":true,"result":{"message_id":1,"date":0,"chat":{"id":1,"type":"private"}}}'
#: Stripe, which is asked by the clock for what was missed: there is nothing.
_NOTHING = b'{"object":"list","data":[],"has_more":false,"url":"/v1"}'
_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b"
_ANSWER = _HEAD % (len(_RESULT), _RESULT)
_NO_EVENTS = _HEAD % (len(_NOTHING), _NOTHING)

seen: list[tuple[int, float]] = []


class FarEnd(asyncio.Protocol):
    def __init__(self) -> None:
        self._buffer = b""
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)  # uvloop's have no such base

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            length = _LENGTH.search(self._buffer, 0, end)
            whole = end + 4 + (int(length[1]) if length else 0)
            if len(self._buffer) < whole:
                return
            request, self._buffer = self._buffer[:whole], self._buffer[whole:]
            self._answer(request, end + 4)

    def _answer(self, request: bytes, body: int) -> None:
        assert self._transport is not None
        if request.startswith(b"GET /log"):
            said = json.dumps(seen).encode()
            seen.clear()
            self._transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(said))
            self._transport.write(said)
            return
        if request.startswith(b"GET /v1/"):
            self._transport.write(_NO_EVENTS)
            return
        chat = _CHAT.search(request, body)
        if chat is not None and b"/sendMessage" in request[:120]:
            seen.append((int(chat[1]), time.monotonic()))
        self._transport.write(_ANSWER)


async def main() -> None:
    server = await asyncio.get_running_loop().create_server(FarEnd, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main())
