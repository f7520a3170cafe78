"""Stripe's objects as tests want them: what isn't given is Ann's, paid and in order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any

from velvetrope.gateways.stripe.metadata import OwnerTag, build
from velvetrope.gateways.stripe.snapshots import (
    CheckoutSessionSnapshot,
    DisputeSnapshot,
    PaymentSnapshot,
    PriceSnapshot,
    SubscriptionSnapshot,
)

if TYPE_CHECKING:
    from velvetrope.store.models import (
        Plan,
    )

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
BOT = 100001
ANN = 77
LOUNGE, VAULT = -1001000000001, -1001000000002

numbers = count(1)


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
        "product_ids": ("prod_price_month",),
        "current_period_end": NOW + 30 * DAY,
        "cancel_at": None,
        "cancel_at_period_end": False,
        "ended_at": None,
        "trial_end": None,
        "paused_collection": False,
        "is_discounted": False,
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
    key = f"cs_{next(numbers)}"
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
