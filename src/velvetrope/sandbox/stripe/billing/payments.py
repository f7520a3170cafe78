"""Payment intents and charges: the attempt, its outcome, and bank debits that settle later."""

from __future__ import annotations

from typing import TYPE_CHECKING

from velvetrope.sandbox.stripe.hidden import CardConduct
from velvetrope.sandbox.stripe.shapes import Obj, new_id

if TYPE_CHECKING:
    from velvetrope.sandbox.stripe.account import Account

_REFUSED = {
    "decline_code": "generic_decline",
    "code": "card_declined",
    "message": "Your card was declined.",
}
_RETURNED = {
    "decline_code": None,
    "code": "payment_method_provider_decline",
    "message": "The customer's bank returned the debit.",
}


def create(
    account: Account,
    *,
    amount: int,
    currency: str,
    customer: str | None,
    description: str | None = None,
    metadata: Obj | None = None,
    setup_future_usage: str | None = None,
) -> Obj:
    """Make a payment intent that waits for a payment method."""
    ident = new_id("pi")
    intent = account.add(
        {
            "id": ident,
            "object": "payment_intent",
            "amount": amount,
            "amount_capturable": 0,
            "amount_details": {"tip": {}},
            "amount_received": 0,
            "application": None,
            "application_fee_amount": None,
            "automatic_payment_methods": None,
            "canceled_at": None,
            "cancellation_reason": None,
            "capture_method": "automatic",
            "client_secret": f"{ident}_secret_{new_id('x')[2:]}",
            "confirmation_method": "automatic",
            "created": account.now(),
            "currency": currency,
            "customer": customer,
            "customer_account": None,
            "description": description,
            "excluded_payment_method_types": None,
            "last_payment_error": None,
            "latest_charge": None,
            "livemode": False,
            "metadata": dict(metadata or {}),
            "next_action": None,
            "on_behalf_of": None,
            "payment_method": None,
            "payment_method_configuration_details": None,
            "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
            "payment_method_types": ["card"],
            "processing": None,
            "receipt_email": None,
            "review": None,
            "setup_future_usage": setup_future_usage,
            "shipping": None,
            "source": None,
            "statement_descriptor": None,
            "statement_descriptor_suffix": None,
            "status": "requires_payment_method",
            "transfer_data": None,
            "transfer_group": None,
        }
    )
    account.emit("payment_intent.created", intent)
    return intent


def attempt(account: Account, intent: Obj, method: Obj, *, present: bool = False) -> str:
    """Try to take the money; gives the intent's status afterwards.

    `present` says that the person is there and confirms what the bank wants confirmed.
    """
    conduct = account.conduct[method["id"]]
    intent["next_action"] = None
    intent["payment_method"] = method["id"]
    intent["payment_method_types"] = [method["type"]]
    if conduct.is_bank_debit:
        charge = _charge(account, intent, method, "pending")
        intent |= {"status": "processing", "latest_charge": charge["id"]}
        account.emit("charge.pending", charge)
        account.emit("payment_intent.processing", intent)
        account.schedule(account.now() + account.settings.settle_seconds, intent)
    elif conduct is CardConduct.NEEDS_ACTION and not present:
        intent |= {
            "status": "requires_action",
            "next_action": {"type": "use_stripe_sdk", "use_stripe_sdk": {}},
        }
        account.emit("payment_intent.requires_action", intent)
    elif conduct in {CardConduct.DECLINED, CardConduct.DECLINES_LATER}:
        charge = _charge(account, intent, method, "failed")
        intent["latest_charge"] = charge["id"]
        _refuse(account, intent, charge, _REFUSED)
    else:
        charge = _charge(account, intent, method, "succeeded")
        intent["latest_charge"] = charge["id"]
        _receive(account, intent, charge)
    return str(intent["status"])


def settle(account: Account, intent: Obj, *, succeeded: bool) -> None:
    """Let the bank debit of a processing intent come in or bounce."""
    charge = account.get("charge", intent["latest_charge"])
    if succeeded:
        charge |= {
            "status": "succeeded",
            "paid": True,
            "amount_captured": charge["amount"],
            "receipt_url": _receipt_url(account, charge["id"]),
        }
        _receive(account, intent, charge)
    else:
        _refuse(account, intent, charge, _RETURNED)


def settles_well(account: Account, intent: Obj) -> bool:
    """Tell how the bank debit behind an intent will end by itself."""
    return account.conduct[intent["payment_method"]] is not CardConduct.DELAYED_FAILS


def _receive(account: Account, intent: Obj, charge: Obj) -> None:
    intent |= {
        "status": "succeeded",
        "amount_received": intent["amount"],
        "last_payment_error": None,
    }
    account.emit("charge.succeeded", charge)
    account.emit("payment_intent.succeeded", intent)


def _refuse(account: Account, intent: Obj, charge: Obj, reason: Obj) -> None:
    charge |= {
        "status": "failed",
        "paid": False,
        "captured": False,
        "failure_code": reason["code"],
        "failure_message": reason["message"],
    }
    if reason is _RETURNED:
        charge["failure_balance_transaction"] = _reversal(account, charge)["id"]
    charge["outcome"] |= {"network_status": "declined_by_network", "type": "issuer_declined"}
    intent |= {
        "status": "requires_payment_method",
        "payment_method": None,
        "last_payment_error": {
            **reason,
            "charge": charge["id"],
            "payment_method": account.find("payment_method", charge["payment_method"]),
            "type": "card_error" if reason is _REFUSED else "invalid_request_error",
        },
    }
    account.emit("charge.failed", charge)
    account.emit("payment_intent.payment_failed", intent)


def _reversal(account: Account, charge: Obj) -> Obj:
    """Take a debit that came back out of the balance again."""
    return account.add(
        {
            "id": new_id("txn"),
            "object": "balance_transaction",
            "amount": -charge["amount"],
            "available_on": account.now(),
            "balance_type": "payments",
            "created": account.now(),
            "currency": charge["currency"],
            "description": charge["description"],
            "exchange_rate": None,
            "fee": 0,
            "fee_details": [],
            "net": -charge["amount"],
            "reporting_category": "charge_failure",
            "source": charge["id"],
            "status": "available",
            "type": "payment_failure_refund",
        }
    )


def cancel(account: Account, intent: Obj, reason: str) -> None:
    """Close an intent that will not be paid."""
    if intent["status"] in {"succeeded", "canceled"}:
        return
    intent |= {
        "status": "canceled",
        "canceled_at": account.now(),
        "cancellation_reason": reason,
    }
    account.emit("payment_intent.canceled", intent)


def _charge(account: Account, intent: Obj, method: Obj, status: str) -> Obj:
    paid = status == "succeeded"
    kind, ident = method["type"], new_id("ch")
    return account.add(
        {
            "id": ident,
            "object": "charge",
            "amount": intent["amount"],
            "amount_captured": intent["amount"] if paid else 0,
            "amount_refunded": 0,
            "application": None,
            "application_fee": None,
            "application_fee_amount": None,
            "balance_transaction": new_id("txn") if paid else None,
            "billing_details": dict(method["billing_details"]),
            "calculated_statement_descriptor": "SANDBOX",
            "captured": True,
            "created": account.now(),
            "currency": intent["currency"],
            "customer": intent["customer"],
            "description": intent["description"],
            "disputed": False,
            "failure_balance_transaction": None,
            "failure_code": None,
            "failure_message": None,
            "fraud_details": {},
            "livemode": False,
            "metadata": dict(intent["metadata"]),
            "on_behalf_of": None,
            "outcome": {
                "advice_code": None,
                "network_advice_code": None,
                "network_decline_code": None,
                "network_status": "approved_by_network",
                "reason": None,
                "risk_level": "normal",
                "risk_score": 12,
                "seller_message": "Payment complete.",
                "type": "authorized",
            },
            "paid": paid,
            "payment_intent": intent["id"],
            "payment_method": method["id"],
            "payment_method_details": {kind: _details(method), "type": kind},
            "radar_options": {},
            "receipt_email": None,
            "receipt_number": None,
            "receipt_url": _receipt_url(account, ident) if paid else None,
            "refunded": False,
            "review": None,
            "shipping": None,
            "source": None,
            "source_transfer": None,
            "statement_descriptor": None,
            "statement_descriptor_suffix": None,
            "status": status,
            "transfer_data": None,
            "transfer_group": None,
        }
    )


def _receipt_url(account: Account, charge: str) -> str:
    return f"{account.world.public_url}/receipt/{charge}"


def _details(method: Obj) -> Obj:
    """Give what a charge tells about its payment method."""
    kept = dict(method[method["type"]])
    for name in ("display_brand", "generated_from", "networks", "three_d_secure_usage"):
        kept.pop(name, None)
    return kept
