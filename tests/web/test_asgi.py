from __future__ import annotations

import json
import re
import socket
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.processes import eventually
from tests.web.deliveries import SECRET, STRIPE_SECRET, stripe_event, update
from tests.web.serving import Served, looking_at
from velvetrope.gateways.stripe.signatures import sign
from velvetrope.store.models import InboxEvent

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TOKEN = "metrics-token-0123456789"
TELEGRAM = "/telegram/bots/webhooks"
STRIPE = "/stripe/bots/webhooks"
SHOWN = {"x-telegram-bot-api-secret-token": SECRET}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, migrated_file: Path) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("served")
    with Served(folder, migrated_file, VELVETROPE_METRICS_TOKEN=TOKEN) as running:
        yield running


def head(path: str, body: bytes, extra: str = "") -> bytes:
    return (
        f"POST {path} HTTP/1.1\r\nHost: x\r\nX-Telegram-Bot-Api-Secret-Token: {SECRET}\r\n"
        f"{extra}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    ).encode() + body


def status_of(answer: bytes) -> int:
    found = re.match(rb"HTTP/1\.1 (\d{3}) ", answer)
    return int(found[1]) if found else 0


def test_deliveries_are_taken_in_and_kept(served: Served) -> None:
    assert served.http.post(TELEGRAM, content=update(11), headers=SHOWN).status_code == 200
    assert served.http.post(TELEGRAM, content=update(11), headers=SHOWN).status_code == 200
    body = stripe_event("evt_live")
    signature = {"stripe-signature": sign(body, STRIPE_SECRET, int(time.time()))}
    assert served.http.post(STRIPE, content=body, headers=signature).status_code == 200
    with looking_at(served.installation.database):
        known = set(InboxEvent.objects.values_list("source", "external_id"))
    assert {("telegram", "11"), ("stripe", "evt_live")} <= known


def test_the_process_says_that_it_is_up(served: Served) -> None:
    assert served.http.get("/up").text == "up\n"
    assert served.http.head("/up").content == b""
    answer = served.http.post("/up")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")


def test_health_tells_of_its_parts(served: Served) -> None:
    answer = served.http.get("/telegram/bots/health")
    assert answer.status_code == 200
    report = answer.json()
    assert report["status"] == "ok"
    assert set(report["checks"]) == {"database", "queue", "telegram", "stripe"}
    for check in report["checks"].values():
        assert set(check) == {"status", "latency_ms", "detail"}


def test_a_deep_look_asks_the_vendors_and_is_kept_for_a_while(served: Served) -> None:
    started = time.monotonic()
    first = served.http.get("/telegram/bots/health?deep=1")
    assert first.status_code == 503  # nobody is at home there
    checks = first.json()["checks"]
    assert (checks["telegram"]["status"], checks["database"]["status"]) == ("failing", "ok")
    again = served.http.get("/telegram/bots/health?deep=1")
    assert again.json() == first.json()
    assert time.monotonic() - started < 10


def test_metrics_are_for_this_machine_and_for_those_who_know_the_token(served: Served) -> None:
    text = served.http.get("/metrics").text
    assert 'velvetrope_ingress_requests_total{outcome="' in text
    assert "velvetrope_writes_waiting 0.0" in text
    assert served.http.get("/metrics", headers={"x-forwarded-for": "1.1.1.1"}).status_code == 401
    assert served.http.get("/metrics", headers={"host": "shop.example"}).status_code == 401
    assert served.http.get("/metrics", headers={"authorization": "Bearer no"}).status_code == 401
    with_token = {"authorization": f"Bearer {TOKEN}", "x-forwarded-for": "1.1.1.1"}
    assert served.http.get("/metrics", headers=with_token).status_code == 200
    assert served.http.post("/metrics").status_code == 405


def test_everything_else_is_the_consoles(served: Served) -> None:
    answer = served.http.get("/admin/login/")
    assert answer.status_code == 200
    assert "csrf" in answer.text
    assert answer.headers["content-type"].startswith("text/html")
    assert served.http.get("/nowhere").status_code == 404
    assert served.http.get("/").headers["location"] == "/admin/"
    assert served.http.post("/admin/login/", data={"username": "x"}).status_code == 403
    served.http.cookies.clear()


def test_a_form_reaches_the_console_whole(served: Served) -> None:
    page = served.http.get("/admin/login/")
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
    assert token is not None
    form = {"csrfmiddlewaretoken": token[1], "username": "n" * 5000, "password": "x"}
    answer = served.http.post("/admin/login/", data=form, headers={"referer": str(page.url)})
    assert answer.status_code == 200
    served.http.cookies.clear()


def test_a_body_that_is_too_large_for_the_console_is_refused(served: Served) -> None:
    try:
        answer = served.http.post("/admin/login/", content=b"x" * (11 * 1024 * 1024))
    except httpx.TransportError:
        return  # it hung up while we were still talking
    assert answer.status_code == 413


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    database=None,
)
@given(
    body=st.one_of(
        st.binary(max_size=300),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
            lambda inner: (
                st.lists(inner, max_size=5)
                | st.dictionaries(
                    st.sampled_from(["update_id", "message", "chat", "id", "type", "from"]),
                    inner,
                    max_size=6,
                )
            ),
            max_leaves=20,
        ).map(lambda value: json.dumps(value).encode()),
    )
)
def test_no_body_makes_the_server_stumble(served: Served, body: bytes) -> None:
    answer = served.http.post(TELEGRAM, content=body, headers=SHOWN)
    assert answer.status_code in {200, 400, 429}
    assert answer.status_code != 429, "a valid sender was taken for a stranger"


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    database=None,
)
@given(
    junk=st.binary(min_size=1, max_size=400),
    start=st.sampled_from([b"", b"POST ", head(TELEGRAM, b"{}")[:40], head(TELEGRAM, b"{}")[:-2]]),
)
def test_no_bytes_make_the_server_stumble(served: Served, start: bytes, junk: bytes) -> None:
    answer = served.raw(start + junk, seconds=2.0)
    assert b" 500 " not in answer.partition(b"\r\n")[0]
    assert served.http.get("/up").status_code == 200


@pytest.mark.parametrize(
    ("extra", "body", "statuses"),
    [
        ("Content-Length: 5\r\n", b'{"update_id": 1}', {0, 400}),
        ("Transfer-Encoding: chunked\r\n", b"zz\r\n{}\r\n0\r\n\r\n", {0, 400}),
        ("Content-Length: -1\r\n", b"{}", {0, 400}),
        ("Content-Encoding: gzip\r\n", b"\x1f\x8b\x08", {400}),
        ("X-Long: " + "x" * 200_000 + "\r\n", b"{}", {0, 400, 431}),
    ],
)
def test_broken_framing_is_refused(
    served: Served, extra: str, body: bytes, statuses: set[int]
) -> None:
    assert status_of(served.raw(head(TELEGRAM, body, extra))) in statuses
    assert served.http.get("/up").status_code == 200


def test_a_stream_without_end_is_cut_off(served: Served) -> None:
    with socket.create_connection(("127.0.0.1", served.installation.port), 5) as line:
        start = head(TELEGRAM, b"").replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
        line.sendall(start)
        line.settimeout(5)
        answer = b""
        try:
            for _ in range(100):
                line.sendall(b"10000\r\n" + b"x" * 65536 + b"\r\n")
        except ConnectionError:
            pass
        try:
            answer = line.recv(1000)
        except ConnectionError:
            return  # it hung up before we had said everything
    assert status_of(answer) == 413


def test_nothing_was_logged_that_it_should_not_say(served: Served) -> None:
    log = served.installation.log_text()
    assert SECRET not in log
    assert STRIPE_SECRET not in log
    assert TOKEN not in log
    assert "Traceback" not in log


def test_it_stops_within_ten_seconds_though_bodies_are_on_their_way(
    tmp_path: Path, migrated_file: Path
) -> None:
    with Served(tmp_path, migrated_file) as running, ExitStack() as open_lines:
        address = ("127.0.0.1", running.installation.port)
        for _ in range(5):
            line = open_lines.enter_context(socket.create_connection(address, 5))
            line.sendall(head(TELEGRAM, b"x" * 100)[:-50])
        assert running.http.post(TELEGRAM, content=update(3), headers=SHOWN).status_code == 200
        started = time.monotonic()
        assert running.installation.stop() == 0
        assert time.monotonic() - started < 10
    with looking_at(running.installation.database):
        assert InboxEvent.objects.filter(external_id="3").exists()


def test_a_second_server_on_one_file_says_who_is_first(served: Served) -> None:
    pid = served.installation.server.pid
    done = served.installation.command("serve", "--port", "0")
    assert done.code != 0
    assert str(pid) in done.err
    eventually(lambda: served.http.get("/up").status_code == 200)
