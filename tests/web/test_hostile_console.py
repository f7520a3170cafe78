"""Who isn't signed in can't keep operators out of the console."""

from __future__ import annotations

import re
import socket
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.web.serving import Served

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def served(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("strangers"), migrated_file) as place:
        yield place


def connect(served: Served, source: str = "127.0.0.2", buffer: int = 0) -> socket.socket:
    line = socket.socket()
    if buffer:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    line.settimeout(5.0)
    line.bind((source, 0))
    line.connect(("127.0.0.1", served.installation.port))
    return line


def test_who_does_not_read_keeps_no_thread_waiting(served: Served) -> None:
    page = served.http.get("/admin/login/").text
    found = re.findall(r'href="(/static/[^"]+\.css)"', page)
    largest = max(found, key=lambda path: len(served.http.get(path).content))
    asked = f"GET {largest} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n".encode()
    with ExitStack() as stack:
        for _ in range(6):
            line = stack.enter_context(closing(connect(served, buffer=2048)))
            line.sendall(asked * 60)
        for _ in range(5):
            assert served.http.get("/admin/login/", timeout=5).status_code == 200


def test_who_sends_slowly_takes_nobodys_place(served: Served) -> None:
    head = b"POST /x HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 1000\r\n\r\na"
    with ExitStack() as stack:
        lines = [stack.enter_context(closing(connect(served))) for _ in range(120)]
        for line in lines:
            line.sendall(head)
        refused = lines[-1].recv(1000)
        assert refused.startswith(b"HTTP/1.1 503 ")
        assert b"retry-after: 2" in refused
        assert served.http.get("/admin/login/", timeout=5).status_code == 200
    with closing(connect(served)) as line:  # and has its own place back
        line.sendall(b"GET /nowhere HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n")
        assert line.recv(1000).startswith(b"HTTP/1.1 404 ")


def test_answers_of_every_size_come_whole(served: Served) -> None:
    page = served.http.get("/admin/login/").text
    paths = set(re.findall(r'(?:href|src)="(/static/[^"]+)"', page))
    sizes = []
    for path in paths:
        answer = served.http.get(path)
        assert answer.status_code == 200
        assert int(answer.headers["content-length"]) == len(answer.content)
        head = served.http.head(path)
        assert (head.status_code, head.content) == (200, b"")
        sizes.append(len(answer.content))
    assert max(sizes) > 256 * 1024 > min(sizes)


def test_passwords_are_not_guessed_by_the_thousand(served: Served) -> None:
    def guess(source: str) -> str:
        transport = httpx.HTTPTransport(local_address=source)
        with httpx.Client(transport=transport, base_url=served.installation.url) as browser:
            page = browser.get("/admin/login/").text
            token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
            assert token is not None
            fields = {"csrfmiddlewaretoken": token[1], "username": "anna", "password": "guess"}
            return browser.post("/admin/login/", data=fields).text

    answers = [guess("127.0.0.3") for _ in range(25)]
    assert "correct username and password" in answers[0]
    assert "Too many tries" in answers[-1]
    assert "correct username and password" in guess("127.0.0.1")
