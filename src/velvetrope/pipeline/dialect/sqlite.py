"""Statements for SQLite, given to the driver directly: one write transaction at a time."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from django.db import DatabaseError, InterfaceError, connection

from velvetrope.domain.states import EventState
from velvetrope.pipeline.events import Event, Item
from velvetrope.store.models import Customer, InboxEvent, OutboxItem

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from velvetrope.pipeline.dialect import Value
    from velvetrope.pipeline.events import CustomerKey

#: Values in one statement; SQLite's own bound is 32,766.
_MOST_VALUES: Final = 8_000

_EVENTS: Final = InboxEvent._meta.db_table  # noqa: SLF001  Django documents `_meta`
_ITEMS: Final = OutboxItem._meta.db_table  # noqa: SLF001  the same
_CUSTOMERS: Final = Customer._meta.db_table  # noqa: SLF001  the same

_EVENT_COLUMNS: Final = (
    "id, source, account, external_id, kind, lane, payload, received_at, attempts"
)
_ITEM_COLUMNS: Final = (
    "id, integration_id, customer_id, chat_id, method, params, priority, occasion, cause,"
    " attempts, due_at"
)


class SqliteDialect:
    """Implements `Dialect` for the backend `velvetrope.store.sqlite`."""

    def moment(self, value: datetime | None) -> Value:
        return None if value is None else str(value.astimezone(UTC).replace(tzinfo=None))

    def insert(
        self,
        table: str,
        columns: Sequence[str],
        rows: Sequence[Sequence[Value]],
        *,
        skip_known: bool = False,
    ) -> set[int]:
        inserted: set[int] = set()
        width = len(columns)
        at_once = max(1, _MOST_VALUES // width)
        for start in range(0, len(rows), at_once):
            part = rows[start : start + at_once]
            statement = _insert(table, tuple(columns), len(part), skip_known)
            values = [value for row in part for value in row]
            inserted.update(row[0] for row in _execute(statement, values))
        return inserted

    def update(
        self,
        table: str,
        columns: Sequence[str],
        rows: Iterable[Sequence[Value]],
        *,
        only_claimed: bool = False,
    ) -> int:
        statement = _update(table, tuple(columns), only_claimed)
        connection.ensure_connection()
        with connection.wrap_database_errors:
            return _driver().executemany(statement, rows).rowcount

    def customers_by_key(self, keys: Sequence[CustomerKey]) -> list[Customer]:
        if not keys:
            return []
        marks = ", ".join(["(%s, %s)"] * len(keys))
        statement = (
            f"SELECT * FROM {_CUSTOMERS}"  # noqa: S608  nothing but marks is put in
            f" WHERE (integration_id, telegram_user_id) IN (VALUES {marks})"
        )
        values = [value for key in keys for value in key]
        return list(Customer.objects.raw(statement, values))

    def lock_customers(self, keys: Sequence[CustomerKey]) -> None:
        """Do nothing: there is one write transaction at a time."""

    def reset_claims(self) -> None:
        for table in (_EVENTS, _ITEMS):
            _execute(
                f"UPDATE {table} SET state = ? WHERE state = ?",  # noqa: S608  a constant name
                [EventState.PENDING.value, EventState.CLAIMED.value],
            )

    def claim_events(self, now: datetime, limit: int) -> list[Event]:
        rows = _execute(
            f"UPDATE {_EVENTS} SET state = 'claimed' WHERE id IN ("  # noqa: S608  constants
            f" SELECT id FROM {_EVENTS} WHERE state = 'pending' AND (due_at IS NULL OR due_at <= ?)"
            f" ORDER BY id LIMIT ?) RETURNING {_EVENT_COLUMNS}",
            [self.moment(now), limit],
        )
        events = [Event(*row[:7], row[7].replace(tzinfo=UTC), row[8]) for row in rows]
        return sorted(events, key=lambda event: event.id)

    def claim_items(self, now: datetime, limit: int) -> list[Item]:
        rows = _execute(
            f"UPDATE {_ITEMS} SET state = 'claimed' WHERE id IN ("  # noqa: S608  constants
            f" SELECT id FROM {_ITEMS} WHERE state = 'pending' AND (due_at IS NULL OR due_at <= ?)"
            f" ORDER BY id LIMIT ?) RETURNING {_ITEM_COLUMNS}",
            [self.moment(now), limit],
        )
        items = [Item(*row[:10], row[10] and row[10].replace(tzinfo=UTC)) for row in rows]
        return sorted(items, key=lambda item: item.id)

    def is_unavailable(self, error: BaseException) -> bool:
        if isinstance(error, InterfaceError):
            return True
        cause = error.__cause__
        return (
            isinstance(error, DatabaseError)
            and isinstance(cause, sqlite3.Error)
            and getattr(cause, "sqlite_errorcode", 0) & 0xFF in _UNAVAILABLE
        ) or "is locked" in str(error)


#: Primary result codes that say nothing about the statement: full disk, lock, broken file …
_UNAVAILABLE: Final = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_READONLY,
    }
)


@lru_cache(maxsize=512)
def _insert(table: str, columns: tuple[str, ...], count: int, skip_known: bool) -> str:  # noqa: FBT001  a cache key
    marks = ", ".join(["(" + ", ".join("?" * len(columns)) + ")"] * count)
    conflict = " ON CONFLICT DO NOTHING" if skip_known else ""
    names = ", ".join(columns)
    return f"INSERT INTO {table} ({names}) VALUES {marks}{conflict} RETURNING id"  # noqa: S608  names


@lru_cache(maxsize=512)
def _update(table: str, columns: tuple[str, ...], only_claimed: bool) -> str:  # noqa: FBT001  a cache key
    changes = ", ".join(f"{column} = ?" for column in columns)
    guard = " AND state = 'claimed'" if only_claimed else ""
    return f"UPDATE {table} SET {changes} WHERE id = ?{guard}"  # noqa: S608  names and marks


def _driver() -> sqlite3.Connection:
    """Give the driver's own connection, below Django's wrappers of cursors and marks."""
    driver = connection.connection
    if not isinstance(driver, sqlite3.Connection):
        raise InterfaceError("the connection is closed")
    return driver


def _execute(statement: str, values: Sequence[Value]) -> list[tuple[Any, ...]]:
    connection.ensure_connection()
    with connection.wrap_database_errors:
        return _driver().execute(statement, values).fetchall()
