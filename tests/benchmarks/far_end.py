"""The far end: a Bot API that says yes and notes when it was asked, and a Stripe of its own.

Prints the port that it listens on. `GET /log/N` waits until N messages came, then gives all since
the last time: [[chat id, seconds of the monotonic clock], …]. With `--limit N` a bot that sends
more than N messages within a second gets 429; `GET /refused` tells how often that was.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import time
from collections import defaultdict, deque
from typing import Final, cast

import uvloop

from tests.benchmarks import stripe_events

_LENGTH: Final = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_CHAT: Final = re.compile(rb"chat_id(?:\": *|=)\"?(-?\d+)")
_METHOD: Final = re.compile(rb"POST /bot([^/ ]+)/(\w+)")
_HEAD: Final = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b"
_TOO_MANY: Final = b"HTTP/1.1 429 Too Many Requests\r\ncontent-length: %d\r\n\r\n%b"


def _answer(body: bytes) -> bytes:
    return _HEAD % (len(body), body)


def _result(value: object) -> bytes:
    return _answer(json.dumps({"ok": True, "result": value}).encode())


_MESSAGE: Final = _result({"message_id": 1, "date": 0, "chat": {"id": 1, "type": "private"}})
_BOT: Final = _result(
    {
        "id": 123456789,
        "is_bot": True,
        "first_name": "Bench",
        "username": "bench_bot",
        "can_join_groups": True,
        "can_read_all_group_messages": False,
        "supports_inline_queries": False,
    }
)
_PERSON: Final = {"id": 1, "is_bot": False, "first_name": "Somebody"}
_LINK: Final = {
    "invite_link": "https://t.me/+bench",
    "creator": {"id": 123456789, "is_bot": True, "first_name": "Bench"},
    "creates_join_request": True,
    "is_primary": False,
    "is_revoked": False,
}
_RESULTS: Final = {
    b"getMe": _BOT,
    b"setWebhook": _result(value=True),
    b"getChatMember": _result({"status": "left", "user": _PERSON}),
    b"createChatInviteLink": _result(_LINK),
}
_SLOWER: Final = json.dumps(
    {
        "ok": False,
        "error_code": 429,
        "description": "Too Many Requests: retry after 1",
        "parameters": {"retry_after": 1},
    }
).encode()
_REFUSED: Final = _TOO_MANY % (len(_SLOWER), _SLOWER)


class Log:
    """What was sent to whom; one reader may wait for more."""

    def __init__(self, limit: int = 0) -> None:
        self.refused = 0
        self._limit = limit
        self._times: dict[bytes, deque[float]] = defaultdict(deque)
        self._seen: list[tuple[int, float]] = []
        self._wanted = 0
        self._reader: asyncio.WriteTransport | None = None

    def note(self, chat: int) -> None:
        self._seen.append((chat, time.monotonic()))
        if self._reader is not None and len(self._seen) >= self._wanted:
            self._give(self._reader)

    def is_too_much(self, bot: bytes) -> bool:
        """Count a message of a bot, and tell whether it is one too many within a second."""
        if not self._limit:
            return False
        times, now = self._times[bot], time.monotonic()
        while times and times[0] <= now - 1:
            times.popleft()
        if len(times) >= self._limit:
            self.refused += 1
            return True
        times.append(now)
        return False

    def ask(self, reader: asyncio.WriteTransport, wanted: int) -> None:
        if len(self._seen) >= wanted:
            self._give(reader)
        else:
            self._reader, self._wanted = reader, wanted

    def leave(self, reader: asyncio.WriteTransport | None) -> None:
        if reader is self._reader:
            self._reader = None

    def _give(self, reader: asyncio.WriteTransport) -> None:
        self._reader = None
        reader.write(_answer(json.dumps(self._seen).encode()))
        self._seen.clear()


class FarEnd(asyncio.Protocol):
    def __init__(self, log: Log) -> None:
        self._log = log
        self._buffer = b""
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)  # uvloop's have no such base

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  asyncio's signature
        self._log.leave(self._transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            length = _LENGTH.search(self._buffer, 0, end)
            whole = end + 4 + (int(length[1]) if length else 0)
            if len(self._buffer) < whole:
                return
            request, self._buffer = self._buffer[:whole], self._buffer[whole:]
            self._take(request, end + 4)

    def _take(self, request: bytes, body: int) -> None:
        assert self._transport is not None
        if request.startswith(b"GET /log/"):
            self._log.ask(self._transport, int(request.split(b" ", 2)[1][5:]))
            return
        if request.startswith(b"GET /refused"):
            self._transport.write(_answer(b"%d" % self._log.refused))
            return
        if b" /v1/" in request[:12]:
            found = stripe_events.answer(request.split(b" ", 2)[1].decode())
            self._transport.write(_answer(json.dumps(found).encode()))
            return
        method = _METHOD.match(request)
        name = method[2] if method else b""
        if method and name == b"sendMessage" and (chat := _CHAT.search(request, body)):
            if self._log.is_too_much(method[1]):
                self._transport.write(_REFUSED)
                return
            self._log.note(int(chat[1]))
        self._transport.write(_RESULTS.get(name, _MESSAGE))


async def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--limit", type=int, default=0)
    log = Log(options.parse_args().limit)
    server = await asyncio.get_running_loop().create_server(lambda: FarEnd(log), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main())
