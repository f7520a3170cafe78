"""Payment methods: the sandbox's cards and bank debits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from velvetrope.sandbox.stripe.hidden import CardConduct
from velvetrope.sandbox.stripe.shapes import Obj, new_id

if TYPE_CHECKING:
    from velvetrope.sandbox.stripe.account import Account

#: The last four digits by which a person tells the sandbox's cards apart.
LAST4 = {
    CardConduct.GOOD: "4242",
    CardConduct.DECLINED: "0002",
    CardConduct.DECLINES_LATER: "0341",
    CardConduct.NEEDS_ACTION: "3184",
    CardConduct.DELAYED: "3201",
    CardConduct.DELAYED_FAILS: "3202",
    CardConduct.REFUND_FAILS: "5126",
    CardConduct.REFUND_PENDING: "7726",
}

#: Stripe's shared test payment methods, by id.
SHARED = {
    "pm_card_visa": CardConduct.GOOD,
    "pm_card_chargeCustomerFail": CardConduct.DECLINES_LATER,
    "pm_card_visa_chargeDeclined": CardConduct.DECLINED,
    "pm_card_chargeDeclined": CardConduct.DECLINED,
    "pm_card_authenticationRequired": CardConduct.NEEDS_ACTION,
    "pm_card_refundFail": CardConduct.REFUND_FAILS,
    "pm_card_pendingRefund": CardConduct.REFUND_PENDING,
}


def create(account: Account, conduct: CardConduct, email: str | None, name: str | None) -> Obj:
    """Make a payment method that belongs to nobody yet."""
    debit = conduct.is_bank_debit
    method: Obj = {
        "id": new_id("pm"),
        "object": "payment_method",
        "allow_redisplay": "limited",
        "billing_details": {
            "address": _no_address(),
            "email": email,
            "name": name,
            "phone": None,
            "tax_id": None,
        },
        "created": account.now(),
        "customer": None,
        "customer_account": None,
        "livemode": False,
        "metadata": {},
        "type": "sepa_debit" if debit else "card",
    }
    if debit:
        method["sepa_debit"] = {
            "bank_code": "37040044",
            "branch_code": "",
            "country": "DE",
            "fingerprint": new_id("fp", 16)[3:],
            "generated_from": {"charge": None, "setup_attempt": None},
            "last4": LAST4[conduct],
        }
    else:
        method["card"] = card_details(conduct)
    account.conduct[method["id"]] = conduct
    return account.add(method)


def card_details(conduct: CardConduct) -> Obj:
    """Give the `card` member of a payment method."""
    return {
        "brand": "visa",
        "checks": {
            "address_line1_check": None,
            "address_postal_code_check": None,
            "cvc_check": "pass",
        },
        "country": "US",
        "display_brand": "visa",
        "exp_month": 12,
        "exp_year": 2034,
        "fingerprint": "Xt5EWLLDS7FJjR1c",
        "funding": "credit",
        "generated_from": None,
        "last4": LAST4[conduct],
        "networks": {"available": ["visa"], "preferred": None},
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }


def attach(account: Account, method: Obj, customer: Obj) -> None:
    """Save a payment method with a customer."""
    if method["customer"] == customer["id"]:
        return
    method["customer"] = customer["id"]
    account.emit("payment_method.attached", method)


def make_default(account: Account, method: Obj, customer: Obj) -> None:
    """Let a customer's invoices be paid by `method` from now on."""
    attach(account, method, customer)
    with account.changing(customer, "customer.updated"):
        customer["invoice_settings"]["default_payment_method"] = method["id"]
    for subscription in account.all("subscription"):
        if subscription["customer"] == customer["id"] and subscription["default_payment_method"]:
            with account.changing(subscription, "customer.subscription.updated"):
                subscription["default_payment_method"] = method["id"]


def usual(account: Account, customer: Obj | None, subscription: Obj | None = None) -> Obj | None:
    """Give the method that pays: the subscription's own, else the customer's default."""
    if subscription is not None and subscription["default_payment_method"]:
        return account.find("payment_method", subscription["default_payment_method"])
    if customer is None:
        return None
    return account.find("payment_method", customer["invoice_settings"]["default_payment_method"])


def method_of(account: Account, method_id: str) -> Obj:
    """Give the payment method of that id; Stripe's shared test ones are made on demand."""
    if method_id in SHARED:
        return create(account, SHARED[method_id], None, None)
    return account.get("payment_method", method_id, "payment_method")


def _no_address() -> Obj:
    names = ("city", "country", "line1", "line2", "postal_code", "state")
    return dict.fromkeys(names)
