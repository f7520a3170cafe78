"""Coupons and promotion codes."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from velvetrope.sandbox.stripe import errors
from velvetrope.sandbox.stripe.shapes import Obj, new_id

if TYPE_CHECKING:
    from velvetrope.sandbox.stripe.account import Account
    from velvetrope.sandbox.stripe.call import Call

SANDBOX_CODE = "SANDBOX20"


def seed(account: Account) -> None:
    """Give an account the code that the sandbox's checkout page tells about."""
    coupon = _coupon(account, {"id": "sandbox20", "name": "Sandbox", "percent_off": 20.0})
    _promotion_code(account, coupon, {"code": SANDBOX_CODE})


def create_coupon(call: Call) -> Obj:
    if ("percent_off" in call.params) == ("amount_off" in call.params):
        raise errors.invalid("Must provide percent_off or amount_off.", "percent_off")
    coupon = _coupon(call.account, call.params)
    call.account.emit("coupon.created", coupon)
    return coupon


def _coupon(account: Account, params: Obj) -> Obj:
    return account.add(
        {
            "id": params.get("id") or secrets.token_hex(4).upper(),
            "object": "coupon",
            "amount_off": params.get("amount_off"),
            "created": account.now(),
            "currency": params.get("currency"),
            "duration": params.get("duration", "once"),
            "duration_in_months": params.get("duration_in_months"),
            "livemode": False,
            "max_redemptions": params.get("max_redemptions"),
            "metadata": dict(params.get("metadata") or {}),
            "name": params.get("name"),
            "percent_off": params.get("percent_off"),
            "redeem_by": params.get("redeem_by"),
            "times_redeemed": 0,
            "valid": True,
        }
    )


def create_promotion_code(call: Call) -> Obj:
    coupon_id = call.params["promotion"].get("coupon")
    if coupon_id is None:
        raise errors.parameter_missing("promotion[coupon]")
    coupon = call.account.get("coupon", coupon_id, "promotion[coupon]")
    promotion_code = _promotion_code(call.account, coupon, call.params)
    call.account.emit("promotion_code.created", promotion_code)
    return promotion_code


def _promotion_code(account: Account, coupon: Obj, params: Obj) -> Obj:
    return account.add(
        {
            "id": new_id("promo"),
            "object": "promotion_code",
            "active": params.get("active", True),
            "code": params.get("code") or secrets.token_hex(4).upper(),
            "created": account.now(),
            "customer": params.get("customer"),
            "customer_account": None,
            "expires_at": params.get("expires_at"),
            "livemode": False,
            "max_redemptions": params.get("max_redemptions"),
            "metadata": dict(params.get("metadata") or {}),
            "promotion": {"coupon": coupon["id"], "type": "coupon"},
            "restrictions": {
                "first_time_transaction": False,
                "minimum_amount": None,
                "minimum_amount_currency": None,
            },
            "times_redeemed": 0,
        }
    )


def find_code(account: Account, code: str) -> Obj | None:
    """Give the active promotion code that a person typed."""
    for promotion_code in account.all("promotion_code"):
        if promotion_code["active"] and promotion_code["code"].lower() == code.strip().lower():
            return promotion_code
    return None


def list_coupons(call: Call) -> Obj:
    return call.page(call.account.all("coupon"))


def list_promotion_codes(call: Call) -> Obj:
    return call.filtered("promotion_code", "active", "code", "customer")
