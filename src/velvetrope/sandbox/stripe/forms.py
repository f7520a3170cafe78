"""Form encoding as Stripe reads it: `items[0][price]=price_x` becomes nested mappings."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl

from .errors import ApiError

#: A value before its type is known: text, or a mapping whose keys may turn out to be list places.
Form = dict[str, "str | Form"]

_NAME = re.compile(r"^([^\[\]]+)((?:\[[^\[\]]*\])*)$")
_KEY = re.compile(r"\[([^\[\]]*)\]")
_DEEPEST = 12


def decode(encoded: bytes | str) -> Form:
    """Give the nested form of a body or query string; ApiError if it can't be read."""
    text = encoded if isinstance(encoded, str) else _utf8(encoded)
    form: Form = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        match = _NAME.match(name)
        if match is None:
            raise ApiError(f"Invalid parameter name: {name}", param=name)
        path = [match[1], *_KEY.findall(match[2])]
        if len(path) > _DEEPEST:
            raise ApiError(f"Too deeply nested parameter: {match[1]}", param=match[1])
        _put(form, path, value, name)
    return form


def _utf8(encoded: bytes) -> str:
    try:
        return encoded.decode()
    except UnicodeDecodeError:
        raise ApiError("Invalid request body: not UTF-8.") from None


def _put(form: Form, path: list[str], value: str, name: str) -> None:
    place = form
    for key in path[:-1]:
        inner = place.setdefault(key or str(len(place)), {})
        if isinstance(inner, str):
            raise ApiError("Invalid object", param=name)
        place = inner
    last = path[-1] or str(len(place))
    if isinstance(place.get(last), dict):
        raise ApiError("Invalid object", param=name)
    place[last] = value


def name_of(path: tuple[str, ...]) -> str:
    """Write a path as Stripe names parameters: `items[0][price]`."""
    return path[0] + "".join(f"[{key}]" for key in path[1:])
