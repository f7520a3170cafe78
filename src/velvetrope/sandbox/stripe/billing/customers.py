"""Customers: their shape and what ends with them."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from velvetrope.sandbox.stripe.shapes import Obj, new_id

from . import standing, subscriptions

if TYPE_CHECKING:
    from velvetrope.sandbox.stripe.account import Account


def create(account: Account, members: Obj) -> Obj:
    """Make a customer with the given members and announce it."""
    customer = account.add(
        {
            "id": new_id("cus", 14),
            "object": "customer",
            "address": None,
            "balance": 0,
            "business_name": None,
            "created": account.now(),
            "currency": None,
            "customer_account": None,
            "default_source": None,
            "delinquent": False,
            "description": None,
            "discount": None,
            "email": None,
            "individual_name": None,
            "invoice_prefix": secrets.token_hex(4).upper(),
            "invoice_settings": {
                "custom_fields": None,
                "default_payment_method": None,
                "footer": None,
                "rendering_options": None,
            },
            "livemode": False,
            "metadata": {},
            "name": None,
            "next_invoice_sequence": 1,
            "phone": None,
            "preferred_locales": [],
            "shipping": None,
            "tax_exempt": "none",
            "test_clock": None,
            **members,
        }
    )
    account.emit("customer.created", customer)
    return customer


def delete(account: Account, customer: Obj) -> Obj:
    """Delete a customer; its subscriptions end at once."""
    for subscription in account.all("subscription"):
        if (
            subscription["customer"] == customer["id"]
            and subscription["status"] not in subscriptions.OVER
        ):
            standing.end(account, subscription, "cancellation_requested")
    account.emit("customer.deleted", customer)
    return account.remove(customer)
