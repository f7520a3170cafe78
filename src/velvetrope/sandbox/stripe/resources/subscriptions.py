"""Subscriptions through the API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from velvetrope.sandbox.stripe import errors
from velvetrope.sandbox.stripe.billing import invoices, methods, standing, subscriptions, terms
from velvetrope.sandbox.stripe.call import Call, apply
from velvetrope.sandbox.stripe.hidden import DAY
from velvetrope.sandbox.stripe.listing import matching, within

if TYPE_CHECKING:
    from velvetrope.sandbox.stripe.account import Account
    from velvetrope.sandbox.stripe.shapes import Obj

_UNSET: Obj = {"cancel_at": None, "cancel_at_period_end": False, "canceled_at": None}


def create(call: Call) -> Obj:
    """Start a subscription for a customer whose payment method is known."""
    params, account = call.params, call.account
    if "customer" not in params:
        raise errors.parameter_missing("customer")
    customer = account.get("customer", params["customer"], "customer")
    if not params.get("items"):
        raise errors.parameter_missing("items")
    prices = [
        (account.get("price", row.get("price", ""), f"items[{n}][price]"), row.get("quantity", 1))
        for n, row in enumerate(params["items"])
    ]
    given = params.get("default_payment_method")
    own = methods.method_of(account, given) if given else None
    method = own or methods.usual(account, customer)
    trial_end = params.get("trial_end")
    if "trial_period_days" in params:
        trial_end = account.now() + params["trial_period_days"] * DAY
    if method is None and trial_end is None:
        raise errors.ApiError(
            "This customer has no attached payment source or default payment method. Please "
            "consider adding a default payment method.",
            code="resource_missing",
        )
    subscription = subscriptions.start(
        account,
        customer,
        prices,
        method=own,
        metadata=params.get("metadata") or None,
        trial_end=None if trial_end == "now" else trial_end,
        billing_mode=params.get("billing_mode", {}).get("type", "flexible"),
        missing_method=params.get("trial_settings", {})
        .get("end_behavior", {})
        .get("missing_payment_method", "create_invoice"),
        description=params.get("description") or None,
    )
    invoice = subscriptions.first_invoice(account, subscription)
    subscriptions.announce(account, subscription)
    invoices.collect(account, invoice, method)
    if "cancel_at_period_end" in params or "cancel_at" in params:
        set_end(account, subscription, params)
    return subscription


def retrieve(call: Call) -> Obj:
    return call.own("subscription")


def list_subscriptions(call: Call) -> Obj:
    params = call.params
    rows = matching(call.account.all("subscription"), params, "customer", "collection_method")
    status = params.get("status")
    if status is None:
        rows = [row for row in rows if row["status"] not in subscriptions.OVER]
    elif status == "ended":
        rows = [row for row in rows if row["status"] in subscriptions.OVER]
    elif status != "all":
        rows = [row for row in rows if row["status"] == status]
    wanted = params.get("price") or params.get("plan")
    if wanted is not None:
        rows = [r for r in rows if any(i["price"]["id"] == wanted for i in r["items"]["data"])]
    if "current_period_end" in params:
        bounds = params["current_period_end"]
        rows = [row for row in rows if within(subscriptions.period_end(row), bounds)]
    return call.page(rows)


def update(call: Call) -> Obj:
    """Change a running subscription."""
    subscription, params, account = call.own("subscription"), call.params, call.account
    if subscription["status"] in subscriptions.OVER:
        allowed = {"metadata", "cancellation_details", "expand"}
        if params.keys() - allowed:
            raise errors.ApiError(
                "A canceled subscription can only update its cancellation_details and metadata.",
                code="invalid_canceled_subscription_fields",
            )
    if "cancel_at" in params and "cancel_at_period_end" in params:
        raise errors.parameters_exclusive("cancel_at", "cancel_at_period_end")
    if "default_payment_method" in params:
        methods.method_of(account, params["default_payment_method"])
    invoice: Obj | None = None
    with account.changing(subscription, "customer.subscription.updated"):
        apply(subscription, params, "default_payment_method", "description", "days_until_due")
        _set_details(subscription, params)
        if "cancel_at" in params or "cancel_at_period_end" in params:
            _end(account, subscription, params)
        if "pause_collection" in params:
            subscription["pause_collection"] = _pause(params["pause_collection"])
        if "trial_end" in params:
            _move_trial(account, subscription, params["trial_end"])
        restarted = "items" in params and _change_items(account, subscription, params)
        if restarted or params.get("trial_end") == "now":
            invoice = subscriptions.bill(account, subscription, "subscription_update")
    _collect(account, invoice)
    subscriptions.plan_next(account, subscription)
    return subscription


def move(account: Account, subscription: Obj, price_id: str) -> None:
    """Change a subscription to another price as the portal does, and settle the difference now."""
    item = subscription["items"]["data"][0]
    change = {
        "items": [{"id": item["id"], "price": price_id}],
        "proration_behavior": "always_invoice",
    }
    invoice: Obj | None = None
    with account.changing(subscription, "customer.subscription.updated"):
        if _change_items(account, subscription, change):
            invoice = subscriptions.bill(account, subscription, "subscription_update")
    _collect(account, invoice)
    subscriptions.plan_next(account, subscription)


def _collect(account: Account, invoice: Obj | None) -> None:
    if invoice is not None and invoice["status"] == "draft" and invoice["auto_advance"]:
        invoices.finalize(account, invoice)
        invoices.collect(account, invoice)


def _set_details(subscription: Obj, params: Obj) -> None:
    for name, value in params.get("cancellation_details", {}).items():
        subscription["cancellation_details"][name] = value or None


def set_end(account: Account, subscription: Obj, params: Obj) -> None:
    """Plan or unplan the end by `cancel_at` or `cancel_at_period_end`, as an update does."""
    with account.changing(subscription, "customer.subscription.updated"):
        _end(account, subscription, params)
    subscriptions.plan_next(account, subscription)


def _end(account: Account, subscription: Obj, params: Obj) -> None:
    wanted = params.get("cancel_at")
    at_period_end = params.get("cancel_at_period_end", False)
    if wanted in {"min_period_end", "max_period_end", "max_billed_until"} or at_period_end:
        moment = subscriptions.period_end(subscription)
    elif wanted:
        moment = int(wanted)
        if moment <= account.now():
            raise errors.invalid("`cancel_at` must be in the future.", "cancel_at")
    else:
        subscription |= _UNSET
        subscription["cancellation_details"]["reason"] = None
        return
    subscription |= {
        "cancel_at": moment,
        "cancel_at_period_end": bool(at_period_end),
        "canceled_at": account.now(),
    }
    subscription["cancellation_details"]["reason"] = "cancellation_requested"


def _pause(given: Obj | str) -> Obj | None:
    if isinstance(given, str):
        return None
    return {"behavior": given["behavior"], "resumes_at": given.get("resumes_at")}


def _move_trial(account: Account, subscription: Obj, wanted: int | str) -> None:
    now = account.now()
    if wanted == "now" or int(wanted) <= now:
        subscription |= {"status": "active", "trial_end": now, "billing_cycle_anchor": now}
        subscriptions.restart_periods(subscription, now)
        return
    end = int(wanted)
    subscription |= {"status": "trialing", "trial_end": end, "billing_cycle_anchor": end}
    subscription["trial_start"] = subscription["trial_start"] or now
    account.noticed.discard(subscription["id"])
    for item in subscription["items"]["data"]:
        item["current_period_end"] = end


def _change_items(account: Account, subscription: Obj, params: Obj) -> bool:
    """Apply `items[]`; gives True if an invoice is due at once."""
    behavior = params.get("proration_behavior", "create_prorations")
    immediate = False
    for place, row in enumerate(params["items"]):
        item = next((i for i in subscription["items"]["data"] if i["id"] == row.get("id")), None)
        if item is None:
            raise errors.resource_missing(
                "subscription_item", row.get("id", ""), f"items[{place}][id]"
            )
        old, quantity = item["price"], item["quantity"]
        if "price" in row:
            price = account.get("price", row["price"], f"items[{place}][price]")
            if price["recurring"] is None:
                raise errors.invalid(
                    "The price specified is set to `type=one_time` but this field only accepts "
                    "prices with `type=recurring`.",
                    f"items[{place}][price]",
                )
            item |= {"price": price, "plan": terms.plan_of(price)}
        item["quantity"] = row.get("quantity", quantity)
        changed = (old["id"], quantity) != (item["price"]["id"], item["quantity"])
        if not changed or subscription["status"] == "trialing":
            continue
        rows = subscriptions.prorate(account, subscription, item, old, quantity)
        restarts = old["recurring"]["interval"] != item["price"]["recurring"]["interval"]
        if behavior == "always_invoice" and not restarts:
            subscriptions.settle_now(account, subscription, rows)
        elif behavior != "none":
            kept = rows[:1] if restarts else rows
            account.prorations.setdefault(subscription["id"], []).extend(kept)
        if restarts:
            subscription["billing_cycle_anchor"] = account.now()
            subscriptions.restart_periods(subscription, account.now())
            immediate = True
    return immediate


def cancel(call: Call) -> Obj:
    subscription = call.own("subscription")
    if subscription["status"] in subscriptions.OVER:
        raise errors.resource_missing("subscription", call.id, "id")
    _set_details(subscription, call.params)
    if subscription["status"] == "incomplete":
        subscriptions.expire_incomplete(call.account, subscription)
    else:
        standing.end(call.account, subscription, "cancellation_requested")
    return subscription


def pause(call: Call) -> Obj:
    subscription = call.own("subscription")
    if subscription["status"] not in {"active", "trialing", "past_due"}:
        raise errors.ApiError(f"A subscription that is {subscription['status']} can't be paused.")
    subscriptions.pause(call.account, subscription, "pause_requested")
    return subscription


def resume(call: Call) -> Obj:
    subscription = call.own("subscription")
    if subscription["status"] != "paused":
        raise errors.ApiError("Only a paused subscription can be resumed.")
    subscriptions.resume(call.account, subscription)
    return subscription
