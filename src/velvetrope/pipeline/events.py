"""What the pipeline carries: events that came in and calls to the Bot API that go out."""

from __future__ import annotations

from datetime import datetime
from typing import TypeAlias

import msgspec

#: (integration id, Telegram user id): how the outside names a customer.
CustomerKey: TypeAlias = tuple[int, int]


class Event(msgspec.Struct, frozen=True, gc=False):
    """An inbox event as a handler gets it.

    `account` is the integration's id for Telegram and jobs, the Stripe account's row id for Stripe.
    `attempts` counts the tries that failed before this one.
    """

    id: int
    source: str
    account: int
    external_id: str
    kind: str
    lane: str
    payload: bytes
    received_at: datetime
    attempts: int = 0


class Item(msgspec.Struct, frozen=True, gc=False):
    """An outbox item: one call to the Bot API; `params` is JSON text."""

    id: int
    integration_id: int
    customer_id: int | None
    chat_id: int
    method: str
    params: bytes
    priority: str
    occasion: str | None = None
    cause: int | None = None
    attempts: int = 0
    due_at: datetime | None = None
    #: It is only put on record: what it says is no news.
    hushed: bool = False
