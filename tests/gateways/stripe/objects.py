"""Stripe's objects at the pinned version, with the members that matter and some that do not."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

CREATED, LATER, LATEST = 1_790_000_000, 1_792_000_000, 1_795_000_000

PRODUCT: Json = {
    "id": "prod_1",
    "object": "product",
    "active": True,
    "name": "Клуб",
    "livemode": False,
    "metadata": {},
}
PRICE: Json = {
    "id": "price_1",
    "object": "price",
    "active": True,
    "billing_scheme": "per_unit",
    "created": CREATED,
    "currency": "eur",
    "livemode": False,
    "metadata": {},
    "product": PRODUCT,
    "recurring": {"interval": "month", "interval_count": 3, "usage_type": "licensed"},
    "type": "recurring",
    "unit_amount": 1500,
    "unit_amount_decimal": "1500",
}
SUBSCRIPTION: Json = {
    "id": "sub_1",
    "object": "subscription",
    "cancel_at": None,
    "cancel_at_period_end": False,
    "cancellation_details": {"comment": None, "feedback": None, "reason": None},
    "created": CREATED,
    "customer": "cus_1",
    "ended_at": None,
    "items": {
        "object": "list",
        "data": [
            {"id": "si_1", "price": {"id": "price_1"}, "current_period_end": LATER},
            {"id": "si_2", "price": {"id": "price_2"}, "current_period_end": LATEST},
        ],
        "has_more": False,
    },
    "latest_invoice": "in_1",
    "livemode": False,
    "metadata": {"telegram_user_id": "5"},
    "pause_collection": None,
    "status": "active",
    "trial_end": None,
}
SESSION: Json = {
    "id": "cs_1",
    "object": "checkout.session",
    "amount_total": 1500,
    "client_reference_id": "ref-1",
    "created": CREATED,
    "currency": "eur",
    "customer": "cus_1",
    "expires_at": LATER,
    "livemode": False,
    "metadata": {"telegram_user_id": "5"},
    "mode": "subscription",
    "payment_intent": None,
    "payment_status": "unpaid",
    "status": "open",
    "subscription": None,
    "url": "https://pay.example/c/cs_1",
}
INTENT: Json = {
    "id": "pi_1",
    "object": "payment_intent",
    "amount": 1500,
    "amount_received": 1500,
    "created": CREATED,
    "currency": "eur",
    "customer": "cus_1",
    "livemode": False,
    "metadata": {"telegram_user_id": "5"},
    "status": "succeeded",
}
INVOICE: Json = {
    "id": "in_1",
    "object": "invoice",
    "amount_due": 1500,
    "amount_paid": 0,
    "attempt_count": 1,
    "created": CREATED,
    "currency": "eur",
    "customer": "cus_1",
    "hosted_invoice_url": "https://pay.example/i/in_1",
    "livemode": False,
    "parent": {
        "type": "subscription_details",
        "quote_details": None,
        "subscription_details": {"subscription": "sub_1", "metadata": {"telegram_user_id": "5"}},
    },
    "status": "open",
}
CUSTOMER: Json = {
    "id": "cus_1",
    "object": "customer",
    "created": CREATED,
    "livemode": False,
    "metadata": {"telegram_user_id": "5"},
    "name": "Олена",
}
CHARGE: Json = {"id": "ch_1", "object": "charge", "payment_intent": "pi_1"}
DISPUTE: Json = {
    "id": "dp_1",
    "object": "dispute",
    "charge": "ch_1",
    "payment_intent": "pi_1",
    "status": "needs_response",
}
ACCOUNT: Json = {
    "id": "acct_1",
    "object": "account",
    "business_profile": {"name": None},
    "charges_enabled": True,
    "country": "CZ",
    "default_currency": "czk",
    "settings": {"dashboard": {"display_name": "Клуб", "timezone": "Etc/UTC"}},
}


def refund(status: str, amount: int) -> Json:
    return {
        "id": f"re_{status}",
        "object": "refund",
        "amount": amount,
        "charge": "ch_1",
        "payment_intent": "pi_1",
        "status": status,
    }


def event(number: int) -> Json:
    return {
        "id": f"evt_{number}",
        "object": "event",
        "api_version": "2026-10-28.endive",
        "created": CREATED + number,
        "data": {"object": {"id": "in_1", "object": "invoice"}},
        "livemode": False,
        "type": "invoice.paid",
    }


def page(*members: Json, has_more: bool = False) -> Json:
    return {"object": "list", "url": "/v1/things", "data": list(members), "has_more": has_more}
