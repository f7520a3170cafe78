"""Django behind the dispatcher: WSGI in a few threads, which is faster for it than ASGI."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import quote

import structlog

from velvetrope.web.addresses import block_of
from velvetrope.web.bodies import Bodies, GoneError, TooLargeError, TooSlowError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator, MutableMapping
    from typing import TypeAlias

    from velvetrope.web.addresses import ClientAddresses

    Scope: TypeAlias = MutableMapping[str, Any]
    Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
    Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]
    #: A WSGI application (PEP 3333).
    Wsgi: TypeAlias = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

T = TypeVar("T")

log = structlog.get_logger()

THREADS: Final = 3
#: Requests that are here at the same time, of one address and of all; more are told to come back.
#: A browser has six; each may be somebody who sends or reads as slowly as it can.
MOST_OF_ONE: Final = 20
MOST_OF_ALL: Final = 300
#: Larger bodies are refused: nothing in the console needs them.
MOST_BODY: Final = 3 * 1024 * 1024
_BODY_SECONDS: Final = 30.0
#: Bytes of an answer that are held for a client; a thread fetches more when they are on their way.
_AT_ONCE: Final = 256 * 1024

_COME_BACK: Final = [(b"retry-after", b"2"), (b"connection", b"close")]
_GO_AWAY: Final = [(b"connection", b"close")]


class WsgiInThreads:
    """Runs a WSGI application for ASGI requests; no thread ever waits for a client."""

    def __init__(self, application: Wsgi, addresses: ClientAddresses) -> None:
        self._application = application
        self._addresses = addresses
        self._bodies = Bodies(MOST_BODY, _BODY_SECONDS)
        self._threads = ThreadPoolExecutor(THREADS, "velvetrope-console")
        self._present: Counter[str] = Counter()

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        block = block_of(self._addresses.of(scope))
        if self._present[block] >= MOST_OF_ONE or self._present.total() >= MOST_OF_ALL:
            await _plain(send, HTTPStatus.SERVICE_UNAVAILABLE, _COME_BACK)
            return
        self._present[block] += 1
        try:
            body = await self._bodies.read(scope, receive)
            await self._run(self._environ(scope, body), send)
        except GoneError:
            return
        except TooLargeError:
            await _plain(send, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _GO_AWAY)
        except TooSlowError:
            await _plain(send, HTTPStatus.REQUEST_TIMEOUT, _GO_AWAY)
        finally:
            self._present[block] -= 1
            if not self._present[block]:
                del self._present[block]

    async def _run(self, environ: dict[str, Any], send: Send) -> None:
        answer = _Answer(self._application, environ)
        try:
            piece = await self._in_thread(answer.begin)
            start = {"status": answer.status, "headers": answer.headers}
            await send({"type": "http.response.start", **start})
            while not answer.is_over:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
                piece = await self._in_thread(answer.more)
            await send({"type": "http.response.body", "body": piece})
        finally:
            if not answer.is_over:
                await self._in_thread(answer.close)

    async def _in_thread(self, do: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, do)

    def _environ(self, scope: Scope, body: bytes) -> dict[str, Any]:
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
            "wsgi.input": BytesIO(body),
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
        environ["CONTENT_LENGTH"] = str(len(body))  # what was read, whatever was declared
        return environ


class _Answer:
    """An answer of the application, made and fetched in threads, a part at a time."""

    def __init__(self, application: Wsgi, environ: dict[str, Any]) -> None:
        self._application = application
        self._environ = environ
        self._pieces: Iterable[bytes] = ()
        self._iterator: Iterator[bytes] = iter(())
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.is_over = False

    def begin(self) -> bytes:
        """Have the answer made; gives its first part."""
        try:
            self._pieces = self._application(self._environ, self._start)
            self._iterator = iter(self._pieces)
            return self.more()
        except Exception:
            log.exception("wsgi_failed", path=self._environ["PATH_INFO"])
            self.close()
            self.status, self.headers = HTTPStatus.INTERNAL_SERVER_ERROR.value, []
            return b"Internal Server Error\n"

    def more(self) -> bytes:
        """Give the next part; it is the last one if the answer is over then."""
        part = bytearray()
        for piece in self._iterator:
            part += piece
            if len(part) >= _AT_ONCE:
                return bytes(part)
        self.close()
        return bytes(part)

    def close(self) -> None:
        """Let go of what the answer holds: a file, for one."""
        self.is_over = True
        close = getattr(self._pieces, "close", None)
        if close is not None:
            close()

    def _start(
        self,
        status: str,
        headers: list[tuple[str, str]],
        exc_info: object = None,  # noqa: ARG002  what was said before is replaced, as it asks for
    ) -> Callable[[bytes], None]:
        self.status = int(status.partition(" ")[0])
        self.headers = [
            (name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers
        ]
        return _refuse_write


def _refuse_write(_data: bytes) -> None:
    raise NotImplementedError("answers are iterated, never written")


async def _plain(send: Send, status: HTTPStatus, headers: list[tuple[bytes, bytes]]) -> None:
    body = f"{status.phrase}\n".encode()
    head = [(b"content-type", b"text/plain"), (b"content-length", b"%d" % len(body)), *headers]
    await send({"type": "http.response.start", "status": status.value, "headers": head})
    await send({"type": "http.response.body", "body": body})
