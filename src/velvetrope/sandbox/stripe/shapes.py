"""Stripe's objects as they travel, and the ids that they carry."""

from __future__ import annotations

import secrets
import string
from typing import Any

#: An object in Stripe's JSON. The vendor's shapes are deep and open, so the values stay untyped
#: here; the official SDK's classes are the reference that the tests hold them against.
Obj = dict[str, Any]

API_VERSION = "2026-10-28.endive"

_ALPHABET = string.ascii_letters + string.digits


def new_id(prefix: str, length: int = 24) -> str:
    """Give a fresh id such as `sub_…`."""
    return f"{prefix}_{''.join(secrets.choice(_ALPHABET) for _ in range(length))}"


def list_of(data: list[Obj], url: str, *, has_more: bool = False) -> Obj:
    """Wrap objects into Stripe's list."""
    return {"object": "list", "data": data, "has_more": has_more, "url": url}


def deleted(kind: str, ident: str) -> Obj:
    """Give what is left of a deleted object."""
    return {"id": ident, "object": kind, "deleted": True}


def difference(before: Obj, after: Obj) -> Obj:
    """Give the `previous_attributes` of an update: the old values of all that changed."""
    changed: Obj = {}
    for name in before.keys() | after.keys():
        old, new = before.get(name), after.get(name)
        if old == new:
            continue
        if isinstance(old, dict) and isinstance(new, dict) and old and new:
            changed[name] = difference(old, new)
        else:
            changed[name] = old
    return changed
