"""Events that show a valid secret or signature and hold nonsense, in every way that is thought of.

Sound events are taken and some of their members replaced; others are broken as bytes. All of it
is about people and objects that exist nowhere, so that nothing of it may have an effect.
"""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from random import Random

#: People and chats that the simulated Telegram doesn't know.
_STRANGER: Final = 7_700_000_000
_NOWHERE: Final = -1_009_999_999_999
_DATE: Final = 1_790_000_000

#: What stands where something else is expected.
_NONSENSE: Final[Sequence[Any]] = (
    None,
    True,
    0,
    -1,
    2**63,
    10**40,
    -(10**40),
    1.5,
    1e308,
    "",
    " ",
    "\u0000",
    "\u0000\u0000x",
    "\u202e\u2066\ufeff",
    "🙂" * 200,
    "x" * 5_000,
    "../../v1/customers",
    "cus_x?expand[]=data",
    "'; DROP TABLE store_inboxevent; --",
    "%s%n{}{0}",
    "<b>&lt;",
    "2026-13-45T99:99:99Z",
    "NaN",
    [],
    [[]],
    [None],
    {},
    {"id": {"id": {"id": 1}}},
    {"": ""},
)
_TYPES: Final = (
    "checkout.session.completed",
    "checkout.session.async_payment_failed",
    "customer.subscription.created",
    "customer.subscription.updated",
    "customer.subscription.deleted",
    "invoice.paid",
    "invoice.payment_failed",
    "payment_intent.succeeded",
    "charge.refunded",
    "charge.dispute.created",
    "refund.updated",
    "customer.deleted",
    "price.updated",
    "product.deleted",
    "account.updated",
)
_KINDS: Final = {"sub": "subscription", "in": "invoice", "pi": "payment_intent", "cs": "session"}


def of_stripe(rng: Random, number: int) -> Iterator[tuple[str, bytes]]:
    """Give events with their ids; some are no events at all, and have none that counts."""
    for index in range(number):
        name = f"evt_poison{index}"
        event = _event(rng, name)
        for _ in range(rng.randrange(4)):
            _spoil(rng, event, kept="id")
        yield name, _broken(rng, event) if rng.random() < 0.15 else _written(event)


def of_telegram(rng: Random, number: int) -> Iterator[tuple[str, bytes]]:
    """Give updates with their ids."""
    for index in range(number):
        update_id = 900_000_000 + index
        update: dict[str, Any] = {"update_id": update_id, **_update(rng, index)}
        for _ in range(rng.randrange(4)):
            _spoil(rng, update, kept="update_id")
        yield str(update_id), _broken(rng, update) if rng.random() < 0.15 else _written(update)


def _event(rng: Random, name: str) -> dict[str, Any]:
    prefix, kind = rng.choice(list(_KINDS.items()))
    tag = {
        "velvetrope_integration": str(rng.choice([1, 0, -1, 10**30, "x"])),
        "telegram_user_id": str(rng.choice([_STRANGER, 0, "nobody", 10**30])),
    }
    named: dict[str, Any] = {
        "id": f"{prefix}_poison_{name}",
        "object": kind,
        "customer": rng.choice([None, f"cus_poison_{name}", {"id": f"cus_poison_{name}"}]),
        "status": rng.choice(["active", "canceled", "on fire"]),
        "metadata": tag,
        "amount": -5,
        "payment_intent": f"pi_poison_{name}",
        "lines": {"data": []},
    }
    return {
        "id": name,
        "object": "event",
        "type": rng.choice(_TYPES),
        "created": 1_700_000_000,
        "livemode": False,
        "api_version": rng.choice(["2011-01-01", None, "no version"]),
        "data": {"object": named, "previous_attributes": {"status": "active"}},
    }


def _update(rng: Random, index: int) -> dict[str, Any]:
    person = {"id": _STRANGER + index, "is_bot": False, "first_name": "Nobody"}
    room = {"id": _NOWHERE - index % 5, "type": "channel", "title": "Nowhere"}
    own = {"id": person["id"], "type": "private", "first_name": "Nobody"}
    text = rng.choice(
        ["/start", "/start \u0000", "/status@x", "/" + "y" * 4_000, "🙂", "/start bot"]
    )
    message = {"message_id": 1, "from": person, "chat": own, "date": _DATE, "text": text}
    changed = {
        "chat": room,
        "from": person,
        "date": _DATE,
        "old_chat_member": {"status": rng.choice(["left", "lost"]), "user": person},
        "new_chat_member": {"status": rng.choice(["member", "creator", "found"]), "user": person},
    }
    return rng.choice(
        [
            {"message": message},
            {"callback_query": {"id": "1", "from": person, "message": message, "data": "plan:1:2"}},
            {"callback_query": {"id": "1", "from": person, "data": "plan:" + "9" * 60}},
            {"my_chat_member": changed},
            {"chat_member": changed},
            {"chat_join_request": {"chat": room, "from": person, "date": _DATE}},
            {"pre_checkout_query": {"id": "1", "from": person, "currency": "XTR"}},
            {"something_new": {"from": person}},
        ]
    )


def _spoil(rng: Random, record: dict[str, Any], *, kept: str) -> None:
    """Replace, or take out, one member somewhere below; the record keeps its own id."""
    place, names = record, [name for name in record if name != kept]
    while names:
        name = rng.choice(names)
        below = place[name]
        if isinstance(below, dict) and below and rng.random() < 0.9:
            place, names = below, list(below)
            continue
        if rng.random() < 0.2:
            del place[name]
        else:
            place[name] = copy.deepcopy(rng.choice(_NONSENSE))
        return


def _broken(rng: Random, record: dict[str, Any]) -> bytes:
    """Write a record as no JSON should be written."""
    whole = _written(record)
    half = len(whole) // 2
    return rng.choice(
        [
            b"",
            b"null",
            b"[]",
            b'"event"',
            whole[:half],
            whole + whole,
            b"\xef\xbb\xbf" + whole,
            whole.replace(b"id", b"\xff\xfe"),
            whole[:-1] + b',"deep":' + b"[" * 5_000 + b"]" * 5_000 + b"}",
            whole[:-1] + b',"big":"' + b"y" * 500_000 + b'"}',
            whole[:-1] + b',"n":1e999999}',
            whole[:-1] + b',"lone":"\\ud800"}',
            whole.replace(b":", b"::", 1),
        ]
    )


def _written(record: dict[str, Any]) -> bytes:
    return json.dumps(record).encode()  # msgspec writes no number beyond 64 bits
