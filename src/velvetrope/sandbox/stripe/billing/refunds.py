"""Refunds: made, arriving late, coming back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from velvetrope.sandbox.stripe.errors import ApiError, invalid
from velvetrope.sandbox.stripe.hidden import CardConduct
from velvetrope.sandbox.stripe.shapes import Obj, new_id

if TYPE_CHECKING:
    from velvetrope.sandbox.stripe.account import Account

_ENDED = frozenset({"failed", "canceled"})


def create(
    account: Account,
    charge: Obj,
    *,
    amount: int | None = None,
    reason: str | None = None,
    metadata: Obj | None = None,
    outcome: str | None = None,
) -> Obj:
    """Give money of a charge back; `outcome` (succeeded, pending, failed) overrides the card's."""
    left = charge["amount"] - charge["amount_refunded"]
    if charge["status"] != "succeeded":
        raise ApiError(
            f"This PaymentIntent ({charge['payment_intent']}) does not have a successful charge to "
            "refund.",
            code="charge_not_refundable",
        )
    if left == 0:
        raise ApiError(
            f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded"
        )
    amount = left if amount is None else amount
    if amount < 1:
        raise ApiError("Invalid positive integer", code="parameter_invalid_integer", param="amount")
    if amount > left:
        raise invalid(
            f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})",
            "amount",
        )
    conduct = account.conduct.get(charge["payment_method"], CardConduct.GOOD)
    slow = conduct is CardConduct.REFUND_PENDING or conduct.is_bank_debit
    status = {"failed": "succeeded"}.get(outcome or "", outcome) or (
        "pending" if slow else "succeeded"
    )
    refund = account.add(
        {
            "id": new_id("re"),
            "object": "refund",
            "amount": amount,
            "balance_transaction": new_id("txn"),
            "charge": charge["id"],
            "created": account.now(),
            "currency": charge["currency"],
            "customer": charge["customer"],
            "customer_account": None,
            "destination_details": {
                "card": {
                    "reference_status": "pending",
                    "reference_type": "acquirer_reference_number",
                    "type": "refund",
                },
                "type": "card",
            },
            "metadata": dict(metadata or {}),
            "payment_intent": charge["payment_intent"],
            "payment_method": charge["payment_method"],
            "reason": reason,
            "receipt_number": None,
            "source_transfer_reversal": None,
            "status": status,
            "transfer_reversal": None,
        }
    )
    if status == "pending":
        refund["pending_reason"] = "processing"
    previous = {"amount_refunded": charge["amount_refunded"], "refunded": charge["refunded"]}
    _count(account, charge)
    account.emit("refund.created", refund)
    account.emit("charge.refunded", charge, previous)
    if outcome == "failed":
        finish(account, refund, "failed")
    elif conduct is CardConduct.REFUND_FAILS or status == "pending":
        account.schedule(account.now() + account.settings.settle_seconds, refund)
    return refund


def finish(account: Account, refund: Obj, status: str) -> None:
    """Let a refund succeed, fail or be cancelled; a failed one gives the money back to the shop."""
    if refund["status"] == status:
        return
    charge = account.get("charge", refund["charge"])
    with account.changing(refund, "refund.updated"):
        refund["status"] = status
        refund.pop("pending_reason", None)
        if status == "failed":
            refund |= {
                "failure_reason": "lost_or_stolen_card",
                "failure_balance_transaction": new_id("txn"),
            }
    if status in _ENDED:
        with account.changing(charge, "charge.updated"):
            _count(account, charge)
    if status == "failed":
        account.emit("refund.failed", refund)


def look(account: Account, refund: Obj) -> None:
    """End what was on its way."""
    conduct = account.conduct.get(refund["payment_method"], CardConduct.GOOD)
    if conduct is CardConduct.REFUND_FAILS:
        finish(account, refund, "failed")
    elif refund["status"] == "pending":
        finish(account, refund, "succeeded")


def _count(account: Account, charge: Obj) -> None:
    charge["amount_refunded"] = sum(
        refund["amount"]
        for refund in account.all("refund")
        if refund["charge"] == charge["id"] and refund["status"] not in _ENDED
    )
    charge["refunded"] = charge["amount_refunded"] == charge["amount"]
