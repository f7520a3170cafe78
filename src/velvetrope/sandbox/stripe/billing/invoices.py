"""What happens to an invoice: drafted, finalized, paid, refused and tried again, closed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from velvetrope.sandbox.stripe.hidden import DAY
from velvetrope.sandbox.stripe.shapes import Obj, new_id

from . import documents, methods, payments, standing

if TYPE_CHECKING:
    from velvetrope.sandbox.stripe.account import Account


def draft(
    account: Account,
    customer: Obj,
    lines: list[Obj],
    *,
    reason: str,
    subscription: Obj | None = None,
    metadata: Obj | None = None,
    auto_advance: bool = True,
) -> Obj:
    """Make an invoice; with `auto_advance` it finalizes itself after the draft time."""
    invoice = account.add(
        documents.invoice(
            account,
            customer,
            lines,
            reason=reason,
            subscription=subscription,
            metadata=metadata,
            auto_advance=auto_advance,
        )
    )
    account.emit("invoice.created", invoice)
    if auto_advance:
        account.schedule(invoice["automatically_finalizes_at"], invoice)
    return invoice


def finalize(account: Account, invoice: Obj) -> None:
    """Turn a draft into an open invoice with a number."""
    account.invoice_count += 1
    now = account.now()
    invoice |= {
        "status": "open",
        "number": f"SANDBOX-{account.invoice_count:04d}",
        "effective_at": now,
        "ending_balance": 0,
        "automatically_finalizes_at": None,
        "next_payment_attempt": None,
        "hosted_invoice_url": f"{account.world.public_url}/invoice/{invoice['id']}",
    }
    invoice["status_transitions"]["finalized_at"] = now
    account.emit("invoice.finalized", invoice)


def collect(
    account: Account, invoice: Obj, method: Obj | None = None, *, present: bool = False
) -> str:
    """Try to have an open invoice paid; gives `paid`, `processing` or `failed`.

    `present` says that the person is there to confirm the payment.
    """
    customer = account.find("customer", invoice["customer"])
    subscription = subscription_of(account, invoice)
    if invoice["amount_remaining"] == 0:
        _paid(account, invoice, None)
        return "paid"
    method = method or methods.usual(account, customer, subscription)
    intent = intent_of(account, invoice)
    if intent is None:
        intent = payments.create(
            account,
            amount=invoice["amount_remaining"],
            currency=invoice["currency"],
            customer=invoice["customer"],
            description=_description(invoice),
            setup_future_usage="off_session" if subscription else None,
        )
        payment = account.add(documents.invoice_payment(invoice, intent, account.now()))
        account.pairs[invoice["id"]] = account.pairs[intent["id"]] = payment["id"]
    status = "requires_payment_method"
    if method is not None:
        status = payments.attempt(account, intent, method, present=present)
    return after_attempt(account, invoice, intent, status)


def after_attempt(account: Account, invoice: Obj, intent: Obj, status: str) -> str:
    """Draw the consequences of an attempt's outcome, now or when a bank debit settled."""
    invoice["attempted"] = True
    if status == "succeeded":
        _paid(account, invoice, intent)
        return "paid"
    if status == "processing":
        invoice["attempt_count"] += 1
        invoice["next_payment_attempt"] = None
        return "processing"
    if status == "requires_action":
        account.emit("invoice.payment_action_required", invoice)
    _refused(account, invoice)
    return "failed"


def _paid(account: Account, invoice: Obj, intent: Obj | None) -> None:
    now = account.now()
    invoice |= {
        "status": "paid",
        "attempted": True,
        "attempt_count": invoice["attempt_count"] + (intent is not None),
        "amount_paid": invoice["amount_due"],
        "amount_remaining": 0,
        "auto_advance": False,
        "next_payment_attempt": None,
    }
    invoice["status_transitions"]["paid_at"] = now
    if intent is not None:
        _close_payment(account, invoice, "paid")
    account.emit("invoice.paid", invoice)
    account.emit("invoice.payment_succeeded", invoice)
    standing.invoice_paid(account, invoice)


def pay_outside(account: Account, invoice: Obj) -> None:
    """Mark an invoice as paid by other means than Stripe."""
    _close_payment(account, invoice, "canceled")
    invoice["amount_paid_off_stripe"] = invoice["amount_due"]
    _paid(account, invoice, None)


def _refused(account: Account, invoice: Obj) -> None:
    invoice["attempt_count"] += 1
    waits = account.settings.retry_days
    first = invoice["billing_reason"] == "subscription_create"
    again = not first and invoice["attempt_count"] <= len(waits) and invoice["auto_advance"]
    if again:
        wait = waits[invoice["attempt_count"] - 1] * DAY
        invoice["next_payment_attempt"] = int(account.now() + wait)
        account.schedule(invoice["next_payment_attempt"], invoice)
    else:
        invoice["next_payment_attempt"] = None
    account.emit("invoice.payment_failed", invoice)
    standing.invoice_refused(account, invoice, last=not again)


def close(account: Account, invoice: Obj, status: str) -> None:
    """Void an invoice or give it up as uncollectible."""
    if invoice["status"] not in {"draft", "open", "uncollectible"}:
        return
    stamp = {"void": "voided_at", "uncollectible": "marked_uncollectible_at"}[status]
    invoice |= {"status": status, "auto_advance": False, "next_payment_attempt": None}
    invoice["automatically_finalizes_at"] = None
    invoice["status_transitions"][stamp] = account.now()
    if status == "void":
        intent = intent_of(account, invoice)
        if intent is not None:
            payments.cancel(account, intent, "void_invoice")
            _close_payment(account, invoice, "canceled")
    account.emit({"void": "invoice.voided"}.get(status, "invoice.marked_uncollectible"), invoice)


def look(account: Account, invoice: Obj) -> None:
    """Do what is due: finalize a draft, or try an open invoice again."""
    now = account.now()
    if not invoice["auto_advance"]:
        return
    if invoice["status"] == "draft" and (invoice["automatically_finalizes_at"] or 0) <= now:
        finalize(account, invoice)
        collect(account, invoice)
    elif invoice["status"] == "open" and 0 < (invoice["next_payment_attempt"] or 0) <= now:
        collect(account, invoice)


def _close_payment(account: Account, invoice: Obj, status: str) -> None:
    payment = account.find("invoice_payment", account.pairs.get(invoice["id"]))
    if payment is None or payment["status"] != "open":
        return
    payment["status"] = status
    payment["status_transitions"][f"{status}_at"] = account.now()
    if status == "paid":
        payment["amount_paid"] = payment["amount_requested"]
        account.emit("invoice_payment.paid", payment)


def intent_of(account: Account, invoice: Obj) -> Obj | None:
    """Give the payment intent of an invoice, if an attempt was made."""
    payment = account.find("invoice_payment", account.pairs.get(invoice["id"]))
    if payment is None:
        return None
    return account.find("payment_intent", payment["payment"]["payment_intent"])


def invoice_of(account: Account, intent: Obj) -> Obj | None:
    """Give the invoice that a payment intent pays."""
    payment = account.find("invoice_payment", account.pairs.get(intent["id"]))
    return account.find("invoice", payment["invoice"]) if payment else None


def subscription_of(account: Account, invoice: Obj) -> Obj | None:
    """Give the subscription that an invoice is for."""
    parent = invoice["parent"]
    if parent is None:
        return None
    return account.find("subscription", parent["subscription_details"]["subscription"])


def _description(invoice: Obj) -> str:
    return {
        "subscription_create": "Subscription creation",
        "subscription_cycle": "Subscription update",
        "subscription_update": "Subscription update",
    }.get(invoice["billing_reason"], f"Payment for Invoice {new_id('x')[2:10]}")
