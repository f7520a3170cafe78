"""Reads the parameters of a method call from JSON, a form or the query string."""

from __future__ import annotations

import types
import typing
from email.parser import BytesParser
from email.policy import HTTP
from functools import cache
from typing import TypeVar
from urllib.parse import parse_qsl

import msgspec

from velvetrope.sandbox.telegram.errors import bad_request

ChatId = int | str


class Params(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The parameters of a method; what has no default is required."""


P = TypeVar("P", bound=Params)


class RawParams(typing.NamedTuple):
    """Parameters by name; from a form they are all strings."""

    values: dict[str, object]
    typed: bool


def read(body: bytes, content_type: str, query: bytes) -> RawParams:
    """Collect the parameters of a call; ApiError 400 if the body can't be read."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/json" and not query:
        return RawParams(_json_object(body), typed=True)
    values: dict[str, object] = dict(_pairs(query))
    if kind == "application/json":
        values |= _json_object(body)
    elif kind == "multipart/form-data":
        values |= _multipart(body, content_type)
    elif body:
        values |= dict(_pairs(body))
    return RawParams(values, typed=False)


def _json_object(body: bytes) -> dict[str, object]:
    if not body:
        return {}
    try:
        return msgspec.json.decode(body, type=dict[str, object])
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise bad_request("can't parse JSON object") from None


def _pairs(text: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(text.decode(), keep_blank_values=True, errors="strict")
    except UnicodeDecodeError:
        raise bad_request("strings must be encoded in UTF-8") from None


def _multipart(body: bytes, content_type: str) -> dict[str, object]:
    head = f"Content-Type: {content_type}\r\n\r\n".encode("latin-1")
    parsed = BytesParser(policy=HTTP).parsebytes(head + body)
    values: dict[str, object] = {}
    for part in parsed.iter_parts():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(content, bytes):
            values[name] = content.decode("utf-8", "replace")
    return values


def convert(raw: RawParams, kind: type[P], *, strict: bool) -> P:
    """Make the method's parameters; ApiError 400 names what is missing, unknown or mistyped."""
    values = {name: value for name, value in raw.values.items() if value is not None}
    if not strict:
        values = {name: values[name] for name in kind.__struct_fields__ if name in values}
    for name in nested_fields(kind):
        value = values.get(name)
        if isinstance(value, str):
            try:
                values[name] = msgspec.json.decode(value)
            except msgspec.DecodeError:
                raise bad_request(f"can't parse {name} JSON object") from None
    try:
        return msgspec.convert(values, kind, strict=raw.typed)
    except msgspec.ValidationError as error:
        raise bad_request(f"sandbox: {error}") from None


@cache
def nested_fields(kind: type[Params]) -> tuple[str, ...]:
    """List the parameters that travel as JSON inside a form."""
    return tuple(
        name
        for name, hint in typing.get_type_hints(kind).items()
        if not _parts(hint) <= {str, int, bool, float, type(None)}
    )


def _parts(hint: object) -> set[object]:
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        return set(typing.get_args(hint))
    return {hint}
