"""Holds objects against the SDK's classes: no unknown member, none missing, none mistyped."""

from __future__ import annotations

import sys
import types
from functools import cache
from typing import (
    TYPE_CHECKING,
    Any,
    ClassVar,
    Literal,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

import stripe
from stripe import StripeObject
from stripe._stripe_object import UntypedStripeObject

if TYPE_CHECKING:
    from collections.abc import Iterator

Json = dict[str, Any]

#: What Stripe always sends and the SDK's classes leave to the caller to ask for.
_OPEN = frozenset({"total_count"})
_FREE = frozenset({"metadata", "default_price_data"})


def problems(obj: Json, kind: Any, where: str = "") -> Iterator[str]:
    """Give what is wrong with `obj` as a `kind`; nothing if it is right."""
    members = _members(kind)
    for name in obj.keys() - members.keys() - _OPEN:
        yield f"{where}.{name} is unknown to {kind.__name__}"
    for name, hint in members.items():
        if name not in obj:
            if type(None) not in _flat(hint):
                yield f"{where}.{name} is missing from {kind.__name__}"
        elif name not in _FREE:
            yield from _value(obj[name], hint, f"{where}.{name}")


def _value(value: Any, hint: Any, where: str) -> Iterator[str]:
    options = _flat(hint)
    if value is None:
        if type(None) not in options:
            yield f"{where} is null"
    elif isinstance(value, dict):
        yield from _object(value, options, where)
    elif isinstance(value, list):
        rows = [o for o in options if get_origin(o) is list]
        if not rows:
            yield f"{where} is a list, not {options}"
        for place, row in enumerate(value if rows else []):
            yield from _value(row, get_args(rows[0])[0], f"{where}[{place}]")
    else:
        yield from _scalar(value, options, where)


def _object(value: Json, options: list[Any], where: str) -> Iterator[str]:
    kinds = [o for o in options if isinstance(o, type) and issubclass(o, StripeObject)]
    lists = [o for o in options if get_origin(o) is stripe.ListObject]
    if lists:
        for place, row in enumerate(value["data"]):
            yield from _value(row, get_args(lists[0])[0], f"{where}.data[{place}]")
    elif kinds:
        yield from problems(value, kinds[0], where)
    elif not any(get_origin(o) is UntypedStripeObject for o in options):
        yield f"{where} is an object, not {options}"


def _scalar(value: Any, options: list[Any], where: str) -> Iterator[str]:
    words = [word for o in options if get_origin(o) is Literal for word in get_args(o)]
    if words and isinstance(value, str) and value not in words:
        yield f"{where} is {value!r}, none of {words}"
    if isinstance(value, bool) and bool not in options and value not in words:
        yield f"{where} is a boolean, not {options}"
    if isinstance(value, int) and not isinstance(value, bool) and not {int, float} & set(options):
        yield f"{where} is a number, not {options}"


def _flat(hint: Any) -> list[Any]:
    if get_origin(hint) in {Union, types.UnionType}:
        return [leaf for part in get_args(hint) for leaf in _flat(part)]
    return [hint]


class _Names(dict[str, Any]):
    """The names that a class's hints use: its own, its module's, else what `stripe` offers."""

    def __missing__(self, name: str) -> Any:
        # A few classes live in packages of their own and are never held here.
        return getattr(stripe, _ALIASES.get(name, name), StripeObject)


_ALIASES = {"CardResource": "Card", "TaxIdResource": "TaxId"}


@cache
def _members(kind: Any) -> dict[str, Any]:
    module = vars(sys.modules[kind.__module__])
    inner = {name: value for name, value in vars(kind).items() if isinstance(value, type)}
    names = _Names({**module, **inner})
    holder = type("Holder", (), {"__annotations__": kind.__annotations__})
    return {
        name: hint
        for name, hint in get_type_hints(holder, globalns={}, localns=names).items()
        if get_origin(hint) is not ClassVar and not name.startswith("_")
    }
