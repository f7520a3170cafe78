"""What the gateway makes of answers as bad as networks, proxies and Stripe give them."""

from __future__ import annotations

import socket
import traceback
from typing import TYPE_CHECKING

import aiohttp
import pytest

from tests.gateways import hostile
from tests.gateways.stripe import objects
from velvetrope.domain.errors import NeedsOperator, Permanent, RetryLater, VelvetError
from velvetrope.gateways.stripe.gateway import StripeGateway
from velvetrope.gateways.stripe.requests import CustomerRequest
from velvetrope.gateways.stripe.transport import StripeTimeouts, StripeTransport

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

KEY = "sk_test_SECRETsecretSECRETsecret"
QUICK = StripeTimeouts(connect=0.3, read=0.3, total=0.6)
HTML = b"<html><body><h1>502 Bad Gateway</h1></body></html>"


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as opened:
        yield opened


async def _failure(session: aiohttp.ClientSession, url: str) -> VelvetError:
    transport = StripeTransport(session, timeout=QUICK)
    gateway = StripeGateway(KEY, base_url=url, http_client=transport)
    with pytest.raises(VelvetError) as caught:
        await gateway.create_customer(CustomerRequest(metadata={}), "key-1")
    return caught.value


async def _failure_of(session: aiohttp.ClientSession, reply: hostile.Reply) -> VelvetError:
    async with hostile.serving(reply) as server:
        error = await _failure(session, server.url)
    assert len(server.requests) <= 1, "the gateway retried by itself"
    return error


def _refusal(status: int, **error: object) -> hostile.Reply:
    return hostile.answering({"error": {"message": "No.", **error}}, status)


@pytest.mark.parametrize("reply", [hostile.silence, hostile.stalled])
async def test_a_slow_answer_is_a_time_out(
    session: aiohttp.ClientSession, reply: hostile.Reply
) -> None:
    error = await _failure_of(session, reply)
    assert isinstance(error, RetryLater)
    assert error.code == "stripe_timeout"


@pytest.mark.parametrize(
    "reply",
    [
        hostile.reset,
        hostile.hang_up,
        hostile.truncated,
        hostile.gibberish,
        hostile.endless,
        hostile.raw(HTML, 502),
        hostile.raw(HTML, 200),
        hostile.raw(HTML, 403),
        hostile.raw(b"", 503),
        hostile.raw(b"", 200),
        hostile.raw(b'{"id": "cus_', 200),
        hostile.raw(b"\xff\xfe", 200),
        hostile.raw(b"[]", 200),
        hostile.raw(b"[]", 500),
        hostile.raw(b'"x"', 200),
        hostile.raw(b"5", 400),
        hostile.raw(b"null", 200),
        hostile.raw(b"{}", 200),
        hostile.raw(b"{}", 400),
        hostile.raw(b"[" * 100_000, 200),
        hostile.raw(b"", 307, {"Location": "/elsewhere"}),
        hostile.answering({**objects.CUSTOMER, "metadata": {"a": 5}}),
        hostile.answering({"error": "no"}, 400),
        hostile.answering({"error": []}, 500),
        _refusal(500, type="api_error"),
        _refusal(409, type="idempotency_error", code="idempotency_key_in_use"),
    ],
)
async def test_a_broken_answer_is_a_passing_trouble(
    session: aiohttp.ClientSession, reply: hostile.Reply
) -> None:
    error = await _failure_of(session, reply)
    assert isinstance(error, RetryLater)
    assert error.code == "stripe_unavailable"


async def test_a_refused_connection_is_a_passing_trouble(session: aiohttp.ClientSession) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    error = await _failure(session, url)
    assert isinstance(error, RetryLater)
    assert error.code == "stripe_unavailable"


async def test_a_closed_session_is_a_passing_trouble() -> None:
    async with aiohttp.ClientSession() as closed:
        pass
    error = await _failure(closed, "http://127.0.0.1:9")
    assert isinstance(error, RetryLater)
    assert error.code == "stripe_unavailable"


@pytest.mark.parametrize(("header", "wait"), [("7", 7), ("soon", None), ("9" * 30, 3600)])
async def test_a_rate_limit_asks_for_patience(
    session: aiohttp.ClientSession, header: str, wait: float | None
) -> None:
    answer = {"error": {"type": "invalid_request_error", "code": "rate_limit", "message": "x"}}
    reply = hostile.answering(answer, 429, {"Retry-After": header})
    error = await _failure_of(session, reply)
    assert isinstance(error, RetryLater)
    assert (error.code, error.retry_after) == ("stripe_rate_limited", wait)


@pytest.mark.parametrize(
    ("reply", "kind", "code"),
    [
        (_refusal(401, type="invalid_request_error"), NeedsOperator, "stripe_key_invalid"),
        (_refusal(403, type="invalid_request_error"), NeedsOperator, "stripe_permission"),
        (
            _refusal(404, type="invalid_request_error", code="resource_missing", param="id"),
            Permanent,
            "stripe_not_found",
        ),
        (
            _refusal(400, type="invalid_request_error", code="resource_missing", param="customer"),
            Permanent,
            "stripe_not_found",
        ),
        (
            _refusal(400, type="invalid_request_error", param="metadata"),
            Permanent,
            "stripe_invalid_request",
        ),
        (_refusal(400, type="idempotency_error"), Permanent, "stripe_invalid_request"),
        (
            _refusal(402, type="card_error", code="card_declined"),
            Permanent,
            "stripe_invalid_request",
        ),
    ],
)
async def test_refusals_arrive_as_their_kind(
    session: aiohttp.ClientSession, reply: hostile.Reply, kind: type[VelvetError], code: str
) -> None:
    error = await _failure_of(session, reply)
    assert type(error) is kind
    assert error.code == code


async def test_a_refusal_names_the_parameter_and_keeps_what_is_private(
    session: aiohttp.ClientSession,
) -> None:
    message = "No such customer 'cus_9' for olena@example.com, +380 44 123 4567, key sk_test_abc***"
    reply = _refusal(400, type="invalid_request_error", param="customer", message=message)
    error = await _failure_of(session, reply)
    assert error.data["param"] == "customer"
    assert "cus_9" in str(error.data["message"])
    assert not any(
        private in str(error.data) for private in ("olena", "123 4567", "sk_test", "example")
    )


async def test_a_remembered_failure_says_so(session: aiohttp.ClientSession) -> None:
    answer = {"error": {"type": "api_error", "message": "x"}}
    fresh = await _failure_of(session, hostile.answering(answer, 500))
    again = hostile.answering(answer, 500, {"Idempotent-Replayed": "true"})
    replayed = await _failure_of(session, again)
    assert (fresh.data["replayed"], replayed.data["replayed"]) == (False, True)


async def test_a_notice_of_stripes_is_not_made_a_warning(session: aiohttp.ClientSession) -> None:
    reply = hostile.answering(objects.CUSTOMER, 200, {"Stripe-Notice": "Upgrade soon."})
    async with hostile.serving(reply) as server:
        transport = StripeTransport(session, timeout=QUICK)
        gateway = StripeGateway(KEY, base_url=server.url, http_client=transport)
        assert (await gateway.fetch_customer("cus_1")).id == "cus_1"


async def test_a_failed_part_of_a_payment_fails_it_as_that_part(
    session: aiohttp.ClientSession,
) -> None:
    reply = _refusal(401, type="invalid_request_error")
    async with hostile.serving(reply) as server:
        transport = StripeTransport(session, timeout=QUICK)
        gateway = StripeGateway(KEY, base_url=server.url, http_client=transport)
        with pytest.raises(NeedsOperator) as caught:
            await gateway.fetch_payment("pi_1")
    assert caught.value.code == "stripe_key_invalid"
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    "reply",
    [
        hostile.silence,
        hostile.reset,
        hostile.truncated,
        hostile.endless,
        hostile.raw(HTML, 502),
        hostile.raw(b"[]", 200),
        _refusal(401, type="invalid_request_error", message=f"Invalid API Key: {KEY}"),
        _refusal(403, type="invalid_request_error", message=f"The key {KEY} may not"),
        _refusal(400, type="invalid_request_error", message=f"What is {KEY}?"),
    ],
)
async def test_no_failure_shows_the_key(
    session: aiohttp.ClientSession, reply: hostile.Reply
) -> None:
    error = await _failure_of(session, reply)
    shown = "".join(traceback.format_exception(error)) + repr(error) + str(error.data)
    assert "SECRET" not in shown
    assert error.__cause__ is None
    assert error.__context__ is None
