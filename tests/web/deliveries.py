"""Deliveries as Telegram and Stripe make them, and an ingress that stores into a list."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry

from velvetrope.gateways.stripe.signatures import sign
from velvetrope.store.encryption import Secret, installation_keys
from velvetrope.store.models import Integration, StripeAccount
from velvetrope.web.addresses import ClientAddresses, Network
from velvetrope.web.ingress import Limits, StripeIngress, TelegramIngress
from velvetrope.web.metrics import IngressMetrics
from velvetrope.web.senders import StripeSenders, TelegramSenders

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from velvetrope.pipeline.events import Event

SECRET = "telegram-shows-this-0123456789"
STRIPE_SECRET = "whsec_0123456789abcdefghijklmnop"


def now() -> datetime:
    return datetime.now(UTC)


def update(number: int = 1, *, user: int = 7, text: str = "/start") -> bytes:
    person = {"id": user, "is_bot": False, "first_name": "Ann"}
    chat = {"id": user, "type": "private"}
    message = {"message_id": 1, "date": 1_790_000_000, "from": person, "chat": chat, "text": text}
    return json.dumps({"update_id": number, "message": message}).encode()


def stripe_event(event_id: str = "evt_1", **changes: object) -> bytes:
    about = {"object": "subscription", "id": "sub_1", "customer": "cus_1"}
    whole = {
        "id": event_id,
        "object": "event",
        "type": "customer.subscription.updated",
        "created": 1_790_000_000,
        "livemode": False,
        "data": {"object": about},
    }
    return json.dumps(whole | changes).encode()


def make_integration(number: int = 1, *, secret: str = SECRET) -> Integration:
    account, _ = StripeAccount.objects.get_or_create(name="Account", from_environment=True)
    return Integration.objects.create(
        name=f"Club {number}",
        stripe_account=account,
        token=Secret(f"{100000 + number}:{'A' * 35}"),
        bot_id=100000 + number,
        webhook_secret=Secret(secret),
        webhook_secret_hash=installation_keys().look_up_hash(secret),
    )


class Reader:
    """Reads in another thread, as the product does."""

    def __init__(self) -> None:
        self.reads = 0

    async def read(self, fn: Callable[[], Any]) -> Any:
        self.reads += 1
        return await asyncio.to_thread(fn)


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    outcome: str


@dataclass
class Door:
    """An ingress with everything behind it; `store` may be made to fail or to say no."""

    limits: Limits = field(default_factory=Limits)
    trusted: Sequence[Network] = ()
    allowed: Sequence[Network] = ()
    environment_secrets: Sequence[str] = (STRIPE_SECRET,)

    def __post_init__(self) -> None:
        self.stored: list[Event] = []
        self.trouble: Exception | None = None
        self.reader = Reader()
        self.registry = CollectorRegistry()
        metrics = IngressMetrics(self.registry)
        common = (self.store, now, ClientAddresses(self.trusted), metrics)
        self._telegram = TelegramIngress(
            TelegramSenders(self.reader),
            *common,
            allowed=self.allowed,
            limits=self.limits,
            bad=self.limits.telegram_bad,
        )
        self._stripe = StripeIngress(
            StripeSenders(self.reader, self.environment_secrets),
            *common,
            allowed=self.allowed,
            limits=self.limits,
            bad=self.limits.stripe_bad,
        )

    async def store(self, event: Event) -> bool:
        if self.trouble is not None:
            raise self.trouble
        if any(one.external_id == event.external_id for one in self.stored):
            return False
        self.stored.append(event)
        return True

    async def telegram(
        self,
        body: bytes | Sequence[bytes] = b"",
        *,
        secret: str | None = SECRET,
        headers: Sequence[tuple[bytes, bytes]] = (),
        **request: Any,
    ) -> Answer:
        shown = [] if secret is None else [(b"x-telegram-bot-api-secret-token", secret.encode())]
        return await self._ask(self._telegram, body, [*shown, *headers], **request)

    async def stripe(
        self,
        body: bytes | Sequence[bytes],
        *,
        secret: str = STRIPE_SECRET,
        signature: str | None = None,
        age: int = 0,
        headers: Sequence[tuple[bytes, bytes]] = (),
        **request: Any,
    ) -> Answer:
        whole = body if isinstance(body, bytes) else b"".join(body)
        header = signature
        if header is None:
            header = sign(whole, secret, int(now().timestamp()) - age)
        signed = [(b"stripe-signature", header.encode())] if header else []
        return await self._ask(self._stripe, body, [*signed, *headers], **request)

    def counted(self, source: str, outcome: str) -> float:
        labels = {"source": source, "outcome": outcome}
        return self.registry.get_sample_value("velvetrope_ingress_requests_total", labels) or 0.0

    async def _ask(
        self,
        ingress: TelegramIngress | StripeIngress,
        body: bytes | Sequence[bytes],
        headers: Sequence[tuple[bytes, bytes]],
        *,
        method: str = "POST",
        client: str = "203.0.113.9",
        declared: int | None = None,
        pause: float = 0.0,
        hangs_up: bool = False,
    ) -> Answer:
        pieces = [body] if isinstance(body, bytes) else list(body)
        length = sum(map(len, pieces)) if declared is None else declared
        messages: list[dict[str, Any]] = [
            {"type": "http.request", "body": piece, "more_body": index < len(pieces) - 1}
            for index, piece in enumerate(pieces)
        ]
        if hangs_up:
            messages = [*messages[:-1], {"type": "http.disconnect"}]
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            await asyncio.sleep(pause)
            return messages.pop(0)

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {
            "type": "http",
            "method": method,
            "path": "/",
            "headers": [*headers, (b"content-length", str(length).encode())],
            "client": (client, 40000),
            "scheme": "http",
        }
        await ingress(scope, receive, send)
        if not sent:
            return Answer(0, {}, "")
        names = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        return Answer(sent[0]["status"], names, "")
