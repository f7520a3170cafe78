"""What several tables share: constraints from enumerations, and the same columns written once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models

if TYPE_CHECKING:
    from collections.abc import Iterable
    from enum import StrEnum


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
