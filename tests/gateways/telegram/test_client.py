"""What the client makes of answers as bad as networks and proxies give them."""

from __future__ import annotations

import asyncio
import socket
import traceback
from typing import TYPE_CHECKING

import aiohttp
import pytest

from tests.gateways import hostile
from velvetrope.domain.errors import NeedsOperator, Permanent, RetryLater, VelvetError
from velvetrope.gateways.telegram.client import MAX_ANSWER_BYTES, TelegramClient, Timeouts

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

TOKEN = "123456789:SECRETsecretSECRETsecretSECRETsecre"
QUICK = Timeouts(connect=0.3, read=0.3, total=0.6)
HTML = b"<html><body><h1>502 Bad Gateway</h1></body></html>"


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as opened:
        yield opened


async def _failure(session: aiohttp.ClientSession, url: str) -> VelvetError:
    client = TelegramClient(session, url, timeout=QUICK)
    with pytest.raises(VelvetError) as caught:
        await client.call(TOKEN, "sendMessage", {"chat_id": 1, "text": "x"})
    return caught.value


async def _failure_of(session: aiohttp.ClientSession, reply: hostile.Reply) -> VelvetError:
    async with hostile.serving(reply) as server:
        return await _failure(session, server.url)


async def test_the_result_comes_back_as_it_was_sent(session: aiohttp.ClientSession) -> None:
    async with hostile.serving(hostile.answering({"ok": True, "result": {"id": 5}})) as server:
        client = TelegramClient(session, server.url + "/")
        result = await client.call(TOKEN, "getChat", {"chat_id": 5, "left_out": None})
    (request,) = server.requests
    assert bytes(result) == b'{"id": 5}'
    assert request.path == f"/bot{TOKEN}/getChat"
    assert request.body == b'{"chat_id":5}'
    assert request.headers["content-type"] == "application/json"


@pytest.mark.parametrize("reply", [hostile.silence, hostile.stalled])
async def test_a_slow_answer_may_have_been_a_delivery(
    session: aiohttp.ClientSession, reply: hostile.Reply
) -> None:
    error = await _failure_of(session, reply)
    assert isinstance(error, RetryLater)
    assert error.code == "telegram_timeout"
    assert error.data["maybe_delivered"] is True


async def test_an_answer_in_drops_ends_with_the_total_time(
    session: aiohttp.ClientSession,
) -> None:
    async def drip(_: hostile.Request, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while True:
            writer.write(b" ")
            await asyncio.sleep(0.05)

    error = await _failure_of(session, drip)
    assert (error.code, error.data["maybe_delivered"]) == ("telegram_timeout", True)


@pytest.mark.parametrize(
    "reply", [hostile.reset, hostile.hang_up, hostile.truncated, hostile.gibberish]
)
async def test_a_broken_answer_may_have_been_a_delivery(
    session: aiohttp.ClientSession, reply: hostile.Reply
) -> None:
    error = await _failure_of(session, reply)
    assert isinstance(error, RetryLater)
    assert error.code == "telegram_unavailable"
    assert error.data["maybe_delivered"] is True


async def test_a_refused_connection_is_certainly_no_delivery(
    session: aiohttp.ClientSession,
) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    error = await _failure(session, url)
    assert isinstance(error, RetryLater)
    assert error.code == "telegram_unavailable"
    assert error.data["maybe_delivered"] is False


async def test_waiting_for_a_free_connection_is_bounded_and_no_delivery() -> None:
    async with (
        hostile.serving(hostile.silence) as server,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1)) as narrow,
    ):
        patient = TelegramClient(narrow, server.url, timeout=Timeouts(connect=5, read=5, total=5))
        first = asyncio.create_task(patient.call(TOKEN, "getMe", {}))
        await server.asked.wait()
        error = await _failure(narrow, server.url)
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
    assert (error.code, error.data["maybe_delivered"]) == ("telegram_timeout", False)
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [500, 502, 503, 504])
@pytest.mark.parametrize("body", [HTML, b"", b'{"ok":false,"error_code":500,"description":"x"}'])
async def test_a_failing_server_is_tried_again(
    session: aiohttp.ClientSession, status: int, body: bytes
) -> None:
    error = await _failure_of(session, hostile.raw(body, status))
    assert isinstance(error, RetryLater)
    assert error.code == "telegram_unavailable"


@pytest.mark.parametrize(
    "body",
    [
        HTML,
        b"",
        b"[]",
        b"null",
        b'{"ok": true, "result": {"id": ',
        b'{"ok": "yes"}',
        b"\xff\xfe",
        b'{"ok": false, "description": 5}',
        b"[" * 100_000,
    ],
)
@pytest.mark.parametrize("status", [200, 302, 403, 404])
async def test_whoever_does_not_speak_as_telegram_is_not_believed(
    session: aiohttp.ClientSession, status: int, body: bytes
) -> None:
    error = await _failure_of(session, hostile.raw(body, status))
    assert isinstance(error, RetryLater)
    assert error.code == "telegram_unavailable"


async def test_a_redirect_is_not_followed(session: aiohttp.ClientSession) -> None:
    async with hostile.serving(hostile.raw(b"", 307, {"Location": "/elsewhere"})) as server:
        error = await _failure(session, server.url)
    assert error.code == "telegram_unavailable"
    assert len(server.requests) == 1


async def test_an_endless_answer_is_cut_off(session: aiohttp.ClientSession) -> None:
    error = await _failure_of(session, hostile.endless)
    assert isinstance(error, RetryLater)
    assert error.code == "telegram_unavailable"


async def test_an_answer_just_within_the_limit_is_read(session: aiohttp.ClientSession) -> None:
    frame = len(b'{"ok": true, "result": ""}')
    text = "x" * (MAX_ANSWER_BYTES - frame)
    async with hostile.serving(hostile.answering({"ok": True, "result": text})) as server:
        result = await TelegramClient(session, server.url).call(TOKEN, "getMe", {})
    assert len(bytes(result)) == len(text) + 2


async def test_patience_is_asked_for_to_the_second(session: aiohttp.ClientSession) -> None:
    answer = {
        "ok": False,
        "error_code": 429,
        "description": "Too Many Requests: retry after 17",
        "parameters": {"retry_after": 17},
    }
    error = await _failure_of(session, hostile.answering(answer, 429))
    assert isinstance(error, RetryLater)
    assert (error.code, error.retry_after) == ("too_many_requests", 17)


async def test_a_proxy_asks_for_patience_by_its_header(session: aiohttp.ClientSession) -> None:
    error = await _failure_of(session, hostile.raw(HTML, 429, {"Retry-After": "9"}))
    assert isinstance(error, RetryLater)
    assert (error.code, error.retry_after) == ("too_many_requests", 9)


@pytest.mark.parametrize(
    ("status", "description", "kind", "code"),
    [
        (401, "Unauthorized", NeedsOperator, "bot_unauthorized"),
        (404, "Not Found", NeedsOperator, "bot_not_found"),
        (400, "Bad Request: chat not found", Permanent, "chat_not_found"),
    ],
)
async def test_refusals_arrive_as_their_kind(
    session: aiohttp.ClientSession,
    status: int,
    description: str,
    kind: type[VelvetError],
    code: str,
) -> None:
    answer = {"ok": False, "error_code": status, "description": description}
    error = await _failure_of(session, hostile.answering(answer, status))
    assert isinstance(error, kind)
    assert error.code == code


async def test_text_that_is_no_text_is_refused_before_it_is_sent(
    session: aiohttp.ClientSession,
) -> None:
    async with hostile.serving(hostile.silence) as server:
        client = TelegramClient(session, server.url, timeout=QUICK)
        with pytest.raises(Permanent) as caught:
            await client.call(TOKEN, "sendMessage", {"chat_id": 1, "text": "\ud800"})
    assert caught.value.code == "bad_request"
    assert not server.requests


async def test_a_closed_session_is_a_passing_trouble() -> None:
    async with aiohttp.ClientSession() as closed:
        pass
    error = await _failure(closed, "http://127.0.0.1:9")
    assert isinstance(error, RetryLater)


@pytest.mark.parametrize(
    "reply",
    [
        hostile.silence,
        hostile.reset,
        hostile.truncated,
        hostile.gibberish,
        hostile.endless,
        hostile.raw(HTML, 502),
        hostile.answering({"ok": False, "error_code": 401, "description": "Unauthorized"}, 401),
        hostile.answering({"ok": False, "error_code": 400, "description": TOKEN}, 400),
    ],
)
async def test_no_failure_shows_the_token(
    session: aiohttp.ClientSession, reply: hostile.Reply
) -> None:
    error = await _failure_of(session, reply)
    shown = "".join(traceback.format_exception(error)) + repr(error) + str(error.data)
    assert "SECRET" not in shown
    assert error.__cause__ is None
    assert error.__context__ is None


async def test_an_address_that_is_none_does_not_show_the_token(
    session: aiohttp.ClientSession,
) -> None:
    error = await _failure(session, "http://[broken")
    shown = "".join(traceback.format_exception(error)) + repr(error) + str(error.data)
    assert isinstance(error, RetryLater)
    assert "SECRET" not in shown
