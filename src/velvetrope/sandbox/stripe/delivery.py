"""Webhooks: who gets which event, signed, tried again with growing waits, with faults."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import time
from typing import TYPE_CHECKING

import aiohttp
import msgspec

from velvetrope.sandbox.faults import Faults, Knobs
from velvetrope.sandbox.journal import Journal

from . import former
from .account import Account
from .resources.events import matches
from .shapes import API_VERSION, Obj

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from .world import World

#: Seconds before each further attempt; live Stripe goes on for up to three days.
_WAITS = (2, 10, 60, 300, 1800, 7200, 18_000, 36_000, 43_200, 43_200, 43_200, 43_200)
_TIMEOUT = aiohttp.ClientTimeout(total=20, connect=5)
_RECORDS = 20_000
_POLL = 0.1
_FINE = range(200, 300)


class StripeKnobs(Knobs, kw_only=True):
    """The common knobs, and how many of the next deliveries are lost without a trace."""

    drop: int = 0


class Attempt(msgspec.Struct, kw_only=True):
    """One attempt at a delivery as `/control/deliveries` shows it."""

    at: float
    account: str
    endpoint: str
    event: str
    type: str
    attempt: int
    status: int | None
    error: str | None
    seconds: float


class _Delivery(msgspec.Struct):
    account: Account
    endpoint: Obj
    event: Obj
    payload: bytes
    attempt: int = 0


class Deliveries:
    """Sends events to webhook endpoints."""

    def __init__(self, world: World, faults: Faults[StripeKnobs]) -> None:
        self._world = world
        self._faults = faults
        self.attempts: Journal[Attempt] = Journal(_RECORDS)
        self._session: aiohttp.ClientSession | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._first: set[asyncio.Future[None]] = set()
        world.on_event.append(self.dispatch)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Open the connections, and close them with what is still on its way."""
        connector = aiohttp.TCPConnector(limit_per_host=16)
        async with aiohttp.ClientSession(timeout=_TIMEOUT, connector=connector) as session:
            self._session = session
            try:
                yield
            finally:
                self._session = None
                for task in self._tasks:
                    task.cancel()
                await asyncio.gather(*self._tasks, return_exceptions=True)

    def waiting(self) -> int:
        """Give how many deliveries are on their way or wait to be tried again."""
        return len(self._tasks)

    async def settle(self, limit: float) -> None:
        """Wait until every delivery was tried once, for no longer than `limit` seconds."""
        if self._first and not self._faults.knobs.hold:
            await asyncio.wait(self._first, timeout=limit)

    def dispatch(self, account: Account, event: Obj) -> None:
        """Send an event to every endpoint that wants it."""
        if self._session is None:
            return
        for endpoint in account.all("webhook_endpoint"):
            wanted = endpoint["enabled_events"]
            if endpoint["status"] != "enabled":
                continue
            if "*" not in wanted and not any(matches(event["type"], want) for want in wanted):
                continue
            event["pending_webhooks"] += 1
            if self._faults.knobs.drop > 0:
                self._faults.knobs.drop -= 1
                continue
            payload = _payload(account, event, endpoint["api_version"])
            for _ in range(max(1, self._faults.knobs.duplicates)):
                self._start(_Delivery(account, endpoint, event, payload))

    def _start(self, delivery: _Delivery) -> None:
        tried = asyncio.get_running_loop().create_future()
        self._first.add(tried)
        tried.add_done_callback(self._first.discard)
        task = asyncio.create_task(self._deliver(delivery, tried))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _: _finish(tried))

    async def _deliver(self, delivery: _Delivery, tried: asyncio.Future[None]) -> None:
        await asyncio.sleep(self._faults.hold_back())
        for wait in (*_WAITS, None):
            await self._released()
            if await self._attempt(delivery):
                delivery.event["pending_webhooks"] = max(0, delivery.event["pending_webhooks"] - 1)
                return
            _finish(tried)
            if wait is None or delivery.endpoint["id"] not in delivery.account.index:
                return
            await self._sleep(wait)

    async def _released(self) -> None:
        """Wait while the `hold` knob is set."""
        while self._faults.knobs.hold:  # noqa: ASYNC110  the knob is plain data, shared by both simulators
            await asyncio.sleep(_POLL)

    async def _sleep(self, wait: float) -> None:
        """Wait in the sandbox's time, which may leap."""
        due = self._world.clock.time() + wait * self._faults.knobs.retry_scale
        while (left := due - self._world.clock.time()) > 0:  # noqa: ASYNC110  time may leap
            await asyncio.sleep(min(left, _POLL))

    async def _attempt(self, delivery: _Delivery) -> bool:
        if self._session is None:
            return False
        delivery.attempt += 1
        started = time.perf_counter()
        status, problem = None, None
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Stripe/1.0 (Velvet Rope sandbox)",
            "Stripe-Signature": self._signature(delivery),
        }
        try:
            async with self._session.post(
                delivery.endpoint["url"],
                data=delivery.payload,
                headers=headers,
                allow_redirects=False,
            ) as answer:
                await answer.read()
                status = answer.status
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            problem = type(error).__name__
        self.attempts.append(
            Attempt(
                at=self._world.clock.time(),
                account=delivery.account.id,
                endpoint=delivery.endpoint["id"],
                event=delivery.event["id"],
                type=delivery.event["type"],
                attempt=delivery.attempt,
                status=status,
                error=problem,
                seconds=round(time.perf_counter() - started, 4),
            )
        )
        return status in _FINE

    def _signature(self, delivery: _Delivery) -> str:
        now = self._world.clock.time()
        secrets = delivery.account.secrets[delivery.endpoint["id"]]
        signing = [secret.text for secret in secrets if secret.until > now]
        return sign(delivery.payload, signing, int(now))


def sign(payload: bytes, secrets: list[str], timestamp: int) -> str:
    """Give the `Stripe-Signature` header: one `v1` for each secret that signs at the time."""
    signed = str(timestamp).encode() + b"." + payload
    parts = [hmac.new(s.encode(), signed, hashlib.sha256).hexdigest() for s in secrets]
    return ",".join([f"t={timestamp}", *(f"v1={part}" for part in parts)])


def _finish(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def _payload(account: Account, event: Obj, version: str | None) -> bytes:
    shown = event
    if version is not None and version < API_VERSION:
        shown = former.event(account, event, version)
    return msgspec.json.format(msgspec.json.encode(shown), indent=2)
