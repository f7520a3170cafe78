"""A small HTTP server whose answers may be as bad as networks and proxies make them."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import TypeAlias
from urllib.parse import parse_qsl, urlsplit

import msgspec


class Request(msgspec.Struct):
    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def form(self) -> dict[str, str]:
        """The fields of the query and of a form."""
        query = urlsplit(self.target).query
        return dict(parse_qsl(query) + parse_qsl(self.body.decode()))


Reply: TypeAlias = Callable[[Request, asyncio.StreamWriter], Awaitable[None]]


class Server(msgspec.Struct):
    """A running server; `requests` are those that were read so far."""

    url: str
    requests: list[Request]
    asked: asyncio.Event  # set by the first request


@contextlib.asynccontextmanager
async def serving(reply: Reply) -> AsyncIterator[Server]:
    """Serve on a free loopback port; every request is recorded before it is answered."""
    requests: list[Request] = []
    asked = asyncio.Event()
    handlers: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                request = await _read(reader)
                requests.append(request)
                asked.set()
                await reply(request, writer)
                await writer.drain()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(handle(reader, writer))
        handlers.add(task)
        task.add_done_callback(lambda _: writer.close())

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield Server(f"http://127.0.0.1:{port}", requests, asked)
    finally:
        server.close()
        for task in handlers:
            task.cancel()
        await asyncio.gather(*handlers, return_exceptions=True)


async def _read(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, target, _ = head[0].split(" ", 2)
    pairs = (line.split(":", 1) for line in head[1:] if line)
    headers = {name.lower(): value.strip() for name, value in pairs}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Request(method, target, headers, body)


def raw(body: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """Answer with these bytes."""

    async def reply(_: Request, writer: asyncio.StreamWriter) -> None:
        lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        writer.write("\r\n".join([*lines, "", ""]).encode() + body)

    return reply


def answering(data: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """Answer with JSON."""
    return raw(json.dumps(data).encode(), status, headers)


async def silence(_: Request, __: asyncio.StreamWriter) -> None:
    """Read the request and never answer."""
    await asyncio.Event().wait()


async def reset(_: Request, writer: asyncio.StreamWriter) -> None:
    """Drop the connection instead of answering."""
    writer.transport.abort()


async def hang_up(_: Request, writer: asyncio.StreamWriter) -> None:
    """Close the connection in order, without an answer."""
    writer.close()


async def truncated(_: Request, writer: asyncio.StreamWriter) -> None:
    """Promise more than is sent."""
    writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"ok": true, "resu')
    await writer.drain()
    writer.close()


async def stalled(_: Request, writer: asyncio.StreamWriter) -> None:
    """Begin an answer and stop in the middle of it."""
    writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"ok": true, "resu')
    await asyncio.Event().wait()


async def endless(_: Request, writer: asyncio.StreamWriter) -> None:
    """Send an answer that never ends."""
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    piece = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    while True:
        writer.write(piece)
        await writer.drain()


async def gibberish(_: Request, writer: asyncio.StreamWriter) -> None:
    """Speak something else than HTTP."""
    writer.write(b"220 mail.example ESMTP ready\r\n\r\n")
