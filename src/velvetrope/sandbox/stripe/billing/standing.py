"""How a subscription's status follows its invoices."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from velvetrope.sandbox.stripe.account import Account
    from velvetrope.sandbox.stripe.shapes import Obj


def _of(account: Account, invoice: Obj) -> Obj | None:
    parent = invoice["parent"]
    if parent is None:
        return None
    return account.find("subscription", parent["subscription_details"]["subscription"])


def invoice_paid(account: Account, invoice: Obj) -> None:
    """Bring the subscription back once its latest invoice is paid."""
    subscription = _of(account, invoice)
    if subscription is None or subscription["latest_invoice"] != invoice["id"]:
        return
    if subscription["status"] in {"past_due", "unpaid", "incomplete"}:
        with account.changing(subscription, "customer.subscription.updated"):
            subscription["status"] = "active"


def invoice_refused(account: Account, invoice: Obj, *, last: bool) -> None:
    """Let the subscription fall behind, and end it as the settings say after the `last` attempt."""
    subscription = _of(account, invoice)
    if subscription is None or subscription["status"] in {"incomplete", "canceled", "unpaid"}:
        return
    outcome = account.settings.after_retries if last else "past_due"
    if invoice["billing_reason"] == "subscription_create":
        outcome = "past_due"
    if outcome == "cancel":
        end(account, subscription, "payment_failed")
        return
    with account.changing(subscription, "customer.subscription.updated"):
        subscription["status"] = outcome


def end(account: Account, subscription: Obj, reason: str) -> None:
    """Cancel a subscription for good, now."""
    now = account.now()
    subscription |= {"status": "canceled", "ended_at": now}
    subscription["canceled_at"] = subscription["canceled_at"] or now
    subscription["pause_collection"] = None
    subscription["cancellation_details"]["reason"] = reason
    for invoice in account.all("invoice"):
        if _of(account, invoice) is subscription and invoice["status"] in {"draft", "open"}:
            invoice |= {"auto_advance": False, "next_payment_attempt": None}
            invoice["automatically_finalizes_at"] = None
    account.emit("customer.subscription.deleted", subscription)
