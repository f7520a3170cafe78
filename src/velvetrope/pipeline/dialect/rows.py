"""What both databases read the same way: columns, and records made of them."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

from django.db.models import DateTimeField

from velvetrope.pipeline.events import Event, Item
from velvetrope.store.models import Customer, InboxEvent, OutboxItem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.models import Model

EVENTS: Final = InboxEvent._meta.db_table  # noqa: SLF001  Django documents `_meta`
ITEMS: Final = OutboxItem._meta.db_table  # noqa: SLF001  the same
CUSTOMERS: Final = Customer._meta.db_table  # noqa: SLF001  the same

EVENT_COLUMNS: Final = (
    "id, source, account, external_id, kind, lane, payload, received_at, attempts"
)
ITEM_COLUMNS: Final = (
    "id, integration_id, customer_id, chat_id, method, params, priority, occasion, cause,"
    " attempts, due_at"
)


def event_of(row: Sequence[Any]) -> Event:
    """Make an event of its columns."""
    *values, received_at, attempts = row
    event_id, source, account, external_id, kind, lane, payload = values
    return Event(
        id=event_id,
        source=source,
        account=account,
        external_id=external_id,
        kind=kind,
        lane=lane,
        payload=payload,
        received_at=received_at,
        attempts=attempts,
    )


def item_of(row: Sequence[Any]) -> Item:
    """Make an outbox item of its columns."""
    *values, due_at = row
    item_id, integration_id, customer_id, chat_id, method, params, *rest = values
    priority, occasion, cause, attempts = rest
    return Item(
        id=item_id,
        integration_id=integration_id,
        customer_id=customer_id,
        chat_id=chat_id,
        method=method,
        params=params,
        priority=priority,
        occasion=occasion,
        cause=cause,
        attempts=attempts,
        due_at=due_at,
    )


@cache
def selection(model: type[Model]) -> tuple[str, list[str], list[int]]:
    """Give the statement that reads whole rows, the attributes of a row, and which are times.

    Rows are read without Django's compiler, which costs more than the reading: for models of plain
    columns, whose values the driver gives as they are.
    """
    fields = model._meta.concrete_fields  # noqa: SLF001  Django documents `_meta`
    columns = ", ".join(str(field.column) for field in fields)
    times = [index for index, field in enumerate(fields) if isinstance(field, DateTimeField)]
    table = model._meta.db_table  # noqa: SLF001  the same
    names = [field.attname for field in fields]
    return f"SELECT {columns} FROM {table}", names, times  # noqa: S608  names of our own columns
