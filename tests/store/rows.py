"""A row in every table, whatever version the tables are of."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from django.db import models

from velvetrope.store.encryption import EncryptedField, Secret

if TYPE_CHECKING:
    from django.apps.registry import Apps

STORE: Final = "store"


def filled(apps: Apps) -> dict[str, models.Model]:
    """Put one row into each table of ours, those first that others refer to."""
    waiting = [model for model in apps.get_models() if model._meta.app_label == STORE]
    made: dict[str, models.Model] = {}
    while waiting:
        ready = [model for model in waiting if all(label in made for label in needed(model))]
        assert ready, "tables that refer to one another in a circle"
        for model in ready:
            made[model._meta.label_lower] = model._default_manager.create(**values(model, made))
            waiting.remove(model)
    return made


def needed(model: type[models.Model]) -> set[str]:
    return {
        field.related_model._meta.label_lower
        for field in model._meta.concrete_fields
        if isinstance(field, models.ForeignKey) and not field.null
    }


def values(model: type[models.Model], made: dict[str, models.Model]) -> dict[str, Any]:
    """Give what a row cannot do without, and its secrets."""
    return {
        field.name: value(field, made)
        for field in model._meta.concrete_fields
        if isinstance(field, EncryptedField)
        or not (field.null or field.has_default() or isinstance(field, models.AutoField))
    }


def value(field: models.Field[Any, Any], made: dict[str, models.Model]) -> object:
    if isinstance(field, models.ForeignKey):
        return made[field.related_model._meta.label_lower]
    if field.choices:
        return next(iter(field.choices))[0]
    return next((given for kind, given in _GIVEN if isinstance(field, kind)), "text")


_GIVEN: Final = (
    (EncryptedField, Secret("a secret")),
    (models.BinaryField, b"{}"),
    (models.DateTimeField, datetime(2026, 5, 1, tzinfo=UTC)),
    (models.IntegerField, 7),
    (models.BooleanField, False),
)
