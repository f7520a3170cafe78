"""The real routing table over a real database, with a Stripe and a Telegram made of dictionaries.

Nothing runs by itself: a test gives events, lets jobs run and decides what becomes of each call.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any, TypeVar, cast

import msgspec
from django.db import connection, transaction

from velvetrope.bootstrap import build_routes
from velvetrope.domain.errors import Permanent, VelvetError
from velvetrope.domain.states import ItemState
from velvetrope.gateways.stripe.metadata import OwnerTag, build
from velvetrope.gateways.stripe.snapshots import (
    CheckoutSessionSnapshot,
    CustomerSnapshot,
    DisputeSnapshot,
    InvoiceSnapshot,
    PaymentSnapshot,
    PriceSnapshot,
    SubscriptionSnapshot,
)
from velvetrope.gateways.telegram.records import BotUser, ChatInfo
from velvetrope.gateways.telegram.updates import ChatMember, User
from velvetrope.pipeline.applying import ApplyEvents, Prepared
from velvetrope.pipeline.closing import CloseItems, Closing
from velvetrope.pipeline.dialect.sqlite import SqliteDialect
from velvetrope.pipeline.events import Event, Item
from velvetrope.pipeline.inbox import Inbox
from velvetrope.pipeline.ledger import Ledger, Nobody
from velvetrope.pipeline.outbox import Outbox
from velvetrope.pipeline.writer import Failure
from velvetrope.store.catalogue import Catalogue
from velvetrope.store.encryption import Secret
from velvetrope.store.models import (
    Access,
    Chat,
    Customer,
    Entitlement,
    InboxEvent,
    Integration,
    OutboxItem,
    Plan,
    PlanChat,
    StripeAccount,
)
from velvetrope.usecases.services import Services

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from velvetrope.gateways.stripe.gateway import StripeGateway
    from velvetrope.gateways.stripe.requests import CheckoutRequest, CustomerRequest
    from velvetrope.gateways.telegram.bot import BotApi
    from velvetrope.pipeline.routes import Routes

T = TypeVar("T")

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
BOT = 100001
ANN = 77
LOUNGE, VAULT = -1001000000001, -1001000000002

_numbers = count(1)


class Reading:
    """Reads in a thread of its own, as the product does; writes in a transaction."""

    async def read(self, fn: Callable[[], T]) -> T:
        def run() -> T:
            try:
                return fn()
            finally:
                connection.close()

        return await asyncio.to_thread(run)

    async def write(self, fn: Callable[[], T]) -> T:
        def run() -> T:
            with transaction.atomic():
                return fn()

        return await self.read(run)


@dataclass
class FakeStripe:
    """One account whose objects are what the test puts in; `trouble` meets every question."""

    subscriptions: dict[str, SubscriptionSnapshot] = field(default_factory=dict)
    payments: dict[str, PaymentSnapshot] = field(default_factory=dict)
    sessions: dict[str, CheckoutSessionSnapshot] = field(default_factory=dict)
    customers: dict[str, CustomerSnapshot] = field(default_factory=dict)
    prices: dict[str, PriceSnapshot] = field(default_factory=dict)
    #: Subscriptions by invoice.
    invoices: dict[str, str] = field(default_factory=dict)
    #: Statuses of invoices; others are paid.
    bills: dict[str, str] = field(default_factory=dict)
    trouble: VelvetError | None = None
    #: Whether there is no gateway at all.
    keyless: VelvetError | None = None
    livemode: bool = False
    asked: list[str] = field(default_factory=list)
    #: (idempotency key, request) of what was made.
    made: list[tuple[str, Any]] = field(default_factory=list)
    #: What was made, by idempotency key.
    names: dict[str, str] = field(default_factory=dict)

    async def gateway(self, account_id: int) -> StripeGateway:
        assert account_id
        if self.keyless is not None:
            raise self.keyless
        return cast("StripeGateway", self)

    async def fetch_subscription(self, key: str) -> SubscriptionSnapshot:
        return self._found(self.subscriptions, key)

    async def fetch_payment(self, key: str) -> PaymentSnapshot:
        return self._found(self.payments, key)

    async def fetch_checkout_session(self, key: str) -> CheckoutSessionSnapshot:
        return self._found(self.sessions, key)

    async def fetch_customer(self, key: str) -> CustomerSnapshot:
        return self._found(self.customers, key)

    async def fetch_price(self, key: str) -> PriceSnapshot:
        return self._found(self.prices, key)

    async def fetch_invoice(self, key: str) -> InvoiceSnapshot:
        return InvoiceSnapshot(
            id=key,
            status=self.bills.get(key, "paid"),
            customer="cus_1",
            subscription=self.invoices.get(key),
            subscription_metadata={},
            hosted_invoice_url=None,
            amount_due=900,
            amount_paid=900,
            currency="eur",
            attempt_count=1,
            created=NOW,
            livemode=False,
        )

    async def fetch_subscription_of_invoice(self, key: str) -> SubscriptionSnapshot | None:
        owner = self.invoices.get(key)
        return None if owner is None else self._found(self.subscriptions, owner)

    async def fetch_payment_of_charge(self, key: str) -> PaymentSnapshot | None:
        return self.payments.get(key.replace("ch_", "pi_"))

    async def create_customer(self, request: CustomerRequest, key: str) -> CustomerSnapshot:
        if (known := self._make(key, request)) is not None:
            return self.customers[known]
        made = CustomerSnapshot(
            id=f"cus_{len(self.customers) + 1}",
            deleted=False,
            metadata=request.metadata,
            livemode=False,
        )
        self.customers[made.id] = made
        self.names[key] = made.id
        return made

    async def create_checkout_session(
        self, request: CheckoutRequest, key: str
    ) -> CheckoutSessionSnapshot:
        if (known := self._make(key, request)) is not None:
            return self.sessions[known]
        made = session(
            mode=request.mode, customer=request.customer, status="open", metadata=request.metadata
        )
        self.sessions[made.id] = made
        self.names[key] = made.id
        return made

    def _make(self, key: str, request: object) -> str | None:
        """Refuse a key that was used for something else, as Stripe does; give what it made."""
        if self.trouble is not None:
            raise self.trouble
        if any(known == key and before != request for known, before in self.made):
            raise Permanent("stripe_invalid_request", param=None, message="idempotency")
        if key not in self.names:
            self.made.append((key, request))
        return self.names.get(key)

    def _found(self, kind: Mapping[str, T], key: str) -> T:
        self.asked.append(key)
        if self.trouble is not None:
            raise self.trouble
        if key not in kind:
            raise Permanent("stripe_not_found", param="id")
        return kind[key]


@dataclass
class FakeBot:
    """The part of the Bot API that is asked while handlers prepare."""

    statuses: dict[tuple[int, int], str] = field(default_factory=dict)
    #: By method: what it raises.
    trouble: dict[str, VelvetError] = field(default_factory=dict)
    called: list[str] = field(default_factory=list)
    webhook: tuple[str, str] | None = None

    async def get_chat_member(self, chat_id: int, user_id: int) -> ChatMember:
        self._call("getChatMember")
        status = self.statuses.get((chat_id, user_id), "left")
        rights = status == "administrator"
        return ChatMember(
            status=status,
            user=User(id=user_id),
            can_invite_users=rights,
            can_restrict_members=rights,
        )

    async def get_me(self) -> BotUser:
        self._call("getMe")
        return BotUser(id=BOT, is_bot=True, first_name="Rope", username="rope_bot")

    async def get_chat(self, chat_id: int) -> ChatInfo:
        self._call("getChat")
        return ChatInfo(id=chat_id, type="channel", title=f"Room {-chat_id}")

    async def set_webhook(self, url: str, *, secret_token: str) -> None:
        self._call("setWebhook")
        self.webhook = (url, secret_token)

    async def set_my_commands(self, *_: object, **__: object) -> None:
        self._call("setMyCommands")

    async def set_my_description(self, *_: object, **__: object) -> None:
        self._call("setMyDescription")

    async def set_my_short_description(self, *_: object, **__: object) -> None:
        self._call("setMyShortDescription")

    def _call(self, method: str) -> None:
        self.called.append(method)
        if method in self.trouble:
            raise self.trouble[method]


class Backroom:
    """An integration with two chats and three plans, and Ann, who has pressed /start."""

    def __init__(self) -> None:
        self.now = NOW
        account = StripeAccount.objects.create(name="shop", from_environment=True)
        self.integration = Integration.objects.create(
            name="club",
            stripe_account=account,
            token=Secret(f"{BOT}:token"),
            bot_id=BOT,
            bot_username="rope_bot",
            webhook_secret=Secret("hook"),
            webhook_secret_hash="hash",
            registration="registered",
            verified_at=NOW,
        )
        self.account = account.id
        self.lounge = self._chat(LOUNGE, "Lounge")
        self.vault = self._chat(VAULT, "Vault")
        self.monthly = self._plan("price_month", "month", [self.lounge])
        self.vip = self._plan("price_vip", "month", [self.lounge, self.vault])
        self.once = self._plan("price_once", "one_time", [self.lounge], duration_days=30)
        self.ann = self.person(ANN)
        self.stripe = FakeStripe()
        for plan in (self.monthly, self.vip, self.once):
            self.stripe.prices[plan.stripe_price_id] = price(plan)
        self.bot = FakeBot()
        self.catalogue = Catalogue()
        self.services = Services(
            db=Reading(),
            catalogue=self.catalogue,
            clock=lambda: self.now,
            stripe=self.stripe,
            bot=lambda _: cast("BotApi", self.bot),
            public_url="https://example.com",
            installation="test",
        )
        self.routes: Routes = build_routes(self.services)
        dialect = SqliteDialect()
        self.ledger = Ledger(
            dialect,
            self.catalogue,
            lambda: self.now,
            Inbox(dialect),
            Outbox(dialect),
            Nobody(),
        )
        self._apply = ApplyEvents(self.ledger)
        self._close = CloseItems(self.ledger, self.routes)

    def person(self, user_id: int) -> Customer:
        return Customer.objects.create(
            integration=self.integration,
            telegram_user_id=user_id,
            first_name="Ann",
            telegram_language="en",
            started_at=NOW,
            created_at=NOW,
        )

    def _chat(self, telegram_id: int, title: str) -> Chat:
        return Chat.objects.create(
            integration=self.integration, telegram_id=telegram_id, title=title, kind="channel"
        )

    def _plan(self, price: str, interval: str, chats: list[Chat], **fields: object) -> Plan:
        plan = Plan.objects.create(
            integration=self.integration,
            stripe_price_id=price,
            product_id=f"prod_{price}",
            product_name=price,
            currency="eur",
            unit_amount=900,
            interval=interval,
            sellable=True,
            synced_at=NOW,
            **cast("dict[str, Any]", fields),
        )
        for chat in chats:
            PlanChat.objects.create(plan=plan, chat=chat)
        return plan

    # Events

    def stripe_says(self, kind: str, named: Mapping[str, object], *, live: bool = False) -> str:
        """Take an event of Stripe; gives its outcome."""
        return self.take(self.stripe_event(kind, named, live=live))

    def stripe_event(self, kind: str, named: Mapping[str, object], *, live: bool = False) -> Event:
        number = next(_numbers)
        payload = {
            "id": f"evt_{number}",
            "object": "event",
            "type": kind,
            "created": int(self.now.timestamp()),
            "livemode": live,
            "data": {"object": named},
        }
        lane = named.get("customer") or named.get("id")
        return self._event("stripe", self.account, kind, payload, f"stripe:{self.account}:{lane}")

    def update(self, kind: str, body: Mapping[str, object], person: int = ANN) -> str:
        """Take an update of Telegram; gives its outcome."""
        payload = {"update_id": next(_numbers), kind: body}
        lane = f"tg:{self.integration.id}:{person}"
        return self.take(self._event("telegram", self.integration.id, kind, payload, lane))

    def asks(self, chat: int = LOUNGE, person: int = ANN) -> str:
        """Have a person ask to enter a chat."""
        body = {
            "chat": {"id": chat, "type": "channel"},
            "from": {"id": person, "is_bot": False, "first_name": "Ann"},
            "user_chat_id": person,
            "date": int(self.now.timestamp()),
        }
        return self.update("chat_join_request", body, person)

    def moves(
        self, status: str, *, chat: int = LOUNGE, by: int = BOT, request: bool = False
    ) -> str:
        """Have Telegram tell that Ann's standing in a chat is now this one."""
        body = {
            "chat": {"id": chat, "type": "channel"},
            "from": {"id": by, "is_bot": by == BOT},
            "date": int(self.now.timestamp()),
            "old_chat_member": {"status": "left", "user": {"id": ANN}},
            "new_chat_member": {"status": status, "user": {"id": ANN}},
            "via_join_request": request,
        }
        return self.update("chat_member", body)

    def presses(self, data: str) -> str:
        body = {
            "id": "q1",
            "from": {"id": ANN, "is_bot": False, "first_name": "Ann", "language_code": "en"},
            "message": {"message_id": 9, "date": 1, "chat": {"id": ANN, "type": "private"}},
            "data": data,
        }
        return self.update("callback_query", body)

    def _event(self, source: str, account: int, kind: str, payload: object, lane: str) -> Event:
        number = next(_numbers)
        row = InboxEvent.objects.create(
            source=source,
            account=account,
            external_id=f"{kind}-{number}",
            kind=kind,
            lane=lane,
            payload=msgspec.json.encode(payload),
            state="claimed",
            received_at=self.now,
        )
        return event_of(row)

    def prepare(self, event: Event) -> Prepared:
        handler = self.routes.handler(event.source, event.kind)
        assert handler is not None, event.kind
        return Prepared(event, handler, asyncio.run(handler.prepare(event)))

    def finish(self, *prepared: Prepared) -> list[str]:
        """Run the second phase of events in one transaction; raises what a handler raises."""
        with transaction.atomic():
            results = self._apply.run(prepared).results
        for result in results:
            if isinstance(result, Failure):
                raise result.error
        return [str(result) for result in results]

    def take(self, event: Event) -> str:
        return self.finish(self.prepare(event))[0]

    def run_jobs(self) -> list[str]:
        """Run the jobs that are due, and those that follow from them; gives their kinds."""
        ran: list[str] = []
        while True:
            due = InboxEvent.objects.filter(source="job", state="pending").order_by("id")
            row = next((one for one in due if one.due_at is None or one.due_at <= self.now), None)
            if row is None:
                return ran
            InboxEvent.objects.filter(id=row.id).update(state="claimed")
            self.take(event_of(row))
            ran.append(row.kind)

    def sweep(self) -> list[str]:
        """Run all that is periodic once, and the jobs that it leaves."""
        for periodic in self.routes.periodic:
            asyncio.run(_awaited(periodic.run))
        return self.run_jobs()

    def later(self, by: timedelta) -> None:
        self.now += by

    # Calls

    def calls(self, method: str | None = None) -> list[OutboxItem]:
        """Give the calls that wait, oldest first."""
        rows = OutboxItem.objects.filter(state="pending").order_by("id")
        return list(rows if method is None else rows.filter(method=method))

    def methods(self) -> list[str]:
        return [row.method for row in self.calls()]

    def texts(self) -> list[str]:
        """Give the texts that wait to be sent, oldest first."""
        return [msgspec.json.decode(row.params)["text"] for row in self.calls("sendMessage")]

    def sent(self, *rows: OutboxItem) -> None:
        """Have Telegram say yes to these calls, or to all that wait and their consequences."""
        if rows:
            return self._closed(rows, ItemState.SENT, result=msgspec.Raw(b"true"))
        for _ in range(20):
            waiting = self.calls()
            if not waiting:
                return None
            self.sent(*waiting)
        raise AssertionError("calls follow from calls without end")

    def failed(
        self, row: OutboxItem, error: VelvetError, state: ItemState = ItemState.DEAD
    ) -> None:
        """Have a call fail for good."""
        self._closed([row], state, error=error)

    def _closed(
        self,
        rows: list[OutboxItem] | tuple[OutboxItem, ...],
        state: ItemState,
        *,
        result: msgspec.Raw | None = None,
        error: VelvetError | None = None,
    ) -> None:
        OutboxItem.objects.filter(id__in=[row.id for row in rows]).update(state="claimed")
        code = "" if error is None else error.code
        closings = [
            Closing(item_of(row), state, 1, result=result, error=error, error_code=code)
            for row in rows
        ]
        with transaction.atomic():
            self._close.run(closings)
        broken = OutboxItem.objects.filter(error_code="outcome_failed").first()
        assert broken is None, broken.error

    def still_wanted(self, row: OutboxItem) -> bool:
        """Ask what delivery asks right before it makes a call."""
        check = self.routes.checks.get(row.method)
        return True if check is None else check(item_of(row))

    # Rows

    def access(self, chat: Chat | None = None) -> Access:
        return Access.objects.get(customer=self.ann, chat=chat or self.lounge)

    def right(self, external_id: str) -> Entitlement:
        return Entitlement.objects.get(external_id=external_id)

    # Ways through

    def subscribes(
        self, key: str = "sub_1", kind: str = "customer.subscription.created", **fields: object
    ) -> str:
        """Have Stripe know a subscription of Ann's as this, and say so."""
        known = subscription(id=key, **fields)
        self.stripe.subscriptions[key] = known
        named = {"id": key, "object": "subscription", "customer": known.customer}
        return self.stripe_says(kind, named)

    def enters(self, chat: int = LOUNGE) -> None:
        """Take Ann, who holds access, through the door."""
        self.asks(chat)
        self.sent()
        self.moves("member", chat=chat, request=True)
        self.sent()


async def _awaited(run: Callable[[], Awaitable[None]]) -> None:
    await run()


def event_of(row: InboxEvent) -> Event:
    return Event(
        id=row.id,
        source=row.source,
        account=row.account,
        external_id=row.external_id,
        kind=row.kind,
        lane=row.lane,
        payload=bytes(row.payload),
        received_at=row.received_at,
        attempts=row.attempts,
    )


def item_of(row: OutboxItem) -> Item:
    return Item(
        id=row.id,
        integration_id=row.integration_id,
        customer_id=row.customer_id,
        chat_id=row.chat_id,
        method=row.method,
        params=bytes(row.params),
        priority=row.priority,
        occasion=row.occasion,
        cause=row.cause,
    )


def price(plan: Plan, **fields: object) -> PriceSnapshot:
    values: dict[str, Any] = {
        "id": plan.stripe_price_id,
        "active": True,
        "currency": plan.currency,
        "unit_amount": plan.unit_amount,
        "interval": None if plan.interval == "one_time" else plan.interval,
        "interval_count": 1,
        "product_id": plan.product_id,
        "product_name": plan.product_name,
        "product_active": True,
        "livemode": False,
    }
    return PriceSnapshot(**(values | fields))


def tag(person: int = ANN, plan: str | None = "price_month", bot: int = BOT) -> dict[str, str]:
    return build(
        OwnerTag(
            installation="test",
            integration=bot,
            telegram_user_id=person,
            telegram_chat_id=person,
            plan=plan,
        )
    )


def subscription(**fields: object) -> SubscriptionSnapshot:
    values: dict[str, Any] = {
        "id": "sub_1",
        "status": "active",
        "customer": "cus_1",
        "metadata": tag(),
        "price_ids": ("price_month",),
        "current_period_end": NOW + 30 * DAY,
        "cancel_at": None,
        "cancel_at_period_end": False,
        "ended_at": None,
        "trial_end": None,
        "paused_collection": False,
        "cancel_reason": None,
        "latest_invoice": "in_1",
        "created": NOW,
        "livemode": False,
    }
    return SubscriptionSnapshot(**(values | fields))


def payment(**fields: object) -> PaymentSnapshot:
    values: dict[str, Any] = {
        "id": "pi_1",
        "status": "succeeded",
        "customer": "cus_1",
        "metadata": tag(plan="price_once"),
        "amount": 900,
        "amount_received": 900,
        "amount_refunded": 0,
        "currency": "eur",
        "disputes": (),
        "invoice": None,
        "subscription": None,
        "session": None,
        "created": NOW,
        "livemode": False,
    }
    return PaymentSnapshot(**(values | fields))


def dispute(status: str) -> tuple[DisputeSnapshot, ...]:
    return (DisputeSnapshot(id="dp_1", status=status),)


def session(**fields: object) -> CheckoutSessionSnapshot:
    key = f"cs_{next(_numbers)}"
    values: dict[str, Any] = {
        "id": key,
        "url": f"https://checkout.example.com/c/{key}",
        "status": "complete",
        "mode": "payment",
        "payment_status": "unpaid",
        "customer": "cus_1",
        "subscription": None,
        "payment_intent": None,
        "client_reference_id": None,
        "metadata": tag(plan="price_once"),
        "expires_at": NOW + timedelta(hours=23),
        "amount_total": 900,
        "currency": "eur",
        "created": NOW,
        "livemode": False,
    }
    return CheckoutSessionSnapshot(**(values | fields))
