"""A pipeline to try: handlers and a Bot API that tests write themselves, a real SQLite file."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from velvetrope.domain.backoff import Backoff
from velvetrope.pipeline.breakers import Breakers
from velvetrope.pipeline.database import Database
from velvetrope.pipeline.dialect import dialect_of_database
from velvetrope.pipeline.events import CustomerKey, Event
from velvetrope.pipeline.pipeline import Pipeline
from velvetrope.pipeline.routes import Check, Outcome, Periodic, Refresh, Routes
from velvetrope.store.catalogue import Catalogue
from velvetrope.store.encryption import Secret, installation_keys
from velvetrope.store.ids import new_id
from velvetrope.store.models import Chat, Integration, StripeAccount

if TYPE_CHECKING:
    from velvetrope.domain.breaker import BreakerPolicy
    from velvetrope.pipeline.dispatch.alone import Capacity
    from velvetrope.pipeline.links import InviteLinks
    from velvetrope.pipeline.work import Work

T = TypeVar("T")

#: Tries follow one another quickly.
QUICK = Backoff(base=0.01, factor=1.5, cap=0.05)
SECRET = "s3cret-of-the-webhook-0123456789"

_update_ids = count(1)


def now() -> datetime:
    return datetime.now(UTC)


async def until(look: Callable[[], Any], *, seconds: float = 5.0, what: str = "it") -> Any:
    """Look until the answer is true; a coroutine function is awaited."""
    deadline = time.monotonic() + seconds
    while True:
        seen = look()
        if isinstance(seen, Awaitable):
            seen = await seen
        if seen:
            return seen
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come within {seconds} s")
        await asyncio.sleep(0.005)


def make_integration(name: str = "Club", number: int = 1, *, secret: str = SECRET) -> Integration:
    account, _ = StripeAccount.objects.get_or_create(name="Account", from_environment=True)
    integration = Integration.objects.create(
        name=name,
        stripe_account=account,
        token=Secret(f"{100000 + number}:{'A' * 35}"),
        bot_id=100000 + number,
        webhook_secret=Secret(secret),
        webhook_secret_hash=installation_keys().look_up_hash(secret),
    )
    Chat.objects.create(integration=integration, telegram_id=-1001000000000 - number)
    return integration


def event(
    integration_id: int = 1,
    user: int = 1,
    *,
    kind: str = "message",
    source: str = "telegram",
    lane: str | None = None,
    payload: bytes = b"{}",
    external_id: str | None = None,
) -> Event:
    return Event(
        id=new_id(),
        source=source,
        account=integration_id,
        external_id=external_id or str(next(_update_ids)),
        kind=kind,
        lane=lane or f"tg:{integration_id}:{user}",
        payload=payload,
        received_at=now(),
    )


@dataclass
class Doing:
    """A handler made of functions; by default it does nothing, in both phases."""

    applying: Callable[[Event, Any, Work], str | None] = lambda *_: None
    preparing: Callable[[Event], Awaitable[Any]] | None = None
    about: Callable[[Event], Sequence[CustomerKey]] = lambda _: ()

    async def prepare(self, event: Event) -> Any:
        return None if self.preparing is None else await self.preparing(event)

    def subjects(self, event: Event, facts: Any) -> Sequence[CustomerKey]:  # noqa: ARG002  port
        return self.about(event)

    def apply(self, event: Event, facts: Any, work: Work) -> str | None:
        return self.applying(event, facts, work)


@dataclass
class Answer:
    result: msgspec.Raw | None


@dataclass
class FakeTelegram:
    """A Bot API that remembers its calls; `answer` may raise or wait."""

    calls: list[tuple[float, str, dict[str, Any]]] = field(default_factory=list)
    answer: Callable[[str, Mapping[str, Any]], Awaitable[object]] | None = None
    running: int = 0
    most_at_once: int = 0

    async def perform(self, method: str, params: Mapping[str, object]) -> Answer:
        plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(params))
        self.calls.append((time.monotonic(), method, plain))
        self.running += 1
        self.most_at_once = max(self.most_at_once, self.running)
        try:
            result: object = {"message_id": len(self.calls)}
            if self.answer is not None:
                result = await self.answer(method, plain) or result
            return Answer(msgspec.Raw(msgspec.json.encode(result)))
        finally:
            self.running -= 1

    @property
    def texts(self) -> list[str]:
        return [params.get("text", "") for _, _, params in self.calls]


async def no_links(chat_id: int) -> str:
    return f"https://t.me/+chat{chat_id}"


class Works:
    """One process's pipeline, which can be stopped and started anew on the same file."""

    def __init__(self, integration: Integration) -> None:
        self.telegram = FakeTelegram()
        self.integration = integration
        self.clock: Callable[[], datetime] = now
        self.db: Database | None = None
        self._pipeline: Pipeline | None = None

    @property
    def pipeline(self) -> Pipeline:
        assert self._pipeline is not None
        return self._pipeline

    async def start(
        self,
        handlers: Mapping[tuple[str, str], Any] | None = None,
        *,
        outcomes: Mapping[str, Outcome] | None = None,
        checks: Mapping[str, Check] | None = None,
        refreshes: Mapping[str, Refresh] | None = None,
        links: InviteLinks = no_links,
        periodic: Sequence[Periodic] = (),
        backoff: Backoff = QUICK,
        breaker_policy: BreakerPolicy | None = None,
        capacity: Capacity | None = None,
        serving: bool = True,
    ) -> Pipeline:
        self.db = Database(dialect_of_database())
        await self.db.start()
        self._pipeline = Pipeline(
            self.db,
            Catalogue(),
            self.clock,
            Routes(
                handlers=handlers or {},
                outcomes=outcomes or {},
                checks=checks or {},
                refreshes=refreshes or {},
                periodic=periodic,
            ),
            lambda _: self.telegram,
            links,
            backoff=backoff,
            breakers=Breakers(breaker_policy),
            rng=random.Random(7),
            capacity=capacity,
        )
        if serving:
            await self._pipeline.start()
        return self._pipeline

    async def stop(self, patience: float = 5.0) -> None:
        if self._pipeline is not None and self.db is not None:
            await self._pipeline.stop(patience)
            await self.db.stop()
        self._pipeline = self.db = None

    close = stop

    async def read(self, fn: Callable[[], T]) -> T:
        assert self.db is not None
        return await self.db.read(fn)

    async def quiet(self, *, seconds: float = 5.0) -> None:
        """Wait until nothing is to be done; where work is taken up by jobs, look more than once.

        What a commit has just taken in hand is on its way into memory for a moment.
        """
        is_shared = self.db is not None and self.db.dialect.is_shared
        looks = 3 if is_shared else 1
        for _ in range(looks):
            await until(self.pipeline.quiesced, seconds=seconds, what="quiet")
            await asyncio.sleep(0.05 if looks > 1 else 0)
