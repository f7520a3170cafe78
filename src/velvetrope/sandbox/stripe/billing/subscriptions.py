"""A subscription's life: its start, its periods, its trial, its pauses and its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from velvetrope.sandbox.stripe.shapes import Obj, new_id

from . import documents, invoices, methods, money, periods, standing, terms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from velvetrope.sandbox.stripe.account import Account

OVER = frozenset({"canceled", "incomplete_expired"})


def start(
    account: Account,
    customer: Obj,
    prices: Sequence[tuple[Obj, int]],
    *,
    method: Obj | None,
    metadata: Obj | None = None,
    trial_end: int | None = None,
    billing_mode: str = "flexible",
    missing_method: str = "create_invoice",
    description: str | None = None,
) -> Obj:
    """Make a subscription to `prices` with their quantities; not billed yet, `incomplete`."""
    now = account.now()
    ident = new_id("sub")
    trialing = trial_end is not None and trial_end > now
    anchor = trial_end if trialing and trial_end is not None else now
    items = [terms.item(ident, price, quantity, now) for price, quantity in prices]
    for item in items:
        item["current_period_end"] = (
            anchor if trialing else periods.end_after(anchor, now, item["price"]["recurring"])
        )
    subscription = terms.subscription(account, ident, customer, items, anchor)
    subscription |= {
        "billing_mode": {
            "flexible": {"proration_discounts": "included"} if billing_mode == "flexible" else None,
            "type": billing_mode,
        },
        "default_payment_method": method["id"] if method else None,
        "description": description,
        "metadata": dict(metadata or {}),
        "status": "trialing" if trialing else "incomplete",
        "trial_end": trial_end if trialing else None,
        "trial_start": now if trialing else None,
    }
    subscription["trial_settings"]["end_behavior"]["missing_payment_method"] = missing_method
    return account.add(subscription)


def announce(account: Account, subscription: Obj) -> None:
    """Emit that a subscription exists, and plan what comes next."""
    account.emit("customer.subscription.created", subscription)
    plan_next(account, subscription)


def first_invoice(account: Account, subscription: Obj, coupon: Obj | None = None) -> Obj:
    """Make the invoice that starts a subscription; open, not yet collected."""
    customer = account.get("customer", subscription["customer"])
    invoice = invoices.draft(
        account,
        customer,
        lines(account, subscription, coupon),
        reason="subscription_create",
        subscription=subscription,
        auto_advance=False,
    )
    invoice["auto_advance"] = True
    subscription["latest_invoice"] = invoice["id"]
    invoices.finalize(account, invoice)
    return invoice


def lines(account: Account, subscription: Obj, coupon: Obj | None = None) -> list[Obj]:
    """Give the invoice lines of the current period, after any prorations that wait."""
    rows = account.prorations.pop(subscription["id"], [])
    for item in subscription["items"]["data"]:
        price = item["price"]
        amount = 0 if subscription["status"] == "trialing" else _amount(price, item["quantity"])
        product = account.get("product", price["product"])
        title = f"{item['quantity']} × {product['name']} ({terms.in_words(price)})"
        if subscription["status"] == "trialing":
            title = f"Free trial for {product['name']}"
        rows.append(
            documents.line(
                price,
                amount=amount,
                quantity=item["quantity"],
                period=(item["current_period_start"], item["current_period_end"]),
                description=title,
                subscription=subscription,
                item=item,
                discount_amount=money.discount(amount, coupon),
            )
        )
    return rows


def period_end(subscription: Obj) -> int:
    """Give the end of the running period: the last of the items'."""
    return max(int(item["current_period_end"]) for item in subscription["items"]["data"])


def plan_next(account: Account, subscription: Obj) -> None:
    """Schedule a look at every moment that could change the subscription."""
    if subscription["status"] in OVER:
        return
    moments = [period_end(subscription), subscription["cancel_at"]]
    if subscription["status"] == "trialing":
        moments.append(subscription["trial_end"] - account.settings.trial_notice_seconds)
    if subscription["status"] == "incomplete":
        moments.append(subscription["created"] + account.settings.incomplete_seconds)
    if subscription["pause_collection"]:
        moments.append(subscription["pause_collection"]["resumes_at"])
    for moment in moments:
        if moment is not None:
            account.schedule(max(moment, account.now()), subscription)


def look(account: Account, subscription: Obj) -> None:
    """Do what is due now."""
    now = account.now()
    status = subscription["status"]
    if status in OVER:
        return
    _resume_collection(account, subscription, now)
    if status == "incomplete":
        if subscription["created"] + account.settings.incomplete_seconds <= now:
            expire_incomplete(account, subscription)
        return
    if status == "trialing":
        _announce_trial_end(account, subscription, now)
    cancel_at = subscription["cancel_at"]
    if cancel_at is not None and cancel_at <= now:
        standing.end(account, subscription, "cancellation_requested")
    elif status != "paused" and period_end(subscription) <= now:
        _next_period(account, subscription)


def expire_incomplete(account: Account, subscription: Obj) -> None:
    """Give up a subscription whose first invoice was not paid."""
    invoice = account.find("invoice", subscription["latest_invoice"])
    if invoice is not None:
        intent = invoices.intent_of(account, invoice)
        if intent is not None and intent["status"] == "processing":
            return  # the money is on its way; its arrival or return decides
    with account.changing(subscription, "customer.subscription.updated"):
        subscription |= {"status": "incomplete_expired", "ended_at": account.now()}
    if invoice is not None:
        invoices.close(account, invoice, "void")


def _resume_collection(account: Account, subscription: Obj, now: int) -> None:
    pause = subscription["pause_collection"]
    if pause and pause["resumes_at"] is not None and pause["resumes_at"] <= now:
        with account.changing(subscription, "customer.subscription.updated"):
            subscription["pause_collection"] = None


def _announce_trial_end(account: Account, subscription: Obj, now: int) -> None:
    due = subscription["trial_end"] - account.settings.trial_notice_seconds
    if due <= now and subscription["id"] not in account.noticed:
        account.noticed.add(subscription["id"])
        account.emit("customer.subscription.trial_will_end", subscription)


def _next_period(account: Account, subscription: Obj) -> None:
    trial_ends = subscription["status"] == "trialing"
    customer = account.get("customer", subscription["customer"])
    if trial_ends and methods.usual(account, customer, subscription) is None:
        behavior = subscription["trial_settings"]["end_behavior"]["missing_payment_method"]
        if behavior == "cancel":
            standing.end(account, subscription, "cancellation_requested")
            return
        if behavior == "pause":
            pause(account, subscription, "trial_end_without_payment_method")
            return
    with account.changing(subscription, "customer.subscription.updated"):
        if trial_ends:
            subscription["status"] = "active"
        for item in subscription["items"]["data"]:
            item["current_period_start"] = item["current_period_end"]
            item["current_period_end"] = periods.end_after(
                subscription["billing_cycle_anchor"],
                item["current_period_start"],
                item["price"]["recurring"],
            )
        bill(account, subscription, "subscription_cycle")
    plan_next(account, subscription)


def bill(account: Account, subscription: Obj, reason: str) -> Obj:
    """Make a period's invoice as the status and the pause of collection allow."""
    behavior = (subscription["pause_collection"] or {}).get("behavior")
    collects = behavior is None and subscription["status"] != "unpaid"
    invoice = invoices.draft(
        account,
        account.get("customer", subscription["customer"]),
        lines(account, subscription),
        reason=reason,
        subscription=subscription,
        auto_advance=collects,
    )
    subscription["latest_invoice"] = invoice["id"]
    if behavior in {"void", "mark_uncollectible"}:
        invoices.finalize(account, invoice)
        invoices.close(account, invoice, "void" if behavior == "void" else "uncollectible")
    return invoice


def pause(account: Account, subscription: Obj, reason: str) -> None:
    """Put a subscription on hold: status `paused`, no periods, no invoices."""
    with account.changing(subscription, "customer.subscription.updated"):
        subscription |= {
            "status": "paused",
            "status_details": {
                "paused": {
                    "subscription": {"type": reason},
                    "transitioned_at": account.now(),
                    "type": "subscription",
                }
            },
        }
    account.emit("customer.subscription.paused", subscription)


def resume(account: Account, subscription: Obj) -> None:
    """Start a paused subscription again with a new period that is billed at once."""
    now = account.now()
    with account.changing(subscription, "customer.subscription.updated"):
        subscription |= {"status": "active", "billing_cycle_anchor": now, "status_details": None}
        restart_periods(subscription, now)
        invoice = bill(account, subscription, "subscription_update")
    account.emit("customer.subscription.resumed", subscription)
    if invoice["status"] == "draft":
        invoices.finalize(account, invoice)
        invoices.collect(account, invoice)
    plan_next(account, subscription)


def restart_periods(subscription: Obj, now: int) -> None:
    """Let all items begin a period now."""
    for item in subscription["items"]["data"]:
        item["current_period_start"] = now
        item["current_period_end"] = periods.end_after(now, now, item["price"]["recurring"])


def prorate(account: Account, subscription: Obj, item: Obj, old: Obj, quantity: int) -> list[Obj]:
    """Give the lines that settle a change from the price `old` within the running period."""
    now = account.now()
    begin, end = item["current_period_start"], item["current_period_end"]
    share = (end - now) / (end - begin) if end > begin else 0.0
    changes = (
        (old, quantity, -1, "Unused time"),
        (item["price"], item["quantity"], 1, "Remaining time"),
    )
    return [
        documents.line(
            price,
            amount=round(sign * _amount(price, count) * share),
            quantity=count,
            period=(now, end),
            description=f"{words} on {account.get('product', price['product'])['name']}",
            subscription=subscription,
            item=item,
            proration=True,
        )
        for price, count, sign, words in changes
    ]


def settle_now(account: Account, subscription: Obj, rows: list[Obj]) -> None:
    """Bill prorations at once; what would be a credit waits for the next invoice."""
    if sum(row["amount"] for row in rows) <= 0:
        account.prorations.setdefault(subscription["id"], []).extend(rows)
        return
    customer = account.get("customer", subscription["customer"])
    invoice = invoices.draft(
        account,
        customer,
        rows,
        reason="subscription_update",
        subscription=subscription,
        auto_advance=False,
    )
    invoice["auto_advance"] = True
    subscription["latest_invoice"] = invoice["id"]
    invoices.finalize(account, invoice)
    invoices.collect(account, invoice)


def _amount(price: Obj, quantity: int) -> int:
    return int(price["unit_amount"] or 0) * quantity
