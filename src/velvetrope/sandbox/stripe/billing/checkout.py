"""What happens when a person pays on a Checkout page, and when nobody does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from velvetrope.sandbox.stripe.errors import card_declined
from velvetrope.sandbox.stripe.hidden import DAY, CardConduct

from . import customers, documents, invoices, methods, money, payments, subscriptions

if TYPE_CHECKING:
    from velvetrope.sandbox.stripe.account import Account
    from velvetrope.sandbox.stripe.shapes import Obj


def complete(account: Account, session: Obj, conduct: CardConduct, *, email: str, name: str) -> Obj:
    """Pay an open session; ApiError 402 if the card is declined, which leaves it open."""
    charged_now = session["amount_total"] > 0
    if conduct is CardConduct.DECLINED or (conduct is CardConduct.DECLINES_LATER and charged_now):
        _record_refusal(account, session, email, name)
        raise card_declined("generic_decline")
    customer = _customer(account, session, email, name)
    method = methods.create(account, conduct, email, name) if asks_for_card(session) else None
    if customer is not None and method is not None:
        _save(account, customer, method, session)
    details = customer or {"email": email, "name": name, "phone": None, "tax_exempt": "none"}
    session |= {
        "customer": customer["id"] if customer else None,
        "customer_details": {
            "address": {
                "city": None,
                "country": "DE",
                "line1": None,
                "line2": None,
                "postal_code": None,
                "state": None,
            },
            "business_name": None,
            "email": details["email"] or email,
            "individual_name": None,
            "name": details["name"] or name,
            "phone": details["phone"],
            "tax_exempt": details["tax_exempt"],
            "tax_ids": [],
        },
        "customer_email": session["customer_email"],
    }
    if session["mode"] == "subscription" and customer is not None:
        _subscribe(account, session, customer, method)
    elif session["mode"] == "payment" and method is not None:
        _pay_once(account, session, customer, method)
    else:
        session["payment_status"] = "no_payment_required"
    session |= {"status": "complete", "url": None}
    account.emit("checkout.session.completed", session)
    return session


def asks_for_card(session: Obj) -> bool:
    """Tell whether the page collects a means of payment."""
    return bool(session["amount_total"]) or session["payment_method_collection"] == "always"


def expire(account: Account, session: Obj) -> None:
    """Close a session that was not paid."""
    session |= {"status": "expired", "url": None}
    intent = account.find("payment_intent", session["payment_intent"])
    if intent is not None:
        payments.cancel(account, intent, "expired")
    account.emit("checkout.session.expired", session)


def look(account: Account, session: Obj) -> None:
    """Expire the session if its time has come."""
    if session["status"] == "open" and session["expires_at"] <= account.now():
        expire(account, session)


def settle(account: Account, intent: Obj, *, succeeded: bool) -> None:
    """Let a processing payment end, with everything that hangs on it."""
    payments.settle(account, intent, succeeded=succeeded)
    invoice = invoices.invoice_of(account, intent)
    if invoice is not None:
        invoices.after_attempt(account, invoice, intent, str(intent["status"]))
        if succeeded is False and invoice["billing_reason"] == "subscription_create":
            subscription = invoices.subscription_of(account, invoice)
            if subscription is not None and subscription["status"] == "incomplete":
                subscriptions.expire_incomplete(account, subscription)
    session = account.find("checkout.session", account.paid_by.get(intent["id"]))
    if session is None or session["payment_status"] != "unpaid":
        return
    if succeeded:
        session["payment_status"] = "paid"
        account.emit("checkout.session.async_payment_succeeded", session)
    else:
        account.emit("checkout.session.async_payment_failed", session)


def _customer(account: Account, session: Obj, email: str, name: str) -> Obj | None:
    if session["customer"]:
        customer = account.get("customer", session["customer"], "customer")
        if not customer["email"] or not customer["name"]:
            with account.changing(customer, "customer.updated"):
                customer["email"] = customer["email"] or email
                customer["name"] = customer["name"] or name
        return customer
    invoiced = (session["invoice_creation"] or {}).get("enabled", False)
    if session["mode"] == "payment" and session["customer_creation"] != "always" and not invoiced:
        return None
    return customers.create(account, {"email": email, "name": name})


def _save(account: Account, customer: Obj, method: Obj, session: Obj) -> None:
    if session["mode"] == "payment":
        future = account.drafts[session["id"]].payment_intent_data.get("setup_future_usage")
        if future is None:
            return
    methods.attach(account, method, customer)
    if customer["invoice_settings"]["default_payment_method"] is None:
        with account.changing(customer, "customer.updated"):
            customer["invoice_settings"]["default_payment_method"] = method["id"]


def _subscribe(account: Account, session: Obj, customer: Obj, method: Obj | None) -> None:
    draft = account.drafts[session["id"]]
    data = draft.subscription_data
    trial_end = data.get("trial_end")
    if "trial_period_days" in data:
        trial_end = account.now() + data["trial_period_days"] * DAY
    rows = account.line_items[session["id"]]
    subscription = subscriptions.start(
        account,
        customer,
        [(row["price"], row["quantity"]) for row in rows if row["price"]["recurring"]],
        method=method,
        metadata=data.get("metadata"),
        trial_end=trial_end,
        billing_mode=data.get("billing_mode", {}).get("type", "flexible"),
        missing_method=data.get("trial_settings", {})
        .get("end_behavior", {})
        .get("missing_payment_method", "create_invoice"),
        description=data.get("description"),
    )
    session["subscription"] = subscription["id"]
    coupon = account.find("coupon", draft.coupon)
    if subscription["status"] == "trialing" or method is None:
        subscription["status"] = subscription["status"].replace("incomplete", "active")
        invoice = subscriptions.first_invoice(account, subscription)
        subscriptions.announce(account, subscription)
        invoices.collect(account, invoice, method)
        session |= {"invoice": invoice["id"], "payment_status": "no_payment_required"}
        return
    invoice = subscriptions.first_invoice(account, subscription, coupon)
    _add_one_time_lines(account, invoice, rows, coupon)
    session["invoice"] = invoice["id"]
    conduct = account.conduct[method["id"]]
    if not conduct.is_bank_debit:
        # Stripe makes the subscription of a session when the payment is in: it is born active.
        subscription["status"] = "active"
    subscriptions.announce(account, subscription)
    outcome = invoices.collect(account, invoice, method, present=True)
    intent = invoices.intent_of(account, invoice)
    if intent is not None:
        account.paid_by[intent["id"]] = session["id"]
    if outcome == "paid":
        session["payment_status"] = "paid" if invoice["total"] else "no_payment_required"
        return
    session["payment_status"] = "unpaid"


def _add_one_time_lines(
    account: Account, invoice: Obj, rows: list[Obj], coupon: Obj | None
) -> None:
    for row in rows:
        price = row["price"]
        if price["recurring"]:
            continue
        amount = (price["unit_amount"] or 0) * row["quantity"]
        off = money.discount(amount, coupon)
        line = documents.line(
            price,
            amount=amount,
            quantity=row["quantity"],
            period=(account.now(), account.now()),
            description=row["description"],
            discount_amount=off,
        )
        line["invoice"] = invoice["id"]
        invoice["lines"]["data"].append(line)
        invoice["subtotal"] += amount
        for member in ("total", "amount_due", "amount_remaining"):
            invoice[member] += amount - off


def _pay_once(account: Account, session: Obj, customer: Obj | None, method: Obj) -> None:
    if session["amount_total"] == 0:
        session["payment_status"] = "no_payment_required"
        return
    data = account.drafts[session["id"]].payment_intent_data
    intent = payments.create(
        account,
        amount=session["amount_total"],
        currency=session["currency"],
        customer=customer["id"] if customer else None,
        description=data.get("description"),
        metadata=data.get("metadata"),
        setup_future_usage=data.get("setup_future_usage"),
    )
    session["payment_intent"] = intent["id"]
    account.paid_by[intent["id"]] = session["id"]
    creation = session["invoice_creation"] or {}
    if creation.get("enabled") and customer is not None:
        _invoice_once(account, session, customer, intent, creation["invoice_data"])
    status = payments.attempt(account, intent, method, present=True)
    session["payment_status"] = "paid" if status == "succeeded" else "unpaid"
    invoice = invoices.invoice_of(account, intent)
    if invoice is not None:
        invoices.after_attempt(account, invoice, intent, status)


def _invoice_once(account: Account, session: Obj, customer: Obj, intent: Obj, data: Obj) -> None:
    coupon = account.find("coupon", account.drafts[session["id"]].coupon)
    lines = [
        documents.line(
            row["price"],
            amount=(row["price"]["unit_amount"] or 0) * row["quantity"],
            quantity=row["quantity"],
            period=(account.now(), account.now()),
            description=row["description"],
            discount_amount=money.discount(row["amount_subtotal"], coupon),
        )
        for row in account.line_items[session["id"]]
    ]
    invoice = invoices.draft(
        account,
        customer,
        lines,
        reason="manual",
        metadata=data.get("metadata"),
        auto_advance=False,
    )
    invoice["description"] = data.get("description")
    invoices.finalize(account, invoice)
    payment = account.add(documents.invoice_payment(invoice, intent, account.now()))
    account.pairs[invoice["id"]] = account.pairs[intent["id"]] = payment["id"]
    session["invoice"] = invoice["id"]


def _record_refusal(account: Account, session: Obj, email: str, name: str) -> None:
    """Leave the traces of a declined card: a payment intent that failed, and its events."""
    method = methods.create(account, CardConduct.DECLINED, email, name)
    intent = account.find("payment_intent", account.tried.get(session["id"]))
    if intent is None:
        if session["amount_total"] == 0 or session["mode"] == "setup":
            return
        draft = account.drafts[session["id"]]
        one_time = session["mode"] == "payment"
        intent = payments.create(
            account,
            amount=session["amount_total"],
            currency=session["currency"],
            customer=session["customer"],
            metadata=draft.payment_intent_data.get("metadata") if one_time else None,
        )
        account.tried[session["id"]] = intent["id"]
    payments.attempt(account, intent, method)
