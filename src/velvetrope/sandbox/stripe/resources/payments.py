"""Invoices, payment intents, charges, refunds and disputes through the API."""

from __future__ import annotations

from velvetrope.sandbox.stripe import errors
from velvetrope.sandbox.stripe.billing import disputes, invoices, methods, refunds
from velvetrope.sandbox.stripe.call import Call, apply, merge_metadata
from velvetrope.sandbox.stripe.listing import matching
from velvetrope.sandbox.stripe.shapes import Obj, list_of


def retrieve_invoice(call: Call) -> Obj:
    return call.own("invoice")


def list_invoices(call: Call) -> Obj:
    rows = matching(call.account.all("invoice"), call.params, "customer", "status")
    wanted = call.params.get("subscription")
    if wanted is not None:
        rows = [
            row
            for row in rows
            if row["parent"] and row["parent"]["subscription_details"]["subscription"] == wanted
        ]
    return call.page(rows)


def invoice_lines(call: Call) -> Obj:
    rows = call.own("invoice")["lines"]["data"]
    limit = call.params.get("limit", 10)
    return list_of(rows[:limit], call.path, has_more=len(rows) > limit)


def update_invoice(call: Call) -> Obj:
    invoice = call.own("invoice")
    with call.account.changing(invoice, "invoice.updated"):
        apply(invoice, call.params, "auto_advance", "description", "footer")
    return invoice


def finalize_invoice(call: Call) -> Obj:
    invoice = call.own("invoice")
    if invoice["status"] != "draft":
        raise errors.ApiError(
            "This invoice is already finalized, you can't re-finalize a non-draft invoice.",
            code="invoice_not_editable",
        )
    invoices.finalize(call.account, invoice)
    return invoice


def pay_invoice(call: Call) -> Obj:
    """Try to collect now; a refusal is answered with 402, as Stripe does."""
    invoice, account = call.own("invoice"), call.account
    if invoice["status"] == "paid":
        raise errors.ApiError("Invoice is already paid", code="invoice_already_paid")
    if invoice["status"] == "void":
        raise errors.ApiError("This invoice can no longer be paid.")
    if invoice["status"] == "draft":
        invoices.finalize(account, invoice)
    if call.params.get("paid_out_of_band"):
        invoices.pay_outside(account, invoice)
        return invoice
    given = call.params.get("payment_method")
    method = methods.method_of(account, given) if given else None
    if invoices.collect(account, invoice, method) == "failed":
        raise errors.card_declined("generic_decline")
    return invoice


def void_invoice(call: Call) -> Obj:
    invoice = call.own("invoice")
    if invoice["status"] not in {"open", "uncollectible"}:
        raise errors.ApiError("You can only void an open or uncollectible invoice.")
    invoices.close(call.account, invoice, "void")
    return invoice


def retrieve_invoice_payment(call: Call) -> Obj:
    return call.own("invoice_payment")


def list_invoice_payments(call: Call) -> Obj:
    rows = matching(call.account.all("invoice_payment"), call.params, "invoice", "status")
    payment = call.params.get("payment")
    if payment is not None:
        wanted = payment.get("payment_intent")
        if wanted is None:
            raise errors.parameter_missing(f"payment[{payment['type']}]")
        rows = [row for row in rows if row["payment"]["payment_intent"] == wanted]
    return call.page(rows)


def retrieve_intent(call: Call) -> Obj:
    return call.own("payment_intent")


def update_intent(call: Call) -> Obj:
    intent = call.own("payment_intent")
    apply(intent, call.params, "description", "receipt_email")
    return intent


def list_intents(call: Call) -> Obj:
    return call.filtered("payment_intent", "customer")


def retrieve_charge(call: Call) -> Obj:
    return call.own("charge")


def list_charges(call: Call) -> Obj:
    return call.filtered("charge", "customer", "payment_intent")


def create_refund(call: Call) -> Obj:
    params, account = call.params, call.account
    if "charge" in params and "payment_intent" in params:
        raise errors.parameters_exclusive("charge", "payment_intent")
    if "charge" in params:
        charge = account.get("charge", params["charge"], "charge")
    elif "payment_intent" in params:
        intent = account.get("payment_intent", params["payment_intent"], "payment_intent")
        found = account.find("charge", intent["latest_charge"])
        if found is None:
            raise errors.ApiError(
                f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund."
            )
        charge = found
    else:
        raise errors.ApiError(
            "One of the following params should be provided for this request: payment_intent or "
            "charge.",
            code="parameter_missing",
            param="payment_intent",
        )
    return refunds.create(
        account,
        charge,
        amount=params.get("amount"),
        reason=params.get("reason"),
        metadata=params.get("metadata") or None,
    )


def retrieve_refund(call: Call) -> Obj:
    return call.own("refund")


def update_refund(call: Call) -> Obj:
    refund = call.own("refund")
    with call.account.changing(refund, "refund.updated"):
        merge_metadata(refund, call.params.get("metadata", {}))
    return refund


def cancel_refund(call: Call) -> Obj:
    refund = call.own("refund")
    if refund["status"] != "pending":
        raise errors.ApiError(f"The refund is {refund['status']} and can't be canceled.")
    refunds.finish(call.account, refund, "canceled")
    return refund


def list_refunds(call: Call) -> Obj:
    return call.filtered("refund", "charge", "payment_intent")


def retrieve_dispute(call: Call) -> Obj:
    return call.own("dispute")


def list_disputes(call: Call) -> Obj:
    return call.filtered("dispute", "charge", "payment_intent")


def update_dispute(call: Call) -> Obj:
    dispute, params = call.own("dispute"), call.params
    with call.account.changing(dispute, "charge.dispute.updated"):
        apply(dispute, params)
        for name, value in params.get("evidence", {}).items():
            dispute["evidence"][name] = value
            dispute["evidence_details"]["has_evidence"] = True
    if params.get("submit") and dispute["status"].endswith("needs_response"):
        waiting = dispute["status"].replace("needs_response", "under_review")
        disputes.move(call.account, dispute, waiting)
    return dispute


def close_dispute(call: Call) -> Obj:
    dispute = call.own("dispute")
    disputes.move(call.account, dispute, "lost")
    return dispute
