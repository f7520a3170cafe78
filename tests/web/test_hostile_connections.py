"""One client that doesn't play by the rules costs the server little, and the others nothing."""

from __future__ import annotations

import asyncio
import re
import resource
import socket
import time
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pytest
import uvicorn
from uvicorn.server import ServerState

from tests.web.serving import Served
from velvetrope.web.connections import House, Patience

if TYPE_CHECKING:
    from collections.abc import Iterator, MutableMapping

PATIENCE = Patience(head_seconds=0.3, head_bytes=4096, write_seconds=0.3)
ANSWER = b"x" * 4_000_000


@pytest.fixture(scope="module")
def served(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("hostile"), migrated_file) as place:
        yield place


def resident_mib(pid: int) -> float:
    found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found[1]) / 1024


def send_until_refused(line: socket.socket, piece: bytes, most: int) -> int:
    """Send until the other end has had enough, or until `most` bytes; gives how many went."""
    sent = 0
    try:
        while sent < most:
            line.sendall(piece)
            sent += len(piece)
    except (ConnectionError, TimeoutError):
        pass
    return sent


@pytest.mark.parametrize(
    ("start", "piece"),
    [
        (b"GET /up HTTP/1.1\r\nhost: x\r\nx: ", b"a" * 65536),
        (b"GET /up HTTP/1.1\r\n", b"x: " + b"a" * 65536 + b"\r\n"),
        (b"GET /", b"a" * 65536),
        (b"", b"\r\n" * 32768),
        (
            b"POST /admin/ HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n0\r\nx: ",
            b"a" * 65536,
        ),
        (
            b"POST /admin/ HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n",
            b"1;" + b"a" * 65536,
        ),
    ],
    ids=["header", "headers", "path", "empty lines", "trailer", "chunk extension"],
)
def test_a_head_without_end_is_cut_off(served: Served, start: bytes, piece: bytes) -> None:
    pid = served.installation.server.pid
    before = resident_mib(pid)
    address = ("127.0.0.1", served.installation.port)
    with socket.create_connection(address, 5.0) as line:
        line.sendall(start)
        sent = send_until_refused(line, piece, most=48 * 1024 * 1024)
    assert sent < 32 * 1024 * 1024
    assert resident_mib(pid) < before + 16
    assert served.http.get("/up").status_code == 200


def test_two_hundred_headers_are_enough_for_everybody(served: Served) -> None:
    lines = b"".join(b"x-%d: 1\r\n" % number for number in range(400))
    answer = served.raw(b"GET /up HTTP/1.1\r\nhost: x\r\n" + lines + b"\r\n")
    assert answer.startswith(b"HTTP/1.1 400 ")


def test_broken_http_and_foreign_hosts_leave_no_line_in_the_log(served: Served) -> None:
    before = len(served.installation.log_text())
    for _ in range(20):
        served.raw(b"nonsense\r\n\r\n")
        served.raw(b"GET /admin/ HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n")
        served.raw(b"GET /up HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n")
    assert len(served.installation.log_text()) == before


def test_clients_that_hang_up_amid_several_answers_leave_no_trace(served: Served) -> None:
    page = b"GET /admin/login/ HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n"
    for _ in range(5):
        with socket.create_connection(("127.0.0.1", served.installation.port), 5.0) as line:
            line.sendall(page * 30)
            line.recv(100)
    served.http.get("/admin/login/")
    assert "Traceback" not in served.installation.log_text()


def test_thousands_of_idle_connections_leave_room_for_a_delivery(served: Served) -> None:
    pid = served.installation.server.pid
    number = min(2000, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 200)
    before = resident_mib(pid)
    with ExitStack() as stack:
        for _ in range(number):
            line = socket.create_connection(("127.0.0.1", served.installation.port), 5.0)
            stack.enter_context(closing(line))
        assert served.http.get("/up").status_code == 200
        assert resident_mib(pid) < before + number * 0.04


# The same protocol in this process, with less patience.


async def application(
    scope: MutableMapping[str, Any],
    receive: Any,  # noqa: ARG001  ASGI
    send: Any,
) -> None:
    if scope["path"] == "/hangs":
        await asyncio.sleep(1.0)
    body = ANSWER if scope["path"] == "/large" else b"well"
    head = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": head})
    for start in range(0, len(body), 65536):
        piece = body[start : start + 65536]
        more = start + 65536 < len(body)
        await send({"type": "http.response.body", "body": piece, "more_body": more})


class Server:
    """The protocol, in front of an application that answers at once or never."""

    def __init__(self, most: int = 100) -> None:
        self.house = House(most, PATIENCE)
        self.state = ServerState()

    async def __aenter__(self) -> Self:
        config = uvicorn.Config(application, lifespan="off", log_config=None)

        def protocol() -> asyncio.Protocol:
            return self.house.protocol(config=config, server_state=self.state, app_state={})

        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(protocol, "127.0.0.1", 0)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        for connection in list(self.house.idle):
            connection.transport.abort()
        self._server.close()
        await self._server.wait_closed()

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def emptied(self, seconds: float = 3.0) -> float:
        """Wait until nobody is connected; gives the seconds that it took."""
        started = time.monotonic()
        while self.state.connections:
            assert time.monotonic() - started < seconds, "a connection is still there"
            await asyncio.sleep(0.01)
        return time.monotonic() - started


@pytest.mark.parametrize(
    "start",
    [
        b"",
        b"\r\n",
        b"GET /up HT",
        b"GET /up HTTP/1.1\r\nhost: x\r\n",
        b"GET /up HTTP/1.1\r\nhost: x\r\n\r\nGET /up HT",
        b"GET /up HTTP/1.1\r\nhost: x\r\n\r\n\r\n",
        b"POST /up HTTP/1.1\r\nhost: x\r\ncontent-length: 99999\r\n\r\nthe rest never comes",
    ],
)
async def test_who_does_not_come_to_a_request_is_not_waited_for(start: bytes) -> None:
    async with Server() as server:
        _, writer = await server.connect()
        writer.write(start)
        await asyncio.sleep(0.05)
        assert server.state.connections
        # The last drip of a slow client doesn't buy it more time.
        drip = asyncio.ensure_future(dripping(writer))
        assert await server.emptied() < 2.0
        drip.cancel()
        writer.close()


async def dripping(writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"\r\n")
        await asyncio.sleep(0.05)


async def test_who_does_not_read_an_answer_is_not_waited_for() -> None:
    async with Server() as server:
        for ending in (b"", b"connection: close\r\n"):
            line = socket.socket()
            line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            line.settimeout(0)
            with closing(line):
                loop = asyncio.get_running_loop()
                await loop.sock_connect(line, ("127.0.0.1", server.port))
                asked = b"GET /large HTTP/1.1\r\nhost: x\r\n" + ending + b"\r\n"
                await loop.sock_sendall(line, asked)
                await asyncio.sleep(0.05)
                assert server.state.connections
                await server.emptied()


async def test_a_slow_application_and_a_client_between_requests_are_waited_for() -> None:
    async with Server() as server:
        reader, writer = await server.connect()
        for path in (b"/hangs", b"/up", b"/large"):
            writer.write(b"GET " + path + b" HTTP/1.1\r\nhost: x\r\n\r\n")
            await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(len(ANSWER) if path == b"/large" else 4)
            await asyncio.sleep(PATIENCE.head_seconds * 2)  # longer than a head may take
        assert len(server.state.connections) == 1
        writer.close()
        await server.emptied()


async def test_in_a_full_house_the_one_who_waits_longest_without_a_request_goes() -> None:
    async with Server(most=3) as server:
        idle_reader, idle = await server.connect()
        await asyncio.sleep(0.02)
        others = [await server.connect() for _ in range(2)]
        for _, writer in others:
            writer.write(b"GET /hangs HTTP/1.1\r\nhost: x\r\n\r\n")
        await asyncio.sleep(0.02)
        new_reader, new = await server.connect()
        new.write(b"GET /up HTTP/1.1\r\nhost: x\r\n\r\n")
        assert (await new_reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
        assert await idle_reader.read() == b""
        for reader, _ in others:
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
        for writer in (idle, new, *(writer for _, writer in others)):
            writer.close()


async def test_trailers_are_no_headers() -> None:
    seen: list[bytes] = []

    async def late(scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        while (await receive()).get("more_body"):
            pass
        seen.extend(name for name, _ in scope["headers"])
        await application(scope, receive, send)

    state, house = ServerState(), House(10, PATIENCE)
    config = uvicorn.Config(late, lifespan="off", log_config=None)
    loop = asyncio.get_running_loop()
    listener = await loop.create_server(
        lambda: house.protocol(config=config, server_state=state, app_state={}), "127.0.0.1", 0
    )
    reader, writer = await asyncio.open_connection(*listener.sockets[0].getsockname())
    writer.write(
        b"POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n"
        b"1\r\na\r\n0\r\nx-forwarded-for: 192.0.2.1\r\n\r\n"
    )
    assert (await reader.read()).startswith(b"HTTP/1.1 200 ")
    writer.close()
    listener.close()
    assert b"host" in seen
    assert b"x-forwarded-for" not in seen
