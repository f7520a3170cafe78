"""Brings updates to webhooks: queues in order, several at a time, retried with growing waits."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import aiohttp
import msgspec

from velvetrope.sandbox.journal import Journal

if TYPE_CHECKING:
    from collections.abc import Callable

    from velvetrope.sandbox.clock import SandboxClock
    from velvetrope.sandbox.faults import Faults
    from velvetrope.sandbox.telegram import wire
    from velvetrope.sandbox.telegram.state import Bot
    from velvetrope.sandbox.telegram.world import TelegramKnobs

#: What an unset `allowed_updates` leaves out.
NOT_BY_DEFAULT = {"chat_member", "message_reaction", "message_reaction_count"}
_FIRST_ID = 100_000_000
_PENDING_LIMIT = 100_000
_LONGEST_WAIT = 60.0
_LONGEST_RETRY_AFTER = 3600.0
#: Seconds of answering 410 after which the webhook is dropped.
_GONE_LIMIT = 23 * 3600
_GONE = 410
_ANSWER_LIMIT = 65_536


@dataclass(slots=True)
class Update:
    id: int
    kind: str
    body: bytes
    expires: float


@dataclass(slots=True)
class Queue:
    """Updates that wait for one another."""

    key: str
    updates: deque[Update] = field(default_factory=deque)
    failures: int = 0
    timer: asyncio.TimerHandle | None = None


class Webhook(msgspec.Struct, kw_only=True):
    url: str = ""
    secret: str | None = None
    max_connections: int = 40
    #: None is the default set.
    allowed: list[str] | None = None
    ip_address: str | None = None


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt to bring one update; `status` is None if no answer came."""

    time: float
    bot: int
    update_id: int
    kind: str
    queue: str
    attempt: int
    copy: int
    status: int | None
    error: str | None
    milliseconds: float


class Mailbox:
    """What one bot has to be told, and where."""

    def __init__(self, bot: Bot) -> None:
        self.bot = bot
        self.webhook = Webhook()
        self.queues: dict[str, Queue] = {}
        self.ready: deque[Queue] = deque()
        self.in_flight = 0
        self.pending = 0
        self.last_id = _FIRST_ID + bot.id % 1_000_003
        self.last_error: tuple[int, str] | None = None
        self.gone_since: float | None = None

    def allows(self, kind: str) -> bool:
        if self.webhook.allowed is None:
            return kind not in NOT_BY_DEFAULT
        return kind in self.webhook.allowed

    def drop_pending(self) -> None:
        for queue in self.queues.values():
            if queue.timer is not None:
                queue.timer.cancel()
        self.queues.clear()
        self.ready.clear()
        self.pending = 0


class Courier:
    """Delivers for all bots; `on_reply` gets a method call found in a webhook's answer."""

    def __init__(self, clock: SandboxClock, faults: Faults[TelegramKnobs]) -> None:
        self.deliveries: Journal[Delivery] = Journal(20_000)
        self.on_reply: Callable[[Bot, bytes, str], None] = lambda _bot, _body, _kind: None
        self._clock = clock
        self._faults = faults
        self._mailboxes: dict[int, Mailbox] = {}
        self._session: aiohttp.ClientSession | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._encoder = msgspec.json.Encoder()

    async def start(self) -> None:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0), cookie_jar=aiohttp.DummyCookieJar()
        )

    async def close(self) -> None:
        for mailbox in self._mailboxes.values():
            mailbox.drop_pending()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    def mailbox(self, bot: Bot) -> Mailbox:
        found = self._mailboxes.get(bot.id)
        if found is None:
            found = self._mailboxes[bot.id] = Mailbox(bot)
        return found

    def set_webhook(self, bot: Bot, webhook: Webhook) -> None:
        """Deliver to another address from now on; what waits is tried again at once."""
        mailbox = self.mailbox(bot)
        mailbox.webhook = webhook
        mailbox.gone_since = None
        mailbox.last_error = None
        for queue in mailbox.queues.values():
            if queue.timer is not None:
                queue.timer.cancel()
                self._make_ready(mailbox, queue)
        self._pump(mailbox)

    def push(self, bot: Bot, kind: str, queue: str, payload: wire.Payload, lifetime: float) -> None:
        mailbox = self.mailbox(bot)
        if not mailbox.allows(kind) or mailbox.pending >= _PENDING_LIMIT:
            return
        mailbox.last_id += 1
        wait = self._faults.hold_back()
        key = f"{queue}#{mailbox.last_id}" if wait else queue
        body = b'{"update_id":%d,"%b":%b}' % (
            mailbox.last_id,
            kind.encode(),
            self._encoder.encode(payload),
        )
        update = Update(mailbox.last_id, kind, body, self._clock.time() + lifetime)
        mailbox.pending += 1
        waiting = mailbox.queues.get(key)
        if waiting is not None:
            waiting.updates.append(update)
            return
        waiting = mailbox.queues[key] = Queue(key, deque([update]))
        self._schedule(mailbox, waiting, wait)

    def pump_all(self) -> None:
        """Look at every mailbox again, after a knob was turned."""
        for mailbox in self._mailboxes.values():
            self._pump(mailbox)

    def _schedule(self, mailbox: Mailbox, queue: Queue, wait: float) -> None:
        if wait > 0:
            loop = asyncio.get_running_loop()
            queue.timer = loop.call_later(wait, self._wake, mailbox, queue)
        else:
            self._make_ready(mailbox, queue)
            self._pump(mailbox)

    def _wake(self, mailbox: Mailbox, queue: Queue) -> None:
        self._make_ready(mailbox, queue)
        self._pump(mailbox)

    @staticmethod
    def _make_ready(mailbox: Mailbox, queue: Queue) -> None:
        queue.timer = None
        mailbox.ready.append(queue)

    def _pump(self, mailbox: Mailbox) -> None:
        if not mailbox.webhook.url or self._faults.knobs.hold or self._session is None:
            return
        while mailbox.ready and mailbox.in_flight < mailbox.webhook.max_connections:
            queue = mailbox.ready.popleft()
            mailbox.in_flight += 1
            task = asyncio.create_task(self._deliver(mailbox, queue))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _deliver(self, mailbox: Mailbox, queue: Queue) -> None:
        update = queue.updates[0]
        wait: float | None = None
        try:
            if update.expires > self._clock.time():
                wait = await self._attempt(mailbox, queue, update)
        finally:
            mailbox.in_flight -= 1
        if mailbox.queues.get(queue.key) is queue:
            if wait is None:
                queue.updates.popleft()
                queue.failures = 0
                mailbox.pending -= 1
            else:
                queue.failures += 1
            if queue.updates:
                self._schedule(mailbox, queue, wait or 0.0)
            else:
                del mailbox.queues[queue.key]
        self._pump(mailbox)

    async def _attempt(self, mailbox: Mailbox, queue: Queue, update: Update) -> float | None:
        """Send every copy at once; None if the first was taken, else the seconds to wait."""
        copies = max(self._faults.knobs.duplicates, 1)
        results = await asyncio.gather(
            *(self._post(mailbox, queue, update, copy) for copy in range(1, copies + 1))
        )
        return results[0]

    async def _post(
        self, mailbox: Mailbox, queue: Queue, update: Update, copy: int
    ) -> float | None:
        webhook = mailbox.webhook
        started = time.perf_counter()
        status: int | None = None
        error: str | None = None
        retry_after: str | None = None
        headers = {"Content-Type": "application/json"}
        if webhook.secret is not None:
            headers["X-Telegram-Bot-Api-Secret-Token"] = webhook.secret
        if self._session is None:
            raise RuntimeError("The courier has not been started.")
        try:
            async with self._session.post(
                webhook.url,
                data=update.body,
                headers=headers,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=self._faults.knobs.webhook_timeout),
            ) as response:
                answer = await response.content.read(_ANSWER_LIMIT)
                status = response.status
                retry_after = response.headers.get("Retry-After")
                if not response.ok or status >= 300:  # noqa: PLR2004  no redirect is followed
                    error = f"Wrong response from the webhook: {status} {response.reason}"
                elif answer and copy == 1:
                    self.on_reply(mailbox.bot, answer, response.headers.get("Content-Type", ""))
        except TimeoutError:
            error = "Read timeout expired"
        except aiohttp.ClientConnectorError:
            error = "Connection refused"
        except (aiohttp.ClientError, OSError):
            error = "Connection closed"
        self.deliveries.append(
            Delivery(
                time=self._clock.time(),
                bot=mailbox.bot.id,
                update_id=update.id,
                kind=update.kind,
                queue=queue.key,
                attempt=queue.failures + 1,
                copy=copy,
                status=status,
                error=error,
                milliseconds=round((time.perf_counter() - started) * 1000, 2),
            )
        )
        if error is None:
            mailbox.gone_since = None
            return None
        mailbox.last_error = (int(self._clock.time()), error)
        self._note_gone(mailbox, status)
        return self._wait_after(queue.failures, retry_after)

    def _note_gone(self, mailbox: Mailbox, status: int | None) -> None:
        if status != _GONE:
            mailbox.gone_since = None
        elif mailbox.gone_since is None:
            mailbox.gone_since = self._clock.time()
        elif self._clock.time() - mailbox.gone_since >= _GONE_LIMIT:
            mailbox.webhook = Webhook(allowed=mailbox.webhook.allowed)

    def _wait_after(self, failures: int, retry_after: str | None) -> float:
        wait = 0.0 if failures == 0 else min(2.0**failures, _LONGEST_WAIT)
        if retry_after is not None and retry_after.isdigit():
            wait = max(wait, min(float(retry_after), _LONGEST_RETRY_AFTER))
        return wait * self._faults.knobs.retry_scale
