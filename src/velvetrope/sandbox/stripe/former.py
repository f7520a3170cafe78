"""Event payloads in the shapes of former API versions, for endpoints that were made with one."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING

from .billing import invoices

if TYPE_CHECKING:
    from .account import Account
    from .shapes import Obj

#: Since this version the period is the items' and an invoice names its parent.
_BASIL = "2025-03-31"


def event(account: Account, current: Obj, version: str) -> Obj:
    """Give a copy of an event as `version` shaped it."""
    changed = deepcopy(current) | {"api_version": version}
    if version < _BASIL:
        obj = changed["data"]["object"]
        if obj["object"] == "subscription":
            _subscription(obj)
        elif obj["object"] == "invoice":
            _invoice(account, obj)
    return changed


def _subscription(obj: Obj) -> None:
    rows = obj["items"]["data"]
    obj["current_period_start"] = min(row.pop("current_period_start") for row in rows)
    obj["current_period_end"] = max(row.pop("current_period_end") for row in rows)
    obj["plan"] = rows[0]["plan"]
    obj["quantity"] = rows[0]["quantity"]


def _invoice(account: Account, obj: Obj) -> None:
    parent = obj.pop("parent")
    intent = invoices.intent_of(account, obj)
    obj |= {
        "subscription": parent["subscription_details"]["subscription"] if parent else None,
        "subscription_details": {"metadata": parent["subscription_details"]["metadata"]}
        if parent
        else None,
        "payment_intent": intent["id"] if intent else None,
        "charge": intent["latest_charge"] if intent else None,
        "paid": obj["status"] == "paid",
    }
    for line in obj["lines"]["data"]:
        pricing = line.pop("pricing")
        line["price"] = account.find("price", pricing["price_details"]["price"])
        line["type"] = "subscription" if line.pop("parent") else "invoiceitem"
