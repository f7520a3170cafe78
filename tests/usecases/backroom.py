"""The real routing table over a real database, with a Stripe and a Telegram made of dictionaries.

Nothing runs by itself: a test gives events, lets jobs run and decides what becomes of each call.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

import msgspec
from django.db import transaction

from velvetrope.bootstrap import build_routes
from velvetrope.domain.states import ItemState
from velvetrope.pipeline.applying import ApplyEvents, Prepared
from velvetrope.pipeline.closing import NOT_WANTED, CloseItems, Closing
from velvetrope.pipeline.dialect import dialect_of_database
from velvetrope.pipeline.events import Event, Item
from velvetrope.pipeline.inbox import Inbox
from velvetrope.pipeline.ledger import Ledger, Nobody
from velvetrope.pipeline.outbox import Outbox
from velvetrope.pipeline.rehearsal import Stage
from velvetrope.pipeline.writer import Failure
from velvetrope.store.catalogue import Catalogue
from velvetrope.store.encryption import Secret
from velvetrope.store.models import (
    Access,
    Chat,
    Checkout,
    Customer,
    Entitlement,
    InboxEvent,
    Integration,
    OutboxItem,
    Plan,
    PlanChat,
    StripeAccount,
)
from velvetrope.usecases.leaving.orders import REMOVE
from velvetrope.usecases.services import Services

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from datetime import timedelta

    from velvetrope.domain.errors import VelvetError
    from velvetrope.gateways.telegram.bot import BotApi
    from velvetrope.pipeline.routes import Routes
from tests.usecases.snapshots import (
    ANN,
    BOT,
    LOUNGE,
    NOW,
    VAULT,
    numbers,
    payment,
    price,
    session,
    subscription,
)
from tests.usecases.vendors import FakeBot, FakeStripe, Reading

#: What is periodic and asks for everything there is, whatever the test is about.
RECONCILIATION = frozenset({"events", "everything"})


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
        dialect = dialect_of_database()
        self.services = Services(
            db=Reading(),
            catalogue=self.catalogue,
            clock=lambda: self.now,
            stripe=self.stripe,
            bot=lambda _: cast("BotApi", self.bot),
            public_url="https://example.com",
            installation="test",
            stage=Stage(self.catalogue, dialect, lambda: self.now),
        )
        self.routes: Routes = build_routes(self.services)
        self.ledger = Ledger(
            dialect,
            self.catalogue,
            lambda: self.now,
            Inbox(dialect),
            Outbox(dialect),
            Nobody(),
            self.routes.witness,
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
        number = next(numbers)
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
        payload = {"update_id": next(numbers), kind: body}
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
        self.bot.statuses[chat, ANN] = status
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
        number = next(numbers)
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

    def job(self, kind: str) -> Event:
        """Take the one job of a kind that waits into the hands of who serves."""
        row = InboxEvent.objects.get(kind=kind, state="pending")
        InboxEvent.objects.filter(id=row.id).update(state="claimed")
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
        """Run both phases, and the removals that follow, which other processes never delay."""
        outcome = self.finish(self.prepare(event))[0]
        if event.kind != REMOVE:
            self.run_jobs(REMOVE)
        return outcome

    def run_jobs(self, *kinds: str) -> list[str]:
        """Run the jobs that are due, and those that follow from them; gives their kinds."""
        ran: list[str] = []
        while True:
            due = InboxEvent.objects.filter(source="job", state="pending").order_by("id")
            if kinds:
                due = due.filter(kind__in=kinds)
            row = next((one for one in due if one.due_at is None or one.due_at <= self.now), None)
            if row is None:
                return ran
            InboxEvent.objects.filter(id=row.id).update(state="claimed")
            self.take(event_of(row))
            ran.append(row.kind)

    def sweep(self) -> list[str]:
        """Run all that is periodic once, but for reconciliation, and the jobs that it leaves."""
        self._tick(lambda name: name not in RECONCILIATION)
        return self.run_jobs()

    def reconcile(self, name: str) -> list[str]:
        """Run one part of reconciliation, and the jobs that it leaves."""
        self._tick(lambda other: other == name)
        return self.run_jobs()

    def _tick(self, is_meant: Callable[[str], bool]) -> None:
        for periodic in self.routes.periodic:
            if is_meant(periodic.name):
                asyncio.run(_awaited(periodic.run))

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

    def overtaken(self, row: OutboxItem) -> None:
        """Have delivery leave a call out, since it is not wanted any more."""
        self._closed([row], ItemState.SKIPPED, code=NOT_WANTED)

    def _closed(
        self,
        rows: list[OutboxItem] | tuple[OutboxItem, ...],
        state: ItemState,
        *,
        result: msgspec.Raw | None = None,
        error: VelvetError | None = None,
        code: str = "",
        due_at: datetime | None = None,
    ) -> None:
        OutboxItem.objects.filter(id__in=[row.id for row in rows]).update(state="claimed")
        code = code if error is None else error.code
        closings = [
            Closing(
                item_of(row), state, 1, result=result, error=error, error_code=code, due_at=due_at
            )
            for row in rows
        ]
        with transaction.atomic():
            self._close.run(closings)
        self.run_jobs(REMOVE)
        broken = OutboxItem.objects.filter(error_code="outcome_failed").first()
        assert broken is None, broken.error

    def deliver(self) -> list[str]:
        """Do what delivery does with all that is due; gives the texts that were sent."""
        return [params["text"] for params in self.delivered()]

    def delivered(self) -> list[dict[str, Any]]:
        """Do what delivery does with all that is due; gives the messages that were sent."""
        found: list[dict[str, Any]] = []
        while due := [row for row in self.calls() if row.due_at is None or row.due_at <= self.now]:
            for row in due:
                params = self._fresh(row)
                if params is None:
                    self.overtaken(row)
                elif isinstance(params, datetime):
                    self._closed([row], ItemState.PENDING, due_at=params)
                else:
                    if row.method == "sendMessage":
                        found.append(msgspec.json.decode(params))
                    self.sent(row)
        return found

    def put_off(self, row: OutboxItem) -> None:
        """Have delivery look at a call whose time has not come."""
        until = self._fresh(row)
        assert isinstance(until, datetime)
        assert until > self.now
        self._closed([row], ItemState.PENDING, due_at=until)

    def _fresh(self, row: OutboxItem) -> bytes | datetime | None:
        if not self.still_wanted(row):
            return None
        refresh = self.routes.refreshes.get((row.occasion or "").partition(":")[0])
        return bytes(row.params) if refresh is None else refresh(item_of(row))

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

    def pays(self, kind: str = "charge.refunded", **fields: object) -> str:
        """Have Stripe know Ann's one-time payment as this, and say so; gives the outcome."""
        known = payment(**fields)
        self.stripe.payments[known.id] = known
        named = {
            "id": "ch_1",
            "object": "charge",
            "customer": "cus_1",
            "payment_intent": known.id,
        }
        return self.stripe_says(kind, named)

    def completes(self, kind: str = "checkout.session.completed", **fields: object) -> str:
        """Have Stripe know a session of Ann's as this, and say so; gives its id."""
        made = session(**fields)
        self.stripe.sessions[made.id] = made
        Checkout.objects.get_or_create(
            stripe_session_id=made.id,
            defaults={
                "customer": self.ann,
                "plan": self.once,
                "url": made.url or "",
                "expires_at": made.expires_at,
                "created_at": NOW,
            },
        )
        named = {"id": made.id, "object": "checkout.session", "customer": "cus_1"}
        self.stripe_says(kind, named)
        return made.id

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
