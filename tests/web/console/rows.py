"""Rows for the console's pages, as the product would have left them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from velvetrope.domain.states import (
    EventState,
    ItemState,
    Priority,
    Registration,
    Source,
)
from velvetrope.store.encryption import Secret, installation_keys
from velvetrope.store.models import (
    Access,
    Chat,
    Checkout,
    Customer,
    Entitlement,
    InboxEvent,
    Integration,
    Lane,
    OutboxItem,
    Plan,
    PlanChat,
    StripeAccount,
    TextOverride,
)

NOW = datetime.now(UTC)

#: Planted: none of these may ever be seen outside.
TOKEN = "7100200300:AAplantedTokenThatNobodyMaySee01234"
WEBHOOK_SECRET = "planted-webhook-secret-that-nobody-may-see"
STRIPE_KEY = "sk_test_plantedKeyThatNobodyMaySee0123456789"
SIGNING_SECRET = "whsec_plantedSigningSecretThatNobodyMaySee"
SECRETS = (TOKEN, WEBHOOK_SECRET, STRIPE_KEY, SIGNING_SECRET)


@dataclass
class World:
    """One of everything."""

    account: StripeAccount
    integration: Integration
    chat: Chat
    plan: Plan
    text: TextOverride
    customer: Customer
    entitlement: Entitlement
    access: Access
    checkout: Checkout
    event: InboxEvent
    dead_event: InboxEvent
    item: OutboxItem
    dead_item: OutboxItem
    lane: Lane


def make_account(name: str = "Studio, test") -> StripeAccount:
    return StripeAccount.objects.create(
        name=name,
        api_key=Secret(STRIPE_KEY),
        webhook_secrets=Secret(SIGNING_SECRET),
        livemode=False,
        stripe_id=f"acct_{name[:6].strip()}",
    )


def make_integration(account: StripeAccount, number: int = 1) -> Integration:
    secret = f"{WEBHOOK_SECRET}-{number}"
    return Integration.objects.create(
        name=f"Morning yoga {number}",
        stripe_account=account,
        token=Secret(TOKEN),
        bot_id=7_100_200_299 + number,
        bot_username=f"morning_yoga_{number}_bot",
        webhook_secret=Secret(secret),
        webhook_secret_hash=installation_keys().look_up_hash(secret),
        registration=Registration.REGISTERED,
        verified_at=NOW - timedelta(minutes=7),
        language="uk",
        time_zone="Europe/Kyiv",
        terms_url="https://example.com/terms",
    )


def make_plan(integration: Integration, chat: Chat, number: int = 1) -> Plan:
    plan = Plan.objects.create(
        integration=integration,
        stripe_price_id=f"price_{integration.pk}x{number}",
        product_name="Yoga every morning",
        product_id="prod_yoga",
        currency="eur",
        unit_amount=990,
        interval="month",
        sellable=True,
        synced_at=NOW - timedelta(hours=1),
    )
    PlanChat.objects.create(plan=plan, chat=chat)
    return plan


def make_customer(integration: Integration, user_id: int, **fields: object) -> Customer:
    values: dict[str, object] = {
        "first_name": "Олена",
        "username": f"olena_{user_id}",
        "telegram_language": "uk",
        "stripe_customer_id": f"cus_{user_id}",
        "source": "instagram",
        "started_at": NOW - timedelta(days=3),
        "created_at": NOW - timedelta(days=3),
    }
    return Customer.objects.create(
        integration=integration, telegram_user_id=user_id, **(values | fields)
    )


def make_entitlement(customer: Customer, plan: Plan, external_id: str) -> Entitlement:
    return Entitlement.objects.create(
        customer=customer,
        plan=plan,
        external_id=external_id,
        status="active",
        starts_at=NOW - timedelta(days=3),
        period_end=NOW + timedelta(days=27),
        holds=True,
        reason="active",
        decided_at=NOW - timedelta(days=3),
        synced_at=NOW - timedelta(hours=2),
        created_at=NOW - timedelta(days=3),
    )


def make_event(integration: Integration, number: int, **fields: object) -> InboxEvent:
    values: dict[str, object] = {
        "source": Source.TELEGRAM.value,
        "account": integration.pk,
        "external_id": str(number),
        "kind": "message",
        "lane": f"tg:{integration.pk}:42",
        "payload": b'{"update_id": 1, "message": {"text": "a private word"}}',
        "state": EventState.DONE.value,
        "outcome": "handled",
        "received_at": NOW - timedelta(minutes=30),
    }
    return InboxEvent.objects.create(**(values | fields))


def make_dead_event(integration: Integration, number: int, **fields: object) -> InboxEvent:
    values: dict[str, object] = {
        "kind": "chat_join_request",
        "state": EventState.DEAD.value,
        "outcome": "",
        "attempts": 8,
        "error_code": "stripe_not_found",
        "error": f"Traceback (most recent call last): …\nPermanent: stripe_not_found {STRIPE_KEY}",
        "finished_at": NOW - timedelta(minutes=3),
    }
    return make_event(integration, number, **(values | fields))


def make_item(customer: Customer, **fields: object) -> OutboxItem:
    values: dict[str, object] = {
        "integration": customer.integration,
        "customer": customer,
        "chat_id": customer.telegram_user_id,
        "method": "sendMessage",
        "params": '{"chat_id": 42, "text": "<b>Paid</b> за завтра"}'.encode(),
        "priority": Priority.ANSWER.value,
        "state": ItemState.SENT.value,
        "attempts": 1,
        "message_id": 77,
        "created_at": NOW - timedelta(minutes=29),
        "finished_at": NOW - timedelta(minutes=29),
    }
    return OutboxItem.objects.create(**(values | fields))


def make_dead_item(customer: Customer, **fields: object) -> OutboxItem:
    values: dict[str, object] = {
        "method": "approveChatJoinRequest",
        "state": ItemState.DEAD.value,
        "attempts": 3,
        "error_code": "target_is_admin",
        "error": "Permanent: target_is_admin",
        "message_id": None,
    }
    return make_item(customer, **(values | fields))


def make_world() -> World:
    account = make_account()
    integration = make_integration(account)
    chat = Chat.objects.create(
        integration=integration,
        telegram_id=-1_001_234_567_890,
        title="Morning yoga: the channel",
        kind="channel",
        invite_link="https://t.me/+abcdefgh",
        verified_at=NOW - timedelta(minutes=7),
    )
    plan = make_plan(integration, chat)
    customer = make_customer(integration, 42)
    event = make_event(integration, 1)
    return World(
        account=account,
        integration=integration,
        chat=chat,
        plan=plan,
        text=TextOverride.objects.create(
            integration=integration, language="en", key="button.enter", text="Come in"
        ),
        customer=customer,
        entitlement=make_entitlement(customer, plan, "sub_1Yoga"),
        access=Access.objects.create(
            customer=customer, chat=chat, desired=True, observed="inside", let_in_at=NOW
        ),
        checkout=Checkout.objects.create(
            customer=customer,
            plan=plan,
            stripe_session_id="cs_test_1Yoga",
            url="https://checkout.example/pay",
            state="paid",
            expires_at=NOW,
            created_at=NOW - timedelta(days=3),
        ),
        event=event,
        dead_event=make_dead_event(integration, 2),
        item=make_item(customer, cause=event.pk),
        dead_item=make_dead_item(customer),
        lane=Lane.objects.create(
            key=f"tg:{integration.pk}:77",
            retry_at=NOW + timedelta(minutes=2),
            attempts=3,
            error_code="stripe_unavailable",
        ),
    )
