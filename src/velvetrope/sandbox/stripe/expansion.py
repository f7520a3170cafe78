"""`expand[]`: ids in an answer replaced by the objects that they name."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING

from . import errors
from .shapes import Obj, deleted, list_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .account import Account

_DEEPEST = 4


def expand(account: Account, answer: Obj, paths: Sequence[str]) -> Obj:
    """Give a copy of `answer` with every path of `paths` expanded; ApiError for a wrong one."""
    answer = deepcopy(answer)
    for path in paths:
        steps = path.split(".")
        if len(steps) - (steps[0] == "data") > _DEEPEST:
            raise errors.invalid(
                f"You cannot expand more than {_DEEPEST} levels of a property. Property: {path}",
                "expand",
            )
        _walk(account, answer, steps, path)
    return answer


def _walk(account: Account, place: Obj, steps: list[str], path: str) -> None:
    step, rest = steps[0], steps[1:]
    if step not in place:
        include = _INCLUDABLE.get((place.get("object", ""), step))
        if include is None:
            raise errors.invalid(f"This property cannot be expanded ({path}).", "expand")
        place[step] = deepcopy(include(account, place))
    value = place[step]
    if isinstance(value, str):
        found = account.index.get(value)
        if found is not None:
            place[step] = value = deepcopy(found)
        elif value in account.gone:
            place[step] = value = deleted(account.gone[value], value)
        elif not rest:
            raise errors.invalid(f"This property cannot be expanded ({path}).", "expand")
    if not rest:
        return
    for inner in value if isinstance(value, list) else [value]:
        if isinstance(inner, dict) and not inner.get("deleted"):
            _walk(account, inner, rest, path)


def _line_items(account: Account, session: Obj) -> Obj:
    url = f"/v1/checkout/sessions/{session['id']}/line_items"
    return list_of(account.line_items.get(session["id"], []), url)


def _subscriptions(account: Account, customer: Obj) -> Obj:
    rows = [
        s
        for s in reversed(account.all("subscription"))
        if s["customer"] == customer["id"] and s["status"] != "canceled"
    ]
    return list_of(rows, f"/v1/customers/{customer['id']}/subscriptions")


def _refunds(account: Account, charge: Obj) -> Obj:
    rows = [r for r in reversed(account.all("refund")) if r["charge"] == charge["id"]]
    return list_of(rows, f"/v1/charges/{charge['id']}/refunds")


def _payments(account: Account, invoice: Obj) -> Obj:
    rows = [p for p in reversed(account.all("invoice_payment")) if p["invoice"] == invoice["id"]]
    return list_of(rows, "/v1/invoice_payments")


_INCLUDABLE: dict[tuple[str, str], Callable[[Account, Obj], Obj | None]] = {
    ("checkout.session", "line_items"): _line_items,
    ("customer", "subscriptions"): _subscriptions,
    ("customer", "tax"): lambda _a, _c: {"automatic_tax": "unrecognized_location"},
    ("charge", "refunds"): _refunds,
    ("invoice", "payments"): _payments,
    ("price", "tiers"): lambda _a, _p: None,
    ("price", "currency_options"): lambda _a, _p: None,
}
