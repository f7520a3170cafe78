"""Answers `/bot<token>/<method>`: reads the call, applies faults, does the work, keeps a record."""

from __future__ import annotations

import asyncio
import re
import time
from http import HTTPStatus
from typing import TYPE_CHECKING

import msgspec

from velvetrope.sandbox.journal import Journal
from velvetrope.sandbox.server import drop_connection
from velvetrope.sandbox.telegram import params
from velvetrope.sandbox.telegram.errors import ApiError, too_many_requests
from velvetrope.sandbox.telegram.methods import METHODS
from velvetrope.sandbox.telegram.methods.context import Context
from velvetrope.sandbox.telegram.pace import Pace
from velvetrope.sandbox.telegram.world import TOKEN

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from velvetrope.sandbox.faults import FailRule, Faults
    from velvetrope.sandbox.telegram.delivery import Courier
    from velvetrope.sandbox.telegram.state import Bot
    from velvetrope.sandbox.telegram.world import TelegramKnobs, World

_PATH = re.compile(r"/bot([^/]*)/(?:test/)?([A-Za-z]+)/?")
#: Methods that a webhook's answer can't call.
_NOT_IN_REPLIES = re.compile(r"get.*|.*webhook", re.IGNORECASE)


class Call(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One call as it went: parameters without the token; `status` 0 for a lost answer."""

    time: float
    bot: int | None
    method: str
    params: dict[str, object]
    status: int
    milliseconds: float
    via_webhook: bool = False
    description: str | None = None
    fault: bool = False


class Calls:
    """The Bot API of every bot."""

    def __init__(self, world: World, courier: Courier, faults: Faults[TelegramKnobs]) -> None:
        self.log: Journal[Call] = Journal(20_000)
        self._world = world
        self._courier = courier
        self._faults = faults
        self._pace = Pace()
        self._encoder = msgspec.json.Encoder()
        courier.on_reply = self.run_reply

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        body = await _read_body(receive)
        found = _PATH.fullmatch(scope["path"])
        rule = self._faults.take(found[2] if found else "")
        bot: Bot | None = None
        raw = params.RawParams({}, typed=True)
        try:
            if rule is not None:
                await asyncio.sleep(rule.delay)
                _raise_fault(rule)
            bot = self._authorize(found)
            raw = params.read(body, _content_type(scope), scope["query_string"])
            result = self._run(bot, found[2] if found else "", raw)
            status, answer = 200, {"ok": True, "result": result}
            description = None
        except ApiError as error:
            status, answer, description = error.status, error.to_json(), error.description
        lost = rule is not None and rule.lose_answer
        self._note(
            Call(
                time=self._world.clock.time(),
                bot=bot.id if bot else self._bot_id(found),
                method=_proper_name(found[2] if found else "?"),
                params=raw.values,
                status=0 if lost else status,
                description=description,
                milliseconds=round((time.perf_counter() - started) * 1000, 2),
                fault=rule is not None,
            )
        )
        if lost:
            await drop_connection(scope, receive)
            return
        text = rule.body if rule is not None and rule.status is not None else None
        kind = b"application/json" if text is None else b"text/html; charset=utf-8"
        data = self._encoder.encode(answer) if text is None else text.encode()
        headers = [(b"content-type", kind), (b"content-length", b"%d" % len(data))]
        if rule is not None and rule.retry_after is not None:
            headers.append((b"retry-after", b"%d" % rule.retry_after))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": data})

    def run_reply(self, bot: Bot, body: bytes, content_type: str) -> None:
        """Do the method call that a webhook's answer carries, if it carries one."""
        try:
            raw = params.read(body, content_type, b"")
            method = raw.values.pop("method", None)
            if not isinstance(method, str) or _NOT_IN_REPLIES.fullmatch(method):
                return
        except ApiError:
            return
        status, description = 200, None
        try:
            self._run(bot, method, raw)
        except ApiError as error:
            status, description = error.status, error.description
        self._note(
            Call(
                time=self._world.clock.time(),
                bot=bot.id,
                method=_proper_name(method),
                params=raw.values,
                status=status,
                description=description,
                milliseconds=0.0,
                via_webhook=True,
            )
        )

    def _note(self, call: Call) -> None:
        self.log.append(call)

    def _authorize(self, found: re.Match[str] | None) -> Bot:
        if found is None or not TOKEN.fullmatch(found[1]):
            raise ApiError(404, "Not Found")
        bot = self._world.by_token.get(found[1])
        if bot is None:
            raise ApiError(401, "Unauthorized")
        return bot

    def _bot_id(self, found: re.Match[str] | None) -> int | None:
        head = found[1].partition(":")[0] if found else ""
        return int(head) if head.isascii() and head.isdigit() and len(head) < 20 else None  # noqa: PLR2004  fits 64 bits

    def _run(self, bot: Bot, name: str, raw: params.RawParams) -> object:
        method = METHODS.get(name.lower())
        if method is None:
            raise ApiError(404, "Not Found: method not found")
        knobs = self._faults.knobs
        given = params.convert(raw, method.params, strict=knobs.strict)
        context = Context(self._world, bot, self._courier, self._pace, knobs)
        return method.run(context, given)


def _raise_fault(rule: FailRule) -> None:
    if rule.status is None:
        return
    if rule.status == HTTPStatus.TOO_MANY_REQUESTS:
        raise too_many_requests(rule.retry_after or 1)
    raise ApiError(
        rule.status,
        rule.description or HTTPStatus(rule.status).phrase,
        retry_after=rule.retry_after,
    )


def _proper_name(name: str) -> str:
    method = METHODS.get(name.lower())
    return method.name if method else name


def _content_type(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"content-type":
            return bytes(value).decode("latin-1")
    return ""


async def _read_body(receive: Receive) -> bytes:
    message = await receive()
    body: bytes = message.get("body", b"")
    while message.get("more_body", False):
        message = await receive()
        body += message.get("body", b"")
    return body
