"""Checks and types parameters by the official SDK's own TypedDicts, as strictly as Stripe does."""

from __future__ import annotations

import importlib
import sys
import types
from functools import cache
from typing import (
    TYPE_CHECKING,
    Any,
    Literal,
    NotRequired,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from . import errors
from .forms import Form, name_of

if TYPE_CHECKING:
    from .shapes import Obj

Path = tuple[str, ...]

_MOST_KEYS, _LONGEST_KEY, _LONGEST_VALUE = 50, 40, 500


@cache
def known(name: str) -> dict[str, tuple[Any, bool]]:
    """Give the parameters of `stripe.params.<name>`: their types, and whether they're required."""
    package, _, leaf = f"stripe.params.{name}".rpartition(".")
    return _members(getattr(importlib.import_module(package), leaf))


@cache
def _members(typed_dict: Any) -> dict[str, tuple[Any, bool]]:
    options = importlib.import_module("stripe").RequestOptions.__annotations__
    own = {n: t for n, t in typed_dict.__annotations__.items() if n not in options}
    # The SDK's hints are strings inside NotRequired; a bare class with the same hints lets the
    # standard library resolve them without those of the request's options, which it can't.
    holder = type("Holder", (), {"__annotations__": own})
    hints = get_type_hints(
        holder, globalns=vars(sys.modules[typed_dict.__module__]), include_extras=True
    )
    return {
        name: (get_args(hint)[0], False) if get_origin(hint) is NotRequired else (hint, True)
        for name, hint in hints.items()
    }


def check(form: Form, name: str) -> Obj:
    """Give `form` with every value typed as `stripe.params.<name>` says; ApiError if it can't be.

    An emptied parameter (`coupon=`) arrives as the empty string.
    """
    return _check_members(form, known(name), ())


def _check_members(form: Form, members: dict[str, tuple[Any, bool]], path: Path) -> Obj:
    for name in form:
        if name not in members:
            raise errors.parameter_unknown(name_of((*path, name)))
    for name, (_, required) in members.items():
        if required and name not in form:
            raise errors.parameter_missing(name_of((*path, name)))
    return {name: _convert(value, members[name][0], (*path, name)) for name, value in form.items()}


def _convert(value: str | Form, hint: Any, path: Path) -> Any:
    options = _options(hint)
    if value == "" and "" in _literals(options):
        return ""
    if isinstance(value, dict):
        return _convert_mapping(value, options, path)
    words = [word for word in _literals(options) if word != ""]
    if value in words:
        return value
    for option in options:
        if option in _SCALARS:
            if option is str and words:
                continue  # the SDK's enums are open; Stripe's own are not
            if option is not str and str in options and not words:
                return value
            return _SCALARS[option](value, path)
    if words:
        raise errors.invalid(f"Invalid {name_of(path)}: must be one of {_any_of(words)}", path[0])
    raise errors.invalid(
        "Invalid array" if any(get_origin(o) is list for o in options) else "Invalid object",
        name_of(path),
    )


def _convert_mapping(value: Form, options: list[Any], path: Path) -> Any:
    for option in options:
        origin = get_origin(option)
        if origin is list:
            (inner,) = get_args(option)
            places = sorted(value, key=lambda key: int(key) if key.isdigit() else -1)
            if not all(key.isdigit() for key in places):
                raise errors.invalid("Invalid array", name_of(path))
            return [_convert(value[key], inner, (*path, key)) for key in places]
        if origin is dict:
            return _check_metadata(value, get_args(option)[1], path)
        if hasattr(option, "__required_keys__"):
            return _check_members(value, _members(option), path)
    kind = next((o.__name__ for o in options if o in _SCALARS), "string")
    raise errors.invalid(f"Invalid {kind.replace('str', 'string')}: {{...}}", name_of(path))


def _check_metadata(value: Form, inner: Any, path: Path) -> Obj:
    if len(value) > _MOST_KEYS:
        raise errors.invalid(f"Metadata can have up to {_MOST_KEYS} keys.", name_of(path))
    for key, text in value.items():
        if len(key) > _LONGEST_KEY:
            raise errors.invalid(
                f"Metadata keys can have up to {_LONGEST_KEY} characters, but you passed in a key "
                f"that is {len(key)} characters. Invalid key: {key}",
                name_of(path),
            )
        if isinstance(text, str) and len(text) > _LONGEST_VALUE:
            raise errors.invalid(
                f"Metadata values can have up to {_LONGEST_VALUE} characters, but you passed in a "
                f"value that is {len(text)} characters. Invalid value: {text}",
                name_of(path),
            )
    # An empty value unsets the key.
    return {key: _convert(text, inner, (*path, key)) if text else "" for key, text in value.items()}


@cache
def _flat(hint: Any) -> tuple[Any, ...]:
    if get_origin(hint) in {Union, types.UnionType}:
        return tuple(leaf for part in get_args(hint) for leaf in _flat(part))
    return (hint,)


def _options(hint: Any) -> list[Any]:
    return list(_flat(hint))


def _literals(options: list[Any]) -> list[str]:
    return [word for o in options if get_origin(o) is Literal for word in get_args(o)]


def _any_of(words: list[str]) -> str:
    return " or ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]


def _to_int(value: str, path: Path) -> int:
    if not value.removeprefix("-").isdecimal():
        raise errors.ApiError(
            f"Invalid integer: {value}", code="parameter_invalid_integer", param=name_of(path)
        )
    return int(value)


def _to_bool(value: str, path: Path) -> bool:
    if value not in {"true", "false"}:
        raise errors.invalid(f"Invalid boolean: {value}", name_of(path))
    return value == "true"


def _to_float(value: str, path: Path) -> float:
    try:
        return float(value)
    except ValueError:
        raise errors.invalid(f"Invalid decimal: {value}", name_of(path)) from None


def _to_text(value: str, path: Path) -> str:
    if not value:
        raise errors.ApiError(
            f"You passed an empty string for '{name_of(path)}'. We assume empty values are an "
            f"attempt to unset a parameter; however '{name_of(path)}' cannot be unset. You should "
            f"remove '{name_of(path)}' from your request or supply a non-empty value.",
            code="parameter_invalid_empty",
            param=name_of(path),
        )
    return value


def _to_decimal(value: str, path: Path) -> str:
    _to_float(value, path)
    return value


_SCALARS: dict[Any, Any] = {
    int: _to_int,
    bool: _to_bool,
    float: _to_float,
    str: _to_text,
    importlib.import_module("decimal").Decimal: _to_decimal,
}
