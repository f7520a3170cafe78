"""Cursor pagination and the filters that every list shares."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import errors
from .shapes import Obj, list_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_DEFAULT, _MOST = 10, 100
_BOUNDS: dict[str, Callable[[int, int], bool]] = {
    "gt": lambda value, bound: value > bound,
    "gte": lambda value, bound: value >= bound,
    "lt": lambda value, bound: value < bound,
    "lte": lambda value, bound: value <= bound,
}


def within(value: int, bounds: int | Obj) -> bool:
    """Tell whether a time lies within Stripe's `created` filter."""
    if isinstance(bounds, int):
        return value == bounds
    return all(_BOUNDS[name](value, bound) for name, bound in bounds.items())


def page(objects: Iterable[Obj], params: Obj, url: str) -> Obj:
    """Give one page of `objects` (oldest first), newest first as Stripe lists them."""
    limit = params.get("limit", _DEFAULT)
    if not 1 <= limit <= _MOST:
        bound = "greater than or equal to 1" if limit < 1 else f"less than or equal to {_MOST}"
        raise errors.invalid(f"This value must be {bound} (it currently is '{limit}').", "limit")
    after, before = params.get("starting_after"), params.get("ending_before")
    if after and before:
        raise errors.parameters_exclusive("starting_after", "ending_before")
    rows = list(objects)
    rows.reverse()
    if "created" in params:
        rows = [row for row in rows if within(row["created"], params["created"])]
    if after:
        rows = rows[_place(rows, after, "starting_after") + 1 :]
        return list_of(rows[:limit], url, has_more=len(rows) > limit)
    if before:
        rows = rows[: _place(rows, before, "ending_before")]
        return list_of(rows[-limit:], url, has_more=len(rows) > limit)
    return list_of(rows[:limit], url, has_more=len(rows) > limit)


def _place(rows: list[Obj], ident: str, param: str) -> int:
    for place, row in enumerate(rows):
        if row["id"] == ident:
            return place
    raise errors.resource_missing("object", ident, param)


def matching(objects: Iterable[Obj], params: Obj, *names: str) -> list[Obj]:
    """Keep the objects whose members equal the parameters of those names, where given."""
    wanted = {name: params[name] for name in names if name in params}
    return [obj for obj in objects if all(obj.get(n) == value for n, value in wanted.items())]
