"""The promotion code that a person types on the Checkout page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from velvetrope.sandbox.stripe.errors import ApiError
from velvetrope.sandbox.stripe.resources.discounts import find_code
from velvetrope.sandbox.stripe.resources.sessions import reprice

if TYPE_CHECKING:
    from velvetrope.sandbox.stripe.account import Account
    from velvetrope.sandbox.stripe.shapes import Obj


def use_code(account: Account, session: Obj, code: str) -> None:
    """Apply a code to an open session; ApiError if it allows none or knows it not."""
    if not session["allow_promotion_codes"]:
        raise ApiError("This session takes no promotion codes.", param="promotion_code")
    found = find_code(account, code)
    if found is None:
        raise ApiError("This code is invalid.", param="promotion_code")
    draft = account.drafts[session["id"]]
    draft.promotion_code, draft.coupon = found["id"], found["promotion"]["coupon"]
    reprice(account, session)


def drop_code(account: Account, session: Obj) -> None:
    """Take the code off again."""
    draft = account.drafts[session["id"]]
    draft.promotion_code = draft.coupon = None
    reprice(account, session)
