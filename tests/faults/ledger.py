"""What the product has written down, read from its database past all of its own code."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final

import psycopg
from psycopg.rows import dict_row

if TYPE_CHECKING:
    from collections.abc import Sequence

SQLITE: Final = "sqlite:///"


class Ledger:
    """The tables of one installation, by its database's URL; every look opens it anew."""

    def __init__(self, url: str) -> None:
        self._url = url

    def rows(self, statement: str, *values: object) -> list[dict[str, Any]]:
        """Give what a statement selects; its values stand where it has question marks."""
        if self._url.startswith(SQLITE):
            return self._rows_of_file(statement, values)
        marked = statement.replace("%", "%%").replace("?", "%s")
        with psycopg.connect(self._url, row_factory=dict_row) as connection:
            connection.read_only = True
            return connection.execute(marked.encode(), values).fetchall()

    def _rows_of_file(self, statement: str, values: Sequence[object]) -> list[dict[str, Any]]:
        file = self._url.removeprefix(SQLITE)
        with closing(sqlite3.connect(file, timeout=10)) as connection:
            connection.execute("PRAGMA query_only = ON")
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(statement, values)]

    def count(self, statement: str, *values: object) -> int:
        (row,) = self.rows(statement, *values)
        (number,) = row.values()
        return int(number)

    def unfinished(self) -> list[dict[str, Any]]:
        """Give the events that are to be done now or soon, and the calls that are to be made.

        Jobs that were put off on purpose don't count.
        """
        events = self.rows(
            "SELECT id, source, kind, lane, state, attempts, error_code FROM store_inboxevent"
            " WHERE state = 'claimed' OR (state = 'pending' AND due_at IS NULL)"
        )
        items = self.rows(
            "SELECT id, method, chat_id, state, attempts, error_code FROM store_outboxitem"
            " WHERE state IN ('pending', 'claimed')"
        )
        return [*events, *items]

    def dead(self) -> list[dict[str, Any]]:
        """Give what failed for good or waits for an operator."""
        events = self.rows(
            "SELECT id, source, kind, error_code, error FROM store_inboxevent WHERE state = 'dead'"
        )
        items = self.rows(
            "SELECT id, method, error_code, error, state FROM store_outboxitem"
            " WHERE state IN ('dead', 'suspended')"
        )
        return [*events, *items]

    def events(self, source: str) -> dict[tuple[int, str], str]:
        """Give the state of every event, by account and the vendor's id."""
        found = self.rows(
            "SELECT account, external_id, state FROM store_inboxevent WHERE source = ?", source
        )
        states = {(row["account"], row["external_id"]): row["state"] for row in found}
        if len(states) != len(found):
            raise AssertionError("an event is stored more than once")
        return states

    def calls_sent(self, method: str) -> int:
        """Count the calls of a method that the product knows to have been answered well."""
        return self.count(
            "SELECT count(*) FROM store_outboxitem WHERE method = ? AND state = 'sent'", method
        )
