"""What several tables share: constraints from enumerations, and the same columns written once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models

from velvetrope.store.ids import new_id

if TYPE_CHECKING:
    from collections.abc import Iterable
    from enum import StrEnum

    from django.db.backends.base.base import BaseDatabaseWrapper


if TYPE_CHECKING:
    IdColumn = models.BigIntegerField[int, int]
else:
    IdColumn = models.BigIntegerField


class IdField(IdColumn):
    """An id that the process gives, and that SQLite keeps as the row's own number.

    SQLite does so only for a key of the very type `integer`; with `bigint` every row would be
    kept in two trees and every look-up would go through both.
    """

    def db_type(self, connection: BaseDatabaseWrapper) -> str | None:
        return "integer" if connection.vendor == "sqlite" else super().db_type(connection)


def id_field() -> IdField:
    return IdField(primary_key=True, default=new_id, editable=False)


def choices(states: Iterable[StrEnum]) -> list[tuple[str, str]]:
    return [(state.value, state.value.replace("_", " ")) for state in states]


def one_of(column: str, states: Iterable[StrEnum], table: str) -> models.CheckConstraint:
    """Let the database refuse a state that the code doesn't know."""
    return models.CheckConstraint(
        name=f"{table}_{column}_known",
        condition=models.Q(**{f"{column}__in": [state.value for state in states]}),
    )


def state_field(states: type[StrEnum], default: StrEnum) -> models.CharField[str, str]:
    return models.CharField(max_length=16, choices=choices(states), default=default.value)
