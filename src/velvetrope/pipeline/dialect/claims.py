"""Statements by which one process takes up what is pending, for SQLite."""

from __future__ import annotations

from typing import TYPE_CHECKING

from velvetrope.pipeline.dialect.rows import (
    EVENT_COLUMNS,
    EVENTS,
    ITEM_COLUMNS,
    ITEMS,
)
from velvetrope.pipeline.dialect.sqlite import execute, moment, read_event, read_item

if TYPE_CHECKING:
    from datetime import datetime

    from velvetrope.pipeline.events import Event, Item


def reset() -> None:
    """Take back what a process that is gone had in hand."""
    # The first condition is the one of the partial index, word by word, so that it is used.
    execute(
        f"UPDATE {EVENTS} SET state = 'pending'"  # noqa: S608  a constant name
        " WHERE state IN ('pending', 'claimed') AND state = 'claimed'"
    )
    execute(
        f"UPDATE {ITEMS} SET state = 'pending'"  # noqa: S608  a constant name
        " WHERE state IN ('pending', 'claimed', 'suspended') AND state = 'claimed'"
    )


def take_events(now: datetime, limit: int) -> list[Event]:
    """Claim the oldest pending events that are due, oldest first."""
    at = moment(now)
    rows = execute(
        f"UPDATE {EVENTS} SET state = 'claimed' WHERE id IN ("  # noqa: S608  constants
        f" SELECT id FROM (SELECT id FROM {EVENTS}"
        " WHERE state = 'pending' AND due_at IS NULL ORDER BY id LIMIT ?)"
        f" UNION ALL SELECT id FROM (SELECT id FROM {EVENTS}"
        " WHERE state = 'pending' AND due_at <= ? ORDER BY due_at LIMIT ?)"
        f") RETURNING {EVENT_COLUMNS}",
        [limit, at, limit],
    )
    return sorted((read_event(row) for row in rows), key=lambda event: event.id)


def take_items(now: datetime, limit: int, priority: str) -> list[Item]:
    """Claim the oldest pending outbox items of a priority that are due, oldest first."""
    at = moment(now)
    rows = execute(
        f"UPDATE {ITEMS} SET state = 'claimed' WHERE id IN ("  # noqa: S608  constants
        f" SELECT id FROM (SELECT id FROM {ITEMS} WHERE state = 'pending'"
        " AND priority = ? AND due_at IS NULL ORDER BY id LIMIT ?)"
        f" UNION ALL SELECT id FROM (SELECT id FROM {ITEMS} WHERE state = 'pending'"
        " AND priority = ? AND due_at <= ? ORDER BY due_at LIMIT ?)"
        f") RETURNING {ITEM_COLUMNS}",
        [priority, limit, priority, at, limit],
    )
    return sorted((read_item(row) for row in rows), key=lambda item: item.id)
