"""Stripe as the benchmarks need it: events of purchases, signed, and the objects that they name.

Everything follows from the number of the person who pays, so the far end keeps nothing.
"""

from __future__ import annotations

import hmac
import json
import time
from itertools import count
from typing import Final

SECRET: Final = "whsec_bench_0123456789abcdefghijklmnop"
WEBHOOK: Final = "/stripe/bots/webhooks"
_CREATED: Final = int(time.time())
_events = count(1)


def _shape(kind: str, name: str, person: int, **fields: object) -> dict[str, object]:
    tag = {
        "velvetrope_installation": "bench-example",
        "velvetrope_integration": "123456789",
        "telegram_user_id": str(person),
        "velvetrope_plan": "price_bench0_0",
    }
    return {
        "id": name,
        "object": kind,
        "customer": f"cus_bench{person}",
        "livemode": False,
        "created": _CREATED,
        "metadata": tag,
        **fields,
    }


def _session(person: int) -> dict[str, object]:
    return _shape(
        "checkout.session",
        f"cs_bench{person}",
        person,
        mode="subscription",
        status="complete",
        payment_status="paid",
        subscription=f"sub_bench{person}",
        expires_at=_CREATED + 86_400,
        amount_total=500,
        currency="eur",
    )


def _subscription(person: int) -> dict[str, object]:
    price = {"id": "price_bench0_0", "product": "prod_bench0_0"}
    item = {"price": price, "current_period_end": _CREATED + 30 * 86_400}
    invoice = _shape(
        "invoice",
        f"in_bench{person}",
        person,
        currency="eur",
        amount_due=500,
        amount_paid=500,
        attempt_count=1,
        status="paid",
        billing_reason="subscription_create",
    )
    return _shape(
        "subscription",
        f"sub_bench{person}",
        person,
        status="active",
        items={"object": "list", "data": [item]},
        latest_invoice=invoice,
    )


def answer(path: str) -> object:
    """Answer a GET; what nobody bought is an empty list."""
    name = path.partition("?")[0].rpartition("/")[2]
    kind, _, person = name.partition("_bench")
    if kind == "cs":
        return _session(int(person))
    if kind == "sub":
        return _subscription(int(person))
    return {"object": "list", "data": [], "has_more": False, "url": "/v1"}


def purchase(person: int) -> bytes:
    """Give the event that tells of a completed Checkout."""
    return _event("checkout.session.completed", _session(person))


def of_no_interest() -> bytes:
    """Give an event of a kind that neither the product nor dj-stripe does anything about."""
    return _event("balance.available", {"object": "balance", "available": [], "livemode": False})


def _event(kind: str, named: object) -> bytes:
    return json.dumps(
        {
            "id": f"evt_bench{next(_events)}",
            "object": "event",
            "api_version": "2026-09-30.preview",
            "type": kind,
            "created": _CREATED,
            "livemode": False,
            "pending_webhooks": 1,
            "request": {"id": None, "idempotency_key": None},
            "data": {"object": named},
        }
    ).encode()


def delivery(body: bytes, path: str = WEBHOOK) -> bytes:
    """Give the whole request that delivers an event, signed now."""
    now = int(time.time())
    digest = hmac.digest(SECRET.encode(), b"%d.%b" % (now, body), "sha256").hex()
    head = (
        f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nstripe-signature: t={now},v1={digest}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
