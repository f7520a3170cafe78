"""Statements for SQLite, given to the driver directly: one write transaction at a time."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, TypeVar

from django.db import DatabaseError, InterfaceError, connection
from django.db.models import Model

from velvetrope.pipeline.dialect.rows import (
    EVENT_COLUMNS,
    EVENTS,
    ITEMS,
    event_of,
    item_of,
    selection,
)
from velvetrope.store.models import Customer

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from velvetrope.pipeline.dialect import Value
    from velvetrope.pipeline.events import CustomerKey, Event, Item

M = TypeVar("M", bound=Model)

#: Values in one statement; SQLite's own bound is 32,766.
_MOST_VALUES: Final = 8_000


class SqliteDialect:
    """Implements `Dialect` for the backend `velvetrope.store.sqlite`."""

    budget = 0.010  # whoever waits for an acknowledgement waits for it
    is_shared = False
    owner: int | None = None

    def moment(self, value: datetime | None) -> Value:
        return moment(value)

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
            inserted.update(row[0] for row in execute(statement, values))
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
        marks = ", ".join(["(?, ?)"] * len(keys))
        # Asked for as `IN (VALUES …)` alone, SQLite would read the whole table.
        where = (
            "(integration_id, telegram_user_id) IN"  # noqa: S608  nothing but marks is put in
            f" (SELECT column1, column2 FROM (VALUES {marks}))"
        )
        return _load(Customer, where, [value for key in keys for value in key])

    def rows_of_customers(self, model: type[M], customer_ids: Sequence[int]) -> list[M]:
        marks = ", ".join("?" * len(customer_ids))
        return _load(model, f"customer_id IN ({marks}) ORDER BY id", customer_ids)

    def customers_by_id(self, ids: Sequence[int]) -> list[Customer]:
        marks = ", ".join("?" * len(ids))
        return _load(Customer, f"id IN ({marks})", ids)

    def claim_one(self, event_id: int) -> Event | None:
        rows = execute(
            f"UPDATE {EVENTS} SET state = 'claimed'"  # noqa: S608  constants
            f" WHERE id = ? AND state = 'pending' RETURNING {EVENT_COLUMNS}",
            [event_id],
        )
        return read_event(rows[0]) if rows else None

    def has_pending(self, now: datetime) -> bool:
        at = self.moment(now)
        due = "state = 'pending' AND due_at IS NULL"
        overdue = "state = 'pending' AND due_at <= ?"
        by_priority = "priority IN ('grant', 'answer', 'bulk') AND"
        rows = execute(
            f"SELECT EXISTS (SELECT 1 FROM {EVENTS} WHERE {due})"  # noqa: S608  constants
            f" OR EXISTS (SELECT 1 FROM {EVENTS} WHERE {overdue})"
            f" OR EXISTS (SELECT 1 FROM {ITEMS} WHERE {by_priority} {due})"
            f" OR EXISTS (SELECT 1 FROM {ITEMS} WHERE {by_priority} {overdue})",
            [at, at],
        )
        return bool(rows[0][0])

    def close_pool(self) -> None:
        """Do nothing: each thread has closed its own."""

    def is_conflict(self, error: BaseException) -> bool:  # noqa: ARG002  the port's signature
        return False  # there is one write transaction at a time

    def is_unavailable(self, error: BaseException) -> bool:
        return (
            isinstance(error, InterfaceError)
            or _code(error) in _REMEDIES
            or "is locked" in str(error)  # the backend's own lock has no code
        )

    def remedy(self, error: BaseException) -> str:
        remedy = _REMEDIES.get(_code(error), _LOCK)
        return remedy.format(file=connection.settings_dict["NAME"])


def _code(error: BaseException) -> int:
    """Give SQLite's primary result code of an error that Django passes on; 0 if it has none."""
    cause = error.__cause__
    if isinstance(error, DatabaseError) and isinstance(cause, sqlite3.Error):
        return int(getattr(cause, "sqlite_errorcode", 0)) & 0xFF
    return 0


def _load(model: type[M], where: str, values: Sequence[Value]) -> list[M]:
    statement, names, times = selection(model)
    rows = execute(f"{statement} WHERE {where}", values)
    found = []
    for row in rows:
        plain = list(row)
        for index in times:
            if plain[index] is not None:
                plain[index] = _aware(plain[index])
        found.append(model.from_db(connection.alias, names, plain))
    return found


def moment(value: datetime | None) -> Value:
    """Give a time as SQLite keeps it: a text without its zone, always UTC."""
    return None if value is None else str(value.astimezone(UTC).replace(tzinfo=None))


def read_event(row: Sequence[Any]) -> Event:
    """Make an event of its columns as the driver gives them."""
    *values, received_at, attempts = row
    return event_of([*values, _aware(received_at), attempts])


def read_item(row: Sequence[Any]) -> Item:
    """Make an item of its columns as the driver gives them."""
    *values, due_at = row
    return item_of([*values, None if due_at is None else _aware(due_at)])


def _aware(value: datetime) -> datetime:
    """Complete a time as the driver reads it: naive, and always UTC."""
    return value.replace(tzinfo=UTC)


_ROOM: Final = "make room on the disk that holds {file}, and see whether the disk is sound"
_RIGHTS: Final = "let this user write {file} and the folder that it is in"
_LOCK: Final = "end what else writes into {file}: `fuser {file}` names it"
_BROKEN: Final = "stop the server, keep a copy of {file}, and restore the last backup"

#: What to do about the primary result codes that say nothing about the statement.
_REMEDIES: Final = {
    sqlite3.SQLITE_BUSY: _LOCK,
    sqlite3.SQLITE_CANTOPEN: _RIGHTS,
    sqlite3.SQLITE_CORRUPT: _BROKEN,
    sqlite3.SQLITE_FULL: _ROOM,
    sqlite3.SQLITE_IOERR: _ROOM,
    sqlite3.SQLITE_LOCKED: _LOCK,
    sqlite3.SQLITE_NOMEM: "give the server more memory: SQLite could not get any for {file}",
    sqlite3.SQLITE_NOTADB: _BROKEN,
    sqlite3.SQLITE_PERM: _RIGHTS,
    sqlite3.SQLITE_READONLY: _RIGHTS,
}


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


def execute(statement: str, values: Sequence[Value] = ()) -> list[tuple[Any, ...]]:
    """Run a statement of the product's own and give its rows."""
    connection.ensure_connection()
    with connection.wrap_database_errors:
        return _driver().execute(statement, values).fetchall()
