"""The database backend `velvetrope.store.sqlite`.

A transaction takes this process's fair lock before `BEGIN IMMEDIATE`, so that a page of the
console is written after the batch that is being written and not after luck. Statements outside of
a transaction take it for their duration if they write. `reading()` is a transaction that doesn't.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from django.db import DEFAULT_DB_ALIAS, OperationalError, connections, transaction
from django.db.backends.sqlite3 import base

from velvetrope.store.sqlite.lock import lock_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

#: Seconds to wait for the lock, or for another process that writes, unless OPTIONS say `timeout`.
TIMEOUT: Final = 5.0

_PRAGMAS: Final = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",  # a commit is on the disk when it returns
    "PRAGMA temp_store = MEMORY",
    "PRAGMA cache_size = -16384",  # 16 MiB a connection
    "PRAGMA journal_size_limit = 67108864",  # a log that once grew large is cut back
)
_READS: Final = frozenset({"SELECT", "PRAGMA", "EXPLAIN", "SAVEPOINT", "RELEASE", "ROLLBACK"})


class DatabaseWrapper(base.DatabaseWrapper):
    _holds_lock = False
    _reads_only = False

    def get_connection_params(self) -> dict[str, Any]:
        return {"timeout": TIMEOUT, **super().get_connection_params()}

    def get_new_connection(self, conn_params: dict[str, Any]) -> sqlite3.Connection:
        driver: sqlite3.Connection = super().get_new_connection(conn_params)
        for pragma in _PRAGMAS:
            driver.execute(pragma)
        self._lock = lock_of(str(conn_params["database"]))
        self._patience = float(conn_params["timeout"])
        return driver

    def create_cursor(self, name: object = None) -> Cursor:  # noqa: ARG002  Django's signature
        cursor: Cursor = self.connection.cursor(factory=Cursor)
        cursor.backend = self
        return cursor

    def take_lock(self) -> None:
        if not self._lock.acquire(self._patience):
            raise OperationalError("database is locked: another thread of this process writes")
        self._holds_lock = True

    def drop_lock(self) -> None:
        if self._holds_lock:
            self._holds_lock = False
            self._lock.release()

    def _start_transaction_under_autocommit(self) -> None:
        if self._reads_only:
            self.cursor().execute("BEGIN DEFERRED")
            return
        self.take_lock()
        try:
            self.cursor().execute("BEGIN IMMEDIATE")
        except BaseException:
            self.drop_lock()
            raise

    def _commit(self) -> None:
        super()._commit()  # type: ignore[misc]  # the stubs leave it out
        self.drop_lock()

    def _rollback(self) -> None:
        super()._rollback()  # type: ignore[misc]  # the stubs leave it out
        self.drop_lock()

    def _close(self) -> None:
        try:
            super()._close()  # type: ignore[misc]  # the stubs leave it out
        finally:
            self.drop_lock()


class Cursor(base.SQLiteCursorWrapper):
    """Takes the lock for a statement that writes outside of a transaction."""

    backend: DatabaseWrapper

    def execute(self, query: str, params: Any = None) -> Any:
        if not self._writes_alone(query):
            return super().execute(query, params)
        self.backend.take_lock()
        try:
            return super().execute(query, params)
        finally:
            self.backend.drop_lock()

    def executemany(self, query: str, param_list: Any) -> Any:
        if not self._writes_alone(query):
            return super().executemany(query, param_list)
        self.backend.take_lock()
        try:
            return super().executemany(query, param_list)
        finally:
            self.backend.drop_lock()

    def _writes_alone(self, query: str) -> bool:
        if self.backend._holds_lock or self.connection.in_transaction:  # noqa: SLF001  its own cursor
            return False
        word = query.lstrip(" (\n").partition(" ")[0].upper()
        return word not in _READS and word != "BEGIN"


@contextmanager
def reading() -> Iterator[None]:
    """See one state of the database in several statements, without keeping writers waiting.

    The outermost block of its thread; writing inside fails.
    """
    backend = connections[DEFAULT_DB_ALIAS]
    if not isinstance(backend, DatabaseWrapper):
        raise TypeError("reading() belongs to the backend velvetrope.store.sqlite")
    backend.ensure_connection()
    driver = backend.connection
    driver.execute("PRAGMA query_only = ON")
    backend._reads_only = True  # noqa: SLF001  the same module
    try:
        with transaction.atomic(durable=True):
            yield
    finally:
        backend._reads_only = False  # noqa: SLF001  the same module
        driver.execute("PRAGMA query_only = OFF")
