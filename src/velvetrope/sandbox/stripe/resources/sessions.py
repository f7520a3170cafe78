"""Checkout Sessions: what may be asked for, and how one looks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from velvetrope.sandbox.stripe import errors
from velvetrope.sandbox.stripe.billing import checkout, money
from velvetrope.sandbox.stripe.call import Call, apply
from velvetrope.sandbox.stripe.hidden import DAY, HOUR, SessionDraft
from velvetrope.sandbox.stripe.listing import matching
from velvetrope.sandbox.stripe.shapes import Obj, list_of, new_id

from . import catalogue, session_shape

if TYPE_CHECKING:
    from velvetrope.sandbox.stripe.account import Account

_SHORTEST, _LONGEST = HOUR // 2, DAY
_REFERENCE = re.compile(r"^[A-Za-z0-9_-]{1,200}$")
_ONLY_FOR = {
    "subscription_data": "subscription",
    "payment_intent_data": "payment",
    "invoice_creation": "payment",
    "customer_creation": "payment",
    "submit_type": "payment",
    "setup_intent_data": "setup",
}


def create(call: Call) -> Obj:
    """Open a session on the hosted page."""
    params, account = call.params, call.account
    mode = _mode(params)
    _check_combinations(params, mode)
    customer = _check_customer(account, params)
    expires_at = _expiry(params.get("expires_at"), account.now())
    rows = [_line(account, row, place) for place, row in enumerate(params.get("line_items", []))]
    _check_lines(rows, mode)
    _check_trial(params, account.now())
    draft = SessionDraft(
        subscription_data=params.get("subscription_data", {}),
        payment_intent_data=params.get("payment_intent_data", {}),
    )
    _take_discounts(account, draft, params.get("discounts"))
    ident = new_id("cs_test", 58)
    session = account.add(
        session_shape.session(
            ident,
            params,
            mode=mode,
            customer=customer,
            now=account.now(),
            expires_at=expires_at,
            url=f"{call.base_url}/checkout/{ident}",
            currency=rows[0]["currency"] if rows else params.get("currency"),
        )
    )
    account.drafts[ident] = draft
    account.line_items[ident] = rows
    reprice(account, session)
    account.schedule(expires_at, session)
    return session


def _mode(params: Obj) -> str:
    if "mode" not in params:
        raise errors.parameter_missing("mode")
    return str(params["mode"])


def _check_combinations(params: Obj, mode: str) -> None:
    for name, only in _ONLY_FOR.items():
        if name in params and mode != only:
            raise errors.invalid(f"You can not pass `{name}` in `{mode}` mode.", name)
    if params.get("ui_mode", "hosted_page") == "hosted_page" and "success_url" not in params:
        raise errors.parameter_missing("success_url")
    for name in ("success_url", "cancel_url"):
        if name in params and not re.match(r"^[a-z][a-z0-9+.-]*://\S+$", params[name]):
            raise errors.ApiError("Not a valid URL", code="url_invalid", param=name)
    if "allow_promotion_codes" in params and "discounts" in params:
        raise errors.parameters_exclusive("allow_promotion_codes", "discounts")
    reference = params.get("client_reference_id")
    if reference is not None and not _REFERENCE.match(reference):
        raise errors.invalid(
            "client_reference_id may have up to 200 letters, digits, dashes and underscores.",
            "client_reference_id",
        )


def _check_customer(account: Account, params: Obj) -> str | None:
    if "customer" not in params:
        return None
    for name in ("customer_email", "customer_creation"):
        if name in params:
            raise errors.parameters_exclusive("customer", name)
    return str(account.get("customer", params["customer"], "customer")["id"])


def _expiry(wanted: int | None, now: int) -> int:
    if wanted is None:
        return now + _LONGEST
    if not _SHORTEST <= wanted - now <= _LONGEST:
        side = "at least 30 minutes" if wanted - now < _SHORTEST else "less than 24 hours"
        raise errors.invalid(
            f"The `expires_at` timestamp must be {side} from Checkout Session creation.",
            "expires_at",
        )
    return wanted


def _line(account: Account, row: Obj, place: int) -> Obj:
    name = f"line_items[{place}]"
    if "price_data" in row:
        data = dict(row["price_data"])
        if "product_data" in data:
            data["product"] = catalogue.new_product(account, data.pop("product_data"))["id"]
        price = catalogue.new_price(account, data)
    elif "price" in row:
        price = account.get("price", row["price"], f"{name}[price]")
    else:
        raise errors.parameter_missing(f"{name}[price]")
    product = account.get("product", price["product"])
    if not price["active"]:
        raise errors.invalid(
            "The price specified is inactive. This field only accepts active prices.",
            f"{name}[price]",
        )
    if not product["active"]:
        raise errors.invalid(
            f"Price `{price['id']}` is not available to be purchased because its product is not "
            "active.",
            f"{name}[price]",
        )
    if "quantity" not in row:
        raise errors.parameter_missing(f"{name}[quantity]")
    if row["quantity"] < 1:
        raise errors.invalid("Quantity must be at least 1.", f"{name}[quantity]")
    amount = (price["unit_amount"] or 0) * row["quantity"]
    return {
        "id": new_id("li"),
        "object": "item",
        "adjustable_quantity": None,
        "amount_discount": 0,
        "amount_subtotal": amount,
        "amount_tax": 0,
        "amount_total": amount,
        "currency": price["currency"],
        "description": product["name"],
        "metadata": dict(row.get("metadata", {})),
        "price": price,
        "quantity": row["quantity"],
    }


def _check_lines(rows: list[Obj], mode: str) -> None:
    if mode == "setup":
        return
    if not rows:
        raise errors.parameter_missing("line_items")
    if len({row["currency"] for row in rows}) > 1:
        raise errors.invalid("All prices must have the same currency.", "line_items")
    recurring = [row for row in rows if row["price"]["recurring"]]
    if mode == "payment" and recurring:
        raise errors.invalid(
            "You specified `payment` mode but passed a recurring price. Either switch to "
            "`subscription` mode or use only one-time prices.",
            "line_items",
        )
    if mode == "subscription" and not recurring:
        raise errors.invalid(
            "You must provide at least one recurring price in `subscription` mode when using "
            "prices.",
            "line_items",
        )


def _check_trial(params: Obj, now: int) -> None:
    data = params.get("subscription_data", {})
    if "trial_end" in data and "trial_period_days" in data:
        raise errors.parameters_exclusive(
            "subscription_data[trial_end]", "subscription_data[trial_period_days]"
        )
    if data.get("trial_period_days", 1) < 1:
        raise errors.invalid(
            "The minimum number of trial period days is 1.", "subscription_data[trial_period_days]"
        )
    if data.get("trial_end", now + 2 * DAY) < now + 2 * DAY:
        raise errors.invalid(
            "The `trial_end` date has to be at least 2 days in the future.",
            "subscription_data[trial_end]",
        )


def _take_discounts(account: Account, draft: SessionDraft, given: list[Obj] | None) -> None:
    for row in given or []:
        if "promotion_code" in row:
            code = account.get("promotion_code", row["promotion_code"], "discounts[0]")
            draft.promotion_code = code["id"]
            draft.coupon = code["promotion"]["coupon"]
        elif "coupon" in row:
            draft.coupon = account.get("coupon", row["coupon"], "discounts[0][coupon]")["id"]


def reprice(account: Account, session: Obj) -> None:
    """Work out what is due today, after the trial and the discount."""
    draft = account.drafts[session["id"]]
    coupon = account.find("coupon", draft.coupon)
    trial = "trial_period_days" in draft.subscription_data or "trial_end" in draft.subscription_data
    rows = account.line_items[session["id"]]
    for row in rows:
        due = row["price"]["unit_amount"] * row["quantity"]
        row["amount_subtotal"] = 0 if trial and row["price"]["recurring"] else due
        row["amount_discount"] = money.discount(row["amount_subtotal"], coupon)
        row["amount_total"] = row["amount_subtotal"] - row["amount_discount"]
    off = sum(row["amount_discount"] for row in rows)
    session |= {
        "amount_subtotal": sum(row["amount_subtotal"] for row in rows),
        "amount_total": sum(row["amount_total"] for row in rows),
        "discounts": [{"coupon": draft.coupon, "promotion_code": draft.promotion_code}]
        if draft.coupon
        else [],
        "total_details": {"amount_discount": off, "amount_shipping": 0, "amount_tax": 0},
    }


def retrieve(call: Call) -> Obj:
    return call.own("checkout.session")


def update(call: Call) -> Obj:
    session = call.own("checkout.session")
    apply(session, call.params)
    return session


def list_sessions(call: Call) -> Obj:
    names = ("customer", "payment_intent", "status", "subscription", "payment_link")
    rows = matching(call.account.all("checkout.session"), call.params, *names)
    email = call.params.get("customer_details", {}).get("email")
    if email is not None:
        rows = [row for row in rows if (row["customer_details"] or {}).get("email") == email]
    return call.page(rows)


def expire(call: Call) -> Obj:
    session = call.own("checkout.session")
    if session["status"] != "open":
        raise errors.invalid(
            'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout '
            f"Session has a status of `{session['status']}`.",
            "session",
        )
    checkout.expire(call.account, session)
    return session


def line_items(call: Call) -> Obj:
    session = call.own("checkout.session")
    rows = call.account.line_items[session["id"]]
    limit = call.params.get("limit", 10)
    return list_of(rows[:limit], call.path, has_more=len(rows) > limit)
