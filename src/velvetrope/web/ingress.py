"""Where Telegram and Stripe deliver: nothing is acknowledged before it is on the disk.

A request is judged in this order: method, address, rate, size, patience, secret or signature,
form; then it is stored unless it was before. Bad requests are what the limit for an address is
for: whoever shows a valid secret or signature has a generous one of their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from time import monotonic, perf_counter
from typing import TYPE_CHECKING, Any, Final

import structlog

from velvetrope.domain.errors import RetryLater
from velvetrope.domain.states import Source
from velvetrope.gateways.telegram.updates import peek_update
from velvetrope.pipeline.events import Event
from velvetrope.pipeline.incoming import stripe_event
from velvetrope.store.ids import new_id
from velvetrope.web.addresses import block_of, is_in, parse, values
from velvetrope.web.bodies import MOST_TOGETHER, Bodies, GoneError, TooLargeError, TooSlowError
from velvetrope.web.limits import Buckets, Rate

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping, Sequence
    from typing import TypeAlias

    from velvetrope.domain.clock import Clock
    from velvetrope.web.addresses import ClientAddresses, Network
    from velvetrope.web.metrics import IngressMetrics
    from velvetrope.web.senders import Sender, StripeSenders, TelegramSenders

    Scope: TypeAlias = MutableMapping[str, Any]
    Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
    Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]
    Store: TypeAlias = Callable[[Event], Awaitable[bool]]

log = structlog.get_logger()

TELEGRAM_PATH: Final = "/telegram/bots/webhooks"
STRIPE_PATH: Final = "/stripe/bots/webhooks"


_TELEGRAM_BAD: Final = Rate.per_minute(100)
_STRIPE_BAD: Final = Rate.per_minute(200)
_VALID: Final = Rate(per_second=10_000, burst=20_000)
_DOUBTFUL: Final = Rate(per_second=50, burst=100)


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of what is taken in; sizes in bytes, times in seconds."""

    body: int = 1024 * 1024
    body_seconds: float = 10.0
    #: Of all bodies that are on their way.
    bodies: int = MOST_TOGETHER
    telegram_bad: Rate = _TELEGRAM_BAD
    stripe_bad: Rate = _STRIPE_BAD
    #: For one integration or account whose secret is right.
    valid: Rate = _VALID
    #: Look-ups of secrets from addresses that have spent their bad requests.
    doubtful: Rate = _DOUBTFUL


_OK_START: Final = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-type", b"text/plain"), (b"content-length", b"0")],
}
_OK_BODY: Final = {"type": "http.response.body", "body": b""}


class Refusal(Exception):  # noqa: N818  an answer, not a fault
    """An answer that isn't 200; `why` is one of a few words, for the counters."""

    def __init__(
        self,
        status: int,
        why: str,
        *,
        retry_after: int = 0,
        close: bool = False,
        of_stranger: bool = True,
    ) -> None:
        self.status = status
        self.why = why
        self.retry_after = retry_after
        #: Whether there may be a body that nobody read.
        self.close = close
        #: Whether it counts against the address; who showed a valid secret has a limit of its own.
        self.of_stranger = of_stranger
        super().__init__(status, why)


class _Endpoint:
    """What both doors have in common."""

    source: Source

    def __init__(
        self,
        store: Store,
        clock: Clock,
        addresses: ClientAddresses,
        metrics: IngressMetrics,
        *,
        allowed: Sequence[Network],
        limits: Limits,
        bad: Rate,
    ) -> None:
        self._store = store
        self._clock = clock
        self._addresses = addresses
        self._metrics = metrics
        self._allowed = tuple(allowed)
        self._bodies = Bodies(limits.body, limits.body_seconds, together=limits.bodies)
        self._bad: Buckets[str] = Buckets(bad)
        self._valid: Buckets[int] = Buckets(limits.valid)
        self._doubtful: Buckets[str] = Buckets(limits.doubtful)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = perf_counter()
        try:
            outcome = await self._take(scope, receive)
        except Refusal as refusal:
            await _refuse(send, refusal)
            outcome = refusal.why
        except GoneError:
            outcome = "gone"
        else:
            await send(_OK_START)
            await send(_OK_BODY)
        self._metrics.count(self.source.value, outcome, perf_counter() - started)

    async def _take(self, scope: Scope, receive: Receive) -> str:
        if scope["method"] != "POST":
            raise Refusal(405, "method", close=True)
        address = self._addresses.of(scope)
        if self._allowed:
            parsed = parse(address)
            if parsed is None or not is_in(parsed, self._allowed):
                raise Refusal(403, "address", close=True)
        block = block_of(address)
        try:
            event = await self._judge(scope, receive, block)
        except Refusal as refusal:
            self._count_bad(block, refusal)
            raise
        if event is None:
            return "inactive"
        try:
            return "stored" if await self._store(event) else "known"
        except RetryLater as error:
            log.warning("event_not_stored", source=self.source.value, code=error.code)
            raise Refusal(503, "not_stored", retry_after=2, of_stranger=False) from None

    async def _judge(self, scope: Scope, receive: Receive, address: str) -> Event | None:
        raise NotImplementedError

    def _count_bad(self, address: str, refusal: Refusal) -> None:
        """Take a stranger's bad request from what the address may have; 429 if that is spent."""
        now = monotonic()
        if refusal.of_stranger and not self._bad.take(address, now):
            wait = self._bad.retry_after(address, now)
            raise Refusal(429, "rate", retry_after=wait, close=True) from refusal

    def _count_valid(self, account: int) -> None:
        now = monotonic()
        if not self._valid.take(account, now):
            wait = self._valid.retry_after(account, now)
            raise Refusal(429, "rate_valid", retry_after=wait, of_stranger=False)

    async def _body(self, scope: Scope, receive: Receive, *, keep: bool = True) -> bytes:
        """Read the body within its limits; without `keep` only so that the answer is heard."""
        try:
            return await self._bodies.read(scope, receive, keep=keep)
        except TooLargeError:
            raise Refusal(413, "size", close=True) from None
        except TooSlowError:
            raise Refusal(408, "slow", close=True) from None

    def _malformed(self, error: ValueError, body: bytes, account: int) -> Refusal:
        """Log what can be said without showing the body."""
        reason = type(error).__name__
        log.warning(
            "event_malformed",
            source=self.source.value,
            account=account,
            size=len(body),
            reason=reason,
        )
        return Refusal(400, "malformed", of_stranger=False)


class TelegramIngress(_Endpoint):
    source = Source.TELEGRAM

    def __init__(self, senders: TelegramSenders, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._senders = senders

    async def _judge(self, scope: Scope, receive: Receive, address: str) -> Event | None:
        secrets = values(scope["headers"], b"x-telegram-bot-api-secret-token")
        sender = await self._sender(secrets, address)
        if sender is None and self._bad.is_spent(address, monotonic()):
            raise Refusal(403, "secret", close=True)  # 429 follows: the address has spent it
        try:
            body = await self._body(scope, receive, keep=sender is not None)
        except Refusal as refusal:
            refusal.of_stranger = sender is None
            raise
        if sender is None:
            raise Refusal(403, "secret")
        self._count_valid(sender.account)
        try:
            peek = peek_update(body)
        except ValueError as error:
            raise self._malformed(error, body, sender.account) from None
        if not sender.active:
            return None
        return Event(
            id=new_id(),
            source=self.source.value,
            account=sender.account,
            external_id=str(peek.update_id),
            kind=peek.kind,
            lane=f"tg:{sender.account}:{peek.lane}",
            payload=body,
            received_at=self._clock(),
        )

    async def _sender(self, secrets: Sequence[bytes], address: str) -> Sender | None:
        """Find who holds the secret; strangers who were wrong too often are not looked up."""
        if len(secrets) != 1:
            return None
        key = self._senders.key(secrets[0])
        if key is None:
            return None
        known, sender = self._senders.known(key)
        if known:
            return sender
        now = monotonic()
        if (
            self._bad.is_spent(address, now)
            and not self._senders.was_valid(key)  # strangers may share a proxy's address with it
            and not self._doubtful.take("", now)
        ):
            wait = self._bad.retry_after(address, now)
            raise Refusal(429, "rate", retry_after=wait, close=True, of_stranger=False)
        try:
            return await self._senders.find(key)
        except RetryLater:
            raise Refusal(503, "not_stored", retry_after=2, close=True, of_stranger=False) from None


class StripeIngress(_Endpoint):
    source = Source.STRIPE

    def __init__(self, senders: StripeSenders, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._senders = senders

    async def _judge(self, scope: Scope, receive: Receive, address: str) -> Event | None:
        headers = values(scope["headers"], b"stripe-signature")
        header = headers[0].decode("latin-1") if len(headers) == 1 else ""
        now = self._clock().timestamp()
        if self._bad.is_spent(address, monotonic()) and not self._senders.may_be_signed(
            header, now
        ):
            raise Refusal(400, "signature", close=True)  # 429 follows: the address has spent it
        body = await self._body(scope, receive)
        try:
            account = await self._senders.find(body, header, now)
        except RetryLater:
            raise Refusal(503, "not_stored", retry_after=2, of_stranger=False) from None
        if account is None:
            raise Refusal(400, "signature")
        self._count_valid(account)
        try:
            return stripe_event(body, account, self._clock())
        except ValueError as error:
            raise self._malformed(error, body, account) from None


async def _refuse(send: Send, refusal: Refusal) -> None:
    body = f"{HTTPStatus(refusal.status).phrase}\n".encode()
    headers = [(b"content-type", b"text/plain"), (b"content-length", b"%d" % len(body))]
    if refusal.status == HTTPStatus.METHOD_NOT_ALLOWED:
        headers.append((b"allow", b"POST"))
    if refusal.retry_after:
        headers.append((b"retry-after", b"%d" % refusal.retry_after))
    if refusal.close:
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
