"""Statements for PostgreSQL: a whole batch in one round trip, customers locked by their rows."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final, TypeVar

import psycopg
from django.apps import apps
from django.db import (
    DEFAULT_DB_ALIAS,
    DatabaseError,
    InterfaceError,
    OperationalError,
    connection,
    connections,
)
from django.db.models import Model

from velvetrope.pipeline.dialect.rows import (
    CUSTOMERS,
    EVENT_COLUMNS,
    EVENTS,
    ITEMS,
    event_of,
    selection,
)
from velvetrope.store.models import Customer
from velvetrope.store.postgresql.base import DatabaseWrapper

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from velvetrope.pipeline.dialect import Value
    from velvetrope.pipeline.events import CustomerKey, Event

M = TypeVar("M", bound=Model)

#: Rows of one statement, so that none grows without bound.
_AT_ONCE: Final = 2_000

#: What makes a row known. A clash of ids is no sign of that, and must not pass for one.
_KNOWN_BY: Final = {
    EVENTS: "(source, account, external_id)",
    ITEMS: "(integration_id, occasion) WHERE occasion IS NOT NULL",
}

#: Classes of error codes (SQLSTATE) that say nothing about the statement: connection, resources,
#: the server's operator, the system below it, broken files.
_UNAVAILABLE_CLASSES: Final = frozenset({"08", "53", "57", "58", "F0", "XX"})
#: Read-only, lock not given in time, transaction ended for standing still.
_UNAVAILABLE: Final = frozenset({"25006", "55P03", "25P03"})
_REACH: Final = "start PostgreSQL at {place}, or mend the way to it"
#: What to do, by code or by class of codes.
_REMEDIES: Final = {
    "25006": "{place} only reads: point VELVETROPE_DATABASE_URL at the primary",
    "53": "give PostgreSQL at {place} what it lacks: connections, memory, or room on its disk",
    "53100": "make room on the disk of PostgreSQL at {place}",
    "53300": "raise max_connections of PostgreSQL at {place}, or run fewer processes",
    "55P03": "end what holds a lock at {place}: pg_stat_activity names it",
    "58": "look at the disk and the log of PostgreSQL at {place}",
    "XX": "look at the log of PostgreSQL at {place}: it says that its files are broken",
}
#: Two transactions waited for each other, or changed the same rows.
_CONFLICTS: Final = frozenset({"40001", "40P01"})


class PostgresqlDialect:
    """Implements `Dialect` for the backend `velvetrope.store.postgresql`.

    Rows are in the hands of the worker whose id they carry as their owner.
    """

    budget = 0.100  # each statement is a round trip, whatever it carries
    is_shared = True

    def __init__(self) -> None:
        self.owner: int | None = None

    def moment(self, value: datetime | None) -> Value:
        return value

    def insert(
        self,
        table: str,
        columns: Sequence[str],
        rows: Sequence[Sequence[Value]],
        *,
        skip_known: bool = False,
    ) -> set[int]:
        statement = _insert(table, tuple(columns), skip_known)
        inserted: set[int] = set()
        for start in range(0, len(rows), _AT_ONCE):
            part = rows[start : start + _AT_ONCE]
            inserted.update(row[0] for row in fetch(statement, _columns(part)))
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
        # One statement changes a row once: of several for the same row, the last is what counts.
        rows = list({row[-1]: row for row in rows}.values())
        guard = [self.owner] if only_claimed else []
        return sum(
            execute(statement, [*_columns(rows[start : start + _AT_ONCE]), *guard]).rowcount
            for start in range(0, len(rows), _AT_ONCE)
        )

    def customers_by_key(self, keys: Sequence[CustomerKey]) -> list[Customer]:
        where = (
            "JOIN unnest(%b::bigint[], %b::bigint[]) AS wanted (bot, person)"
            " ON integration_id = wanted.bot AND telegram_user_id = wanted.person"
        )
        return _locked(where, _columns(keys)) if keys else []

    def customers_by_id(self, ids: Sequence[int]) -> list[Customer]:
        return _locked("WHERE id = ANY (%b::bigint[])", [list(ids)])

    def rows_of_customers(self, model: type[M], customer_ids: Sequence[int]) -> list[M]:
        where = "WHERE customer_id = ANY (%b::bigint[]) ORDER BY id"
        return _load(model, where, [list(customer_ids)])

    def claim_one(self, event_id: int) -> Event | None:
        rows = fetch(
            f"UPDATE {EVENTS} SET state = 'claimed', owner = %s"  # noqa: S608  constants
            f" WHERE id = %s AND state = 'pending' RETURNING {EVENT_COLUMNS}",
            [self.owner, event_id],
        )
        return event_of(rows[0]) if rows else None

    def has_pending(self, now: datetime) -> bool:
        waits = (
            "state IN ('pending', 'claimed') AND (due_at IS NULL OR due_at <= %s)"
            " AND (state = 'pending' OR owner IS DISTINCT FROM %s)"
        )
        rows = fetch(
            f"SELECT EXISTS (SELECT 1 FROM {EVENTS} WHERE {waits})"  # noqa: S608  constants
            f" OR EXISTS (SELECT 1 FROM {ITEMS} WHERE {waits})",
            [now, self.owner, now, self.owner],
        )
        return bool(rows[0][0])

    def close_pool(self) -> None:
        backend = connections[DEFAULT_DB_ALIAS]
        if isinstance(backend, DatabaseWrapper):
            backend.close_pool()

    def is_conflict(self, error: BaseException) -> bool:
        return _code(error) in _CONFLICTS

    def is_unavailable(self, error: BaseException) -> bool:
        if isinstance(error, InterfaceError):
            return True
        code = _code(error)
        if code is None:  # the server said nothing: it can't be reached, or it went away
            return isinstance(error, OperationalError)
        return code in _UNAVAILABLE or code[:2] in _UNAVAILABLE_CLASSES

    def remedy(self, error: BaseException) -> str:
        code = _code(error) or ""
        return _REMEDIES.get(code, _REMEDIES.get(code[:2], _REACH)).format(place=_place())


def _place() -> str:
    """Name the server and its database as an operator knows them; never with the password."""
    names = connection.get_connection_params()
    return f"{names.get('host', 'localhost')}:{names.get('port', 5432)}/{names['dbname']}"


def _code(error: BaseException) -> str | None:
    """Give what the server said of an error that Django passes on; None if it said nothing."""
    cause = error.__cause__
    if isinstance(error, DatabaseError) and isinstance(cause, psycopg.Error):
        return cause.sqlstate
    return None


def _columns(rows: Sequence[Sequence[Value]]) -> list[list[Value]]:
    return [list(column) for column in zip(*rows, strict=True)]


def _locked(where: str, values: Sequence[object]) -> list[Customer]:
    """Load customers and lock them, always in the order of their ids: nobody waits in a circle."""
    return _load(Customer, f"{where} ORDER BY id FOR NO KEY UPDATE OF {CUSTOMERS}", values)


def _load(model: type[M], where: str, values: Sequence[object]) -> list[M]:
    statement, names, _ = selection(model)
    rows = fetch(f"{statement} {where}", values)
    return [model.from_db(connection.alias, names, row) for row in rows]


@cache
def _types(table: str) -> dict[str, str]:
    """Give the types of a table's columns, as an array's elements."""
    model = next(one for one in apps.get_models() if one._meta.db_table == table)  # noqa: SLF001  documented
    fields = model._meta.concrete_fields  # noqa: SLF001  the same
    kinds = {str(field.column): field.db_type(connection) or "text" for field in fields}
    return {name: "text" if kind.startswith("varchar") else kind for name, kind in kinds.items()}


@cache
def _insert(table: str, columns: tuple[str, ...], skip_known: bool) -> str:  # noqa: FBT001  a cache key
    arrays = ", ".join(f"%b::{_types(table)[column]}[]" for column in columns)
    conflict = f" ON CONFLICT {_KNOWN_BY[table]} DO NOTHING" if skip_known else ""
    return (
        f"INSERT INTO {table} ({', '.join(columns)})"  # noqa: S608  names
        f" SELECT * FROM unnest({arrays}){conflict} RETURNING id"
    )


@cache
def _update(table: str, columns: tuple[str, ...], only_claimed: bool) -> str:  # noqa: FBT001  a cache key
    changes = ", ".join(f"{column} = new.{column}" for column in columns)
    names = (*columns, "id")
    arrays = ", ".join(f"%b::{_types(table)[column]}[]" for column in names)
    guard = (
        f" AND {table}.state = 'claimed' AND {table}.owner IS NOT DISTINCT FROM %s"
        if only_claimed
        else ""
    )
    return (
        f"UPDATE {table} SET {changes}"  # noqa: S608  names and marks
        f" FROM unnest({arrays}) AS new ({', '.join(names)}) WHERE {table}.id = new.id{guard}"
    )


def fetch(statement: str, values: Sequence[object]) -> list[tuple[Any, ...]]:
    """Run a statement and give its rows; its text is one of the product's own."""
    cursor = execute(statement, values)
    with connection.wrap_database_errors:
        return cursor.fetchall()


def execute(statement: str, values: Sequence[object] = ()) -> psycopg.Cursor[tuple[Any, ...]]:
    """Run a statement below Django's cursors, which would put the values into its text."""
    connection.ensure_connection()
    driver = connection.connection
    if not isinstance(driver, psycopg.Connection):
        raise InterfaceError("the connection is closed")
    with connection.wrap_database_errors:
        return psycopg.Cursor(driver).execute(statement, values, prepare=True)
