"""How long and how much the server bears from one connection before it has asked anything.

uvicorn's protocol waits for ever: for the head of a first request, for a head without end, for a
client that doesn't read its answer. Each of these would cost an attacker nothing and the server
a file descriptor or its memory. Nothing of what is refused here is logged: whoever can reach the
port could fill the disk with it.
"""

from __future__ import annotations

import logging
import resource
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

if TYPE_CHECKING:
    import asyncio

#: Name of the logger that uvicorn is given for what clients do wrong.
LOGGER: Final = "velvetrope.connections"

#: Connections of one process; each costs some ten KiB.
_MOST_CONNECTIONS: Final = 10_000
#: Descriptors that are kept for the database, the vendors and everything else.
_DESCRIPTORS_KEPT: Final = 256
_FEWEST_CONNECTIONS: Final = 64
_MOST_HEADERS: Final = 200

_TOO_LARGE: Final = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-length: 0\r\nconnection: close\r\n\r\n"
)


@dataclass(frozen=True, slots=True)
class Patience:
    """Bounds of one connection; sizes in bytes, times in seconds."""

    #: For the head of a request, from its first byte or from the connection's beginning; and for
    #: what a client still sends or has not yet read after its answer.
    head_seconds: float = 10.0
    head_bytes: int = 64 * 1024
    #: For reading some of an answer that is ready to be read.
    write_seconds: float = 30.0


@dataclass(slots=True)
class House:
    """All connections of a server; if it is full, who waits longest without a request goes."""

    most: int = _MOST_CONNECTIONS
    patience: Patience = field(default_factory=Patience)
    #: Those without a request, in the order in which they began to wait.
    idle: dict[PatientProtocol, None] = field(default_factory=dict)

    def protocol(self, **options: Any) -> PatientProtocol:
        """Make the protocol of a new connection, as uvicorn asks for it."""
        return PatientProtocol(self, **options)


def room_for_connections() -> int:
    """Raise the process's limit of descriptors and give how many connections fit below it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST_CONNECTIONS + _DESCRIPTORS_KEPT
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    if soft == resource.RLIM_INFINITY:
        return _MOST_CONNECTIONS
    return max(_FEWEST_CONNECTIONS, min(_MOST_CONNECTIONS, soft - _DESCRIPTORS_KEPT))


class PatientProtocol(HttpToolsProtocol):
    """uvicorn's protocol with an end to its patience."""

    def __init__(self, house: House, **options: Any) -> None:
        super().__init__(**options)
        self.logger = logging.getLogger(LOGGER)
        self._house = house
        self._in_head = False
        self._is_lost = False
        #: Whether the data at hand held a body or the end of a head.
        self._is_useful = False
        #: Bytes since the last that were of use: of a head, of trailers, of nothing at all.
        self._useless = 0
        self._unfinished: list[RequestResponseCycle] = []
        self._deadline: asyncio.TimerHandle | None = None
        self._write_deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        super().connection_made(transport)
        self._house.idle[self] = None
        self._hurry()
        if len(self.connections) > self._house.most:
            next(iter(self._house.idle)).transport.abort()  # itself, if all others are busy

    def connection_lost(self, exc: Exception | None) -> None:
        self._is_lost = True
        self._house.idle.pop(self, None)
        self._relax()
        self._stop_write_deadline()
        for cycle in self._unfinished:  # uvicorn tells the last one of several only
            cycle.disconnected = True
            cycle.message_event.set()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._is_useful = False
        super().data_received(data)
        self._useless = 0 if self._is_useful else self._useless + len(data)
        if self._useless > self._house.patience.head_bytes and not self.transport.is_closing():
            if not self._is_answering():
                self.transport.write(_TOO_LARGE)
                self.transport.close()
            else:  # trailers without end
                self.transport.abort()
        if self._in_head or not self._is_answering() or self.transport.is_closing():
            self._hurry()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head = True

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._in_head:
            return  # a trailer; proxies take care of what stands in heads only
        if len(self.headers) >= _MOST_HEADERS:
            raise ValueError("too many headers")
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._is_useful = True
        self._relax()
        self._house.idle.pop(self, None)
        super().on_headers_complete()
        self._unfinished = [one for one in self._unfinished if not one.response_complete]
        self._unfinished.append(self.cycle)

    def on_body(self, body: bytes) -> None:
        self._is_useful = True
        super().on_body(body)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._is_lost:
            return
        if self.transport.is_closing():
            self._hurry()  # the answer may not have been read yet
        elif not self._is_answering():
            self._house.idle[self] = None

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        if not self._is_lost:
            self._hurry()

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._write_deadline is None and not self._is_lost:
            seconds = self._house.patience.write_seconds
            self._write_deadline = self.loop.call_later(seconds, self.transport.abort)

    def resume_writing(self) -> None:
        self._stop_write_deadline()
        super().resume_writing()

    def _is_answering(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle  # uvicorn's type leaves None out
        return cycle is not None and not cycle.response_complete

    def _hurry(self) -> None:
        """Let the connection end soon, unless the head of a request is complete by then."""
        if self._deadline is None and not self._is_lost:
            seconds = self._house.patience.head_seconds
            self._deadline = self.loop.call_later(seconds, self.transport.abort)

    def _relax(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _stop_write_deadline(self) -> None:
        if self._write_deadline is not None:
            self._write_deadline.cancel()
            self._write_deadline = None
