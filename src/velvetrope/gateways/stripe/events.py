"""Stripe events as the edge sees them: names of objects to be fetched, nothing more."""

from __future__ import annotations

from typing import Annotated, Final, Literal, TypeAlias

import msgspec

#: `\Z`, since `$` lets a line's end follow.
_Name: TypeAlias = Annotated[str, msgspec.Meta(min_length=1, max_length=255, pattern=r"^[!-~]+\Z")]
_Seconds: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2**40)]

_Anything: TypeAlias = object
_REFERENCE_LENGTH: Final = 255


class EventPeek(msgspec.Struct, frozen=True, gc=False):
    """What an event names; `created` in seconds, `api_version` as the endpoint had it.

    `lane` is the last part of the lane's name: the customer if there is one, else the payment,
    else the object, else the event.
    """

    id: str
    type: str
    created: int
    livemode: bool
    object_id: str | None
    object_kind: str
    customer: str | None
    payment_intent: str | None
    charge: str | None
    subscription: str | None
    invoice: str | None
    lane: str
    account: str | None = None
    api_version: str | None = None


class _Object(msgspec.Struct, frozen=True):
    """Members of any object there is: some types use these names for things of other shapes."""

    id: _Anything = None
    kind: _Anything = msgspec.field(name="object", default=None)
    customer: _Anything = None
    payment_intent: _Anything = None
    charge: _Anything = None
    subscription: _Anything = None
    invoice: _Anything = None


class _Data(msgspec.Struct, frozen=True):
    named: _Object = msgspec.field(name="object")


class _Event(msgspec.Struct, frozen=True):
    id: _Name
    tag: Literal["event"] = msgspec.field(name="object")
    type: _Name
    created: _Seconds
    livemode: bool
    data: _Data
    account: _Name | None = None
    api_version: str | None = None


_decode = msgspec.json.Decoder(_Event).decode


def peek_event(payload: bytes) -> EventPeek:
    """Read what an event names; ValueError for anything that is no event."""
    try:
        payload.decode()  # msgspec skips what it does not need without looking at its encoding
        event = _decode(payload)
    except RecursionError:
        raise msgspec.DecodeError("nested too deeply") from None
    found = event.data.named
    kind = found.kind if isinstance(found.kind, str) else ""
    object_id = _reference(found.id)
    customer = object_id if kind == "customer" else _reference(found.customer)
    payment_intent = object_id if kind == "payment_intent" else _reference(found.payment_intent)
    charge = object_id if kind == "charge" else _reference(found.charge)
    return EventPeek(
        id=event.id,
        type=event.type,
        created=event.created,
        livemode=event.livemode,
        object_id=object_id,
        object_kind=kind[:_REFERENCE_LENGTH],
        customer=customer,
        payment_intent=payment_intent,
        charge=charge,
        subscription=object_id if kind == "subscription" else _reference(found.subscription),
        invoice=object_id if kind == "invoice" else _reference(found.invoice),
        lane=customer or payment_intent or charge or object_id or event.id,
        account=event.account,
        api_version=event.api_version,
    )


def _reference(value: object) -> str | None:
    """Return the id that a member holds, as text or as an expanded object."""
    if isinstance(value, dict):
        value = value.get("id")
    if isinstance(value, str) and value.isascii() and value.isprintable() and " " not in value:
        return value if 0 < len(value) <= _REFERENCE_LENGTH else None
    return None
