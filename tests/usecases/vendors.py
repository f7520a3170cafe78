"""A Stripe and a Telegram made of dictionaries, and a database that is read as the product does."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar, cast

from django.db import connection, transaction

from tests.usecases.snapshots import BOT, NOW, session
from velvetrope.domain.errors import NeedsOperator, Permanent, RetryLater, VelvetError
from velvetrope.gateways.stripe.pages import Page
from velvetrope.gateways.stripe.snapshots import (
    AccountSnapshot,
    CheckoutSessionSnapshot,
    CustomerSnapshot,
    InvoiceSnapshot,
    PaymentSnapshot,
    PriceSnapshot,
    SubscriptionSnapshot,
)
from velvetrope.gateways.telegram.bot import ALLOWED_UPDATES
from velvetrope.gateways.telegram.records import BotUser, ChatInfo, WebhookInfo
from velvetrope.gateways.telegram.updates import ChatInviteLink, ChatMember, User

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from velvetrope.gateways.stripe.gateway import StripeGateway
    from velvetrope.gateways.stripe.pages import Listing
    from velvetrope.gateways.stripe.requests import CheckoutRequest, CustomerRequest

S = TypeVar("S")
T = TypeVar("T")

#: Where the bot's updates go when all is well.
HOOK = "https://example.com/telegram/bots/webhooks"


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
    #: Customers of whom nothing can be listed (any more).
    gone: set[str] = field(default_factory=set)
    #: What is listed, by the name of the list, beside what is known by name; newest first.
    lists: dict[str, list[Any]] = field(default_factory=dict)
    #: Names of lists that the key may not see.
    hidden: set[str] = field(default_factory=set)
    #: Names of the lists that were asked for.
    listed: list[str] = field(default_factory=list)
    page_size: int = 100
    trouble: VelvetError | None = None
    #: Whether there is no gateway at all.
    keyless: VelvetError | None = None
    livemode: bool = False
    #: Whose the key is.
    account: str = "acct_1"
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

    async def fetch_account(self) -> AccountSnapshot:
        if self.trouble is not None:
            raise self.trouble
        return AccountSnapshot(
            id=self.account,
            name="Shop",
            country="DE",
            default_currency="eur",
            charges_enabled=True,
            livemode=False,
        )

    async def fetch_subscription(self, key: str) -> SubscriptionSnapshot:
        return self._found(self.subscriptions, key)

    async def fetch_customer_subscriptions(self, key: str) -> tuple[SubscriptionSnapshot, ...]:
        self._answers(f"subscriptions of {key}")
        if key in self.gone:
            raise Permanent("stripe_not_found", param="customer")
        return tuple(one for one in self.subscriptions.values() if one.customer == key)

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

    async def fetch_page(
        self,
        listing: Listing[S],
        *,
        after: str | None = None,
        since: datetime | None = None,
        before: datetime | None = None,
        types: tuple[str, ...] = (),
    ) -> Page[S]:
        self.listed.append(listing.name)
        if self.trouble is not None:
            raise self.trouble
        if listing.name in self.hidden:
            raise NeedsOperator("stripe_permission")
        rows = self._rows(listing.name)
        if since is not None:
            rows = [row for row in rows if getattr(row, "created", since) >= since]
        if before is not None:
            rows = [row for row in rows if row.created < before]
        if types:
            rows = [row for row in rows if row.type in types]
        ids = [row.id for row in rows]
        start = 0 if after is None else ids.index(after) + 1
        end = start + self.page_size
        return Page(tuple(rows[start:end]), ids[end - 1] if end < len(rows) else None)

    def _rows(self, name: str) -> list[Any]:
        known: dict[str, list[Any]] = {
            "subscriptions": [*self.subscriptions.values()],
            "payments": [one for one in self.payments.values() if one.subscription is None],
            "customers": [one for one in self.customers.values() if not one.deleted],
            "checkout sessions": [
                one for one in self.sessions.values() if one.status == "complete"
            ],
        }
        rows = [*self.lists.get(name, ()), *known.get(name, ())]
        return sorted(rows, key=lambda row: row.created, reverse=True) if name in known else rows

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
        buyer = self.customers.get(request.customer or "")
        if buyer is not None and buyer.deleted:
            raise Permanent("stripe_not_found", param="customer")
        if (known := self._make(key, request)) is not None:
            return self.sessions[known]
        made = session(
            mode=request.mode, customer=request.customer, status="open", metadata=request.metadata
        )
        self.sessions[made.id] = made
        self.names[key] = made.id
        return made

    async def create_portal_session(self, customer: str, return_url: str, *, language: str) -> str:
        assert return_url
        assert language
        if self.trouble is not None:
            raise self.trouble
        return f"https://billing.example.com/p/{customer}"

    def _make(self, key: str, request: object) -> str | None:
        """Refuse a key that was used for something else, as Stripe does; give what it made."""
        if self.trouble is not None:
            raise self.trouble
        if any(known == key and before != request for known, before in self.made):
            raise Permanent("stripe_invalid_request", param=None, message="idempotency")
        if key not in self.names:
            self.made.append((key, request))
        return self.names.get(key)

    def _answers(self, question: str) -> None:
        self.asked.append(question)
        if self.trouble is not None:
            raise self.trouble

    def _found(self, kind: Mapping[str, T], key: str) -> T:
        self._answers(key)
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
    info: WebhookInfo = field(
        default_factory=lambda: WebhookInfo(url=HOOK, allowed_updates=ALLOWED_UPDATES)
    )
    #: New ids of groups that became supergroups, by the old one.
    moved: dict[int, int] = field(default_factory=dict)
    #: Rights that the bot lacks where it is an administrator.
    lacking: set[str] = field(default_factory=set)
    me: int = BOT
    #: What chats are called that have a name of their own.
    titles: dict[int, str] = field(default_factory=dict)
    links: dict[str, ChatInviteLink] = field(default_factory=dict)

    async def get_chat_member(self, chat_id: int, user_id: int) -> ChatMember:
        self._call("getChatMember")
        status = self.statuses.get((chat_id, user_id), "left")
        rights = status == "administrator"
        return ChatMember(
            status=status,
            user=User(id=user_id),
            can_invite_users=rights and "can_invite_users" not in self.lacking,
            can_restrict_members=rights and "can_restrict_members" not in self.lacking,
        )

    async def get_chat_member_count(self, chat_id: int) -> int:
        self._call("getChatMemberCount")
        gone = {"left", "kicked"}
        return sum(chat == chat_id and one not in gone for (chat, _), one in self.statuses.items())

    async def create_chat_invite_link(self, chat_id: int, *, name: str) -> ChatInviteLink:
        assert chat_id
        self._call("createChatInviteLink")
        made = ChatInviteLink(f"https://t.me/+{len(self.links) + 1}", name=name)
        self.links[made.invite_link] = made
        return made

    async def edit_chat_invite_link(self, chat_id: int, link: str) -> ChatInviteLink:
        assert chat_id
        self._call("editChatInviteLink")
        return self.links[link]

    async def get_me(self) -> BotUser:
        self._call("getMe")
        return BotUser(id=self.me, is_bot=True, first_name="Rope", username="rope_bot")

    async def get_chat(self, chat_id: int) -> ChatInfo:
        self._call("getChat")
        if chat_id in self.moved:
            raise RetryLater("chat_migrated", migrate_to_chat_id=self.moved[chat_id])
        title = self.titles.get(chat_id, f"Room {-chat_id}")
        return ChatInfo(id=chat_id, type="channel", title=title)

    async def set_webhook(self, url: str, *, secret_token: str) -> None:
        self._call("setWebhook")
        self.webhook = (url, secret_token)
        self.info = WebhookInfo(url=url, allowed_updates=ALLOWED_UPDATES)

    async def get_webhook_info(self) -> WebhookInfo:
        self._call("getWebhookInfo")
        return self.info

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
