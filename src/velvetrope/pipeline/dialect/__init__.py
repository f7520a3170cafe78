"""What differs between databases: statements and values; handlers never see it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

from django.db import connection
from django.db.models import Model

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from velvetrope.pipeline.events import CustomerKey, Event
    from velvetrope.store.models import Customer

    #: What a statement takes for a value.
    Value = str | bytes | int | float | bool | datetime | None

M = TypeVar("M", bound=Model)


class Dialect(Protocol):
    """The statements of the hot path, run within the transaction of the calling thread."""

    #: Seconds that a transaction may go on taking what isn't urgent.
    budget: float
    #: Whether many processes share the work.
    is_shared: bool
    #: The worker whose rows this process holds; None where one process holds all.
    owner: int | None

    def moment(self, value: datetime | None) -> Value:
        """Give a time as the database keeps it."""

    def insert(
        self,
        table: str,
        columns: Sequence[str],
        rows: Sequence[Sequence[Value]],
        *,
        skip_known: bool = False,
    ) -> set[int]:
        """Insert rows whose first column is `id`; give the ids that went in.

        With `skip_known` a row that breaks a uniqueness is left out, else it is an error.
        """

    def update(
        self,
        table: str,
        columns: Sequence[str],
        rows: Iterable[Sequence[Value]],
        *,
        only_claimed: bool = False,
    ) -> int:
        """Set columns of rows by id, which is the last value of each; give how many there were.

        With `only_claimed` rows that this process doesn't hold are left alone.
        """

    def customers_by_key(self, keys: Sequence[CustomerKey]) -> list[Customer]:
        """Load customers by (integration id, Telegram user id).

        Others cannot change them, or what belongs to them, until the transaction ends.
        """

    def customers_by_id(self, ids: Sequence[int]) -> list[Customer]:
        """Load customers by their ids, in the same way."""

    def rows_of_customers(self, model: type[M], customer_ids: Sequence[int]) -> list[M]:
        """Load all rows of a model that belong to these customers, in the order of their ids."""

    def claim_one(self, event_id: int) -> Event | None:
        """Claim one pending event, due or not; None if it isn't pending."""

    def has_pending(self, now: datetime) -> bool:
        """Tell whether an event or item waits that this process doesn't hold; takes no lock."""

    def close_pool(self) -> None:
        """Close the connections that no thread uses any more."""

    def is_conflict(self, error: BaseException) -> bool:
        """Tell whether the statement met another transaction, and may simply be run again."""

    def is_unavailable(self, error: BaseException) -> bool:
        """Tell trouble of the database as a whole from the fault of one statement."""

    def remedy(self, error: BaseException) -> str:
        """Tell the operator what to do about such trouble, in one sentence."""


def dialect_of_database() -> Dialect:
    """Give the statements for the database that Django is set up with."""
    if connection.vendor == "postgresql":
        from velvetrope.pipeline.dialect.postgresql import PostgresqlDialect  # noqa: PLC0415  one of both is paid for

        return PostgresqlDialect()
    from velvetrope.pipeline.dialect.sqlite import SqliteDialect  # noqa: PLC0415  the same

    return SqliteDialect()
