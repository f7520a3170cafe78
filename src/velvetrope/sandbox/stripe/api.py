"""`/v1/…`: authentication, faults, idempotency, and the errors in Stripe's shape."""

from __future__ import annotations

import asyncio
import base64
import binascii
from typing import TYPE_CHECKING

import msgspec
from starlette.responses import Response

from velvetrope.sandbox.server import drop_connection

from . import expansion, forms, parameters, routes
from .call import Call
from .errors import ApiError
from .idempotency import Answer, fingerprint
from .shapes import API_VERSION, Obj, new_id

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import Receive, Scope, Send

    from velvetrope.sandbox.faults import FailRule

    from .simulator import Simulator

_RATE_LIMITED, _BROKEN, _SEVERE = 429, 500, 500


class Record(msgspec.Struct, kw_only=True):
    """One request as `/control/calls` shows it; never with a key."""

    at: float
    account: str | None
    method: str
    path: str
    params: Obj
    status: int
    version: str | None
    idempotency_key: str | None = None
    replayed: bool = False
    fault: str | None = None


class LostAnswer(Response):
    """Cuts the connection instead of answering."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  the ASGI signature
        await drop_connection(scope, receive)


class Api:
    """Answers requests to the API of one simulator."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator

    async def answer(self, request: Request) -> Response:
        """Answer one request, unless a fault says otherwise."""
        simulator = self._simulator
        path = request.url.path
        record = Record(
            at=simulator.clock.time(),
            account=None,
            method=request.method,
            path=path,
            params={},
            status=0,
            version=request.headers.get("stripe-version"),
        )
        body = await request.body()
        rule = simulator.faults.take(f"{request.method} {path}")
        if rule is not None:
            record.fault = _describe(rule)
            await asyncio.sleep(rule.delay)
        simulator.catch_up()
        simulator.world.public_url = str(request.base_url).rstrip("/")
        answer, replayed = self._work(request, body, record, rule)
        record.status, record.replayed = answer.status, replayed
        simulator.calls.append(record)
        if rule is not None and rule.lose_answer:
            return LostAnswer()
        headers = {
            "Request-Id": answer.request_id,
            "Stripe-Version": record.version or API_VERSION,
        }
        if record.idempotency_key:
            headers["Idempotency-Key"] = record.idempotency_key
        if replayed:
            headers["Idempotent-Replayed"] = "true"
        if rule is not None and rule.retry_after is not None:
            headers["Retry-After"] = str(rule.retry_after)
        raw = rule is not None and rule.status is not None and rule.body is not None
        kind = "text/html" if raw else "application/json"
        return Response(answer.body, answer.status, headers, kind)

    def _work(
        self, request: Request, body: bytes, record: Record, rule: FailRule | None
    ) -> tuple[Answer, bool]:
        """Give the answer and whether it is a replay of a stored one."""
        ident = new_id("req", 14)
        broken = rule is not None and rule.status is not None and rule.status != _BROKEN
        if rule is not None and broken:
            return _injected(rule, ident), False
        try:
            account = self._simulator.world.account_of(_key(request))
            record.account = account.id
            record.params = forms.decode(request.url.query) | forms.decode(body)
            route, ids = _route(request.method, request.url.path)
            record.params = parameters.check(record.params, route.params)
            # Work of the same key never overlaps: nothing is awaited from here to the answer.
            key = request.headers.get("idempotency-key") if request.method == "POST" else None
            record.idempotency_key = key
            mark = fingerprint(request.method, request.url.path, record.params)
            now = self._simulator.clock.time()
            if key is not None:
                kept = self._simulator.answers.find(account.id, key, mark, now)
                if kept is not None:
                    return kept, True
            params = {name: value for name, value in record.params.items() if name != "expand"}
            base_url = str(request.base_url).rstrip("/")
            call = Call(account, params, ids, request.url.path, base_url)
            account.request = {"id": ident, "idempotency_key": key}
            if rule is not None and rule.status == _BROKEN:
                answer = _injected(rule, ident)
            else:
                answer = _run(route, call, record.params.get("expand", []), ident)
            account.request = {"id": None, "idempotency_key": None}
            if key is not None:
                self._simulator.answers.keep(account.id, key, mark, now, answer)
        except ApiError as error:
            return Answer(error.status, msgspec.json.encode(error.body(ident)), ident), False
        return answer, False


def _route(method: str, path: str) -> tuple[routes.Route, tuple[str, ...]]:
    found = routes.find(method, path.removeprefix("/v1/"))
    if found is None:
        raise ApiError(
            f"Unrecognized request URL ({method}: {path}). Please see https://stripe.com/docs or "
            "we can help at https://support.stripe.com/.",
            status=404,
        )
    return found


def _run(route: routes.Route, call: Call, expand: list[str], ident: str) -> Answer:
    try:
        result = expansion.expand(call.account, route.act(call), expand)
    except ApiError as error:
        return Answer(error.status, msgspec.json.encode(error.body(ident)), ident)
    return Answer(200, msgspec.json.encode(result), ident)


def _injected(rule: FailRule, ident: str) -> Answer:
    """Give the failure that a fault asks for; a proxy's page if it has a body of its own."""
    status = rule.status or _BROKEN
    if rule.body is not None:
        return Answer(status, rule.body.encode(), ident)
    if status == _RATE_LIMITED:
        error = ApiError(
            "Request rate limit exceeded. Learn more about rate limits here "
            "https://stripe.com/docs/rate-limits.",
            status=status,
            code="rate_limit",
        )
    else:
        kind = "api_error" if status >= _SEVERE else "invalid_request_error"
        text = "An unknown error occurred." if status >= _SEVERE else "The sandbox refuses this."
        error = ApiError(rule.description or text, status=status, kind=kind)
    if rule.description:
        error.error["message"] = rule.description
    return Answer(status, msgspec.json.encode(error.body(ident)), ident)


def _describe(rule: FailRule) -> str:
    words = [f"status {rule.status}"] if rule.status else []
    words += ["answer lost"] if rule.lose_answer else []
    words += [f"delay {rule.delay:g} s"] if rule.delay else []
    return ", ".join(words) or "none"


def _key(request: Request) -> str | None:
    """Give the API key of a request: a bearer token, or the user name of basic authentication."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip() or None
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value).decode().partition(":")[0] or None
        except (binascii.Error, UnicodeDecodeError):
            return None
    return None
