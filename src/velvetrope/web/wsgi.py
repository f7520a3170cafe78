"""Django behind the dispatcher: WSGI in a few threads, which is faster for it than ASGI."""

from __future__ import annotations

import asyncio
import sys
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from tempfile import SpooledTemporaryFile
from typing import IO, TYPE_CHECKING, Any, Final
from urllib.parse import quote

import structlog

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, MutableMapping
    from typing import TypeAlias

    from velvetrope.web.addresses import ClientAddresses

    Scope: TypeAlias = MutableMapping[str, Any]
    Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
    Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]
    #: A WSGI application (PEP 3333).
    Wsgi: TypeAlias = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

log = structlog.get_logger()

THREADS: Final = 3
#: Requests that may wait for a thread; more are told to come back.
WAITING: Final = 100
#: Larger bodies are refused: nothing in the console needs them.
MOST_BODY: Final = 10 * 1024 * 1024
_IN_MEMORY: Final = 256 * 1024
_BODY_SECONDS: Final = 30.0
#: Pieces of an answer that may wait for a slow client before the thread does.
_PIECES: Final = 8


class WsgiInThreads:
    """Runs a WSGI application for ASGI requests."""

    def __init__(self, application: Wsgi, addresses: ClientAddresses) -> None:
        self._application = application
        self._addresses = addresses
        self._threads = ThreadPoolExecutor(THREADS, "velvetrope-console")
        self._running = 0

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._running >= THREADS + WAITING:
            await _plain(send, HTTPStatus.SERVICE_UNAVAILABLE, [(b"retry-after", b"2")])
            return
        self._running += 1
        try:
            with SpooledTemporaryFile(_IN_MEMORY) as body:
                status = await _spool(receive, body)
                if status is not None:
                    await _plain(send, status, [(b"connection", b"close")])
                    return
                await self._run(self._environ(scope, body), send)
        except _GoneError:
            return
        finally:
            self._running -= 1

    async def _run(self, environ: dict[str, Any], send: Send) -> None:
        loop = asyncio.get_running_loop()
        pieces: asyncio.Queue[MutableMapping[str, Any] | None] = asyncio.Queue(_PIECES)

        def put(piece: MutableMapping[str, Any] | None) -> None:
            asyncio.run_coroutine_threadsafe(pieces.put(piece), loop).result()

        thread = loop.run_in_executor(self._threads, self._in_thread, environ, put)
        try:
            while (piece := await pieces.get()) is not None:
                await send(piece)
        finally:
            while not thread.done():  # a client that hung up must not keep the thread waiting
                while not pieces.empty():
                    pieces.get_nowait()
                await asyncio.wait([thread], timeout=0.01)
            await thread

    def _in_thread(
        self, environ: dict[str, Any], put: Callable[[MutableMapping[str, Any] | None], None]
    ) -> None:
        start: dict[str, Any] = {}

        def start_response(
            status: str, headers: list[tuple[str, str]], exc_info: object = None
        ) -> Callable[[bytes], None]:
            if exc_info is not None and start.get("sent"):
                raise RuntimeError("the answer has begun already")
            start["status"] = int(status.partition(" ")[0])
            start["headers"] = [
                (name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers
            ]
            return _refuse_write

        def begin() -> None:
            start["sent"] = True
            put(
                {
                    "type": "http.response.start",
                    "status": start["status"],
                    "headers": start["headers"],
                }
            )

        try:
            answer = self._application(environ, start_response)
            try:
                for piece in answer:
                    if not start.get("sent"):
                        begin()
                    put({"type": "http.response.body", "body": piece, "more_body": True})
            finally:
                close = getattr(answer, "close", None)
                if close is not None:
                    close()
            if not start.get("sent"):
                begin()
            put({"type": "http.response.body", "body": b""})
        except Exception:
            log.exception("wsgi_failed", path=environ["PATH_INFO"])
            if not start.get("sent"):
                put({"type": "http.response.start", "status": 500, "headers": []})
                put({"type": "http.response.body", "body": b"Internal Server Error\n"})
        finally:
            put(None)

    def _environ(self, scope: Scope, body: IO[bytes]) -> dict[str, Any]:
        server = scope.get("server") or ("localhost", 80)
        environ: dict[str, Any] = {
            "REQUEST_METHOD": scope["method"],
            "SCRIPT_NAME": "",
            "PATH_INFO": scope["path"].encode().decode("latin-1"),
            "RAW_URI": quote(scope["path"]),
            "QUERY_STRING": scope["query_string"].decode("latin-1"),
            "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
            "SERVER_NAME": str(server[0]),
            "SERVER_PORT": str(server[1] or 0),
            "REMOTE_ADDR": self._addresses.of(scope),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "https" if self._addresses.is_secure(scope) else "http",
            "wsgi.input": body,
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        for raw_name, raw_value in scope["headers"]:
            name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
            if "_" in name:
                continue  # would pass for the same name with hyphens
            key = name.upper().replace("-", "_")
            key = key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"
            glue = "; " if key == "HTTP_COOKIE" else ","
            environ[key] = f"{environ[key]}{glue}{value}" if key in environ else value
        body.seek(0, 2)
        environ["CONTENT_LENGTH"] = str(body.tell())  # what was read, whatever was declared
        body.seek(0)
        return environ


class _GoneError(Exception):
    """The client hung up before its request was complete."""


def _refuse_write(_data: bytes) -> None:
    raise NotImplementedError("answers are iterated, never written")


async def _spool(receive: Receive, body: IO[bytes]) -> HTTPStatus | None:
    """Read the body; gives the status of a refusal, or None."""
    size = 0
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise _GoneError
                piece: bytes = message.get("body", b"")
                size += len(piece)
                if size > MOST_BODY:
                    return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
                body.write(piece)
                if not message.get("more_body"):
                    return None
    except TimeoutError:
        return HTTPStatus.REQUEST_TIMEOUT


async def _plain(send: Send, status: HTTPStatus, headers: list[tuple[bytes, bytes]]) -> None:
    body = f"{status.phrase}\n".encode()
    head = [(b"content-type", b"text/plain"), (b"content-length", b"%d" % len(body)), *headers]
    await send({"type": "http.response.start", "status": status.value, "headers": head})
    await send({"type": "http.response.body", "body": body})
