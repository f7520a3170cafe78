"""Copying a whole installation from one database into another, row by row."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

from django.apps import apps
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.core.management.color import no_style
from django.db import connections, transaction
from django.db.models import Model, QuerySet

from velvetrope.domain.states import EventState, ItemState
from velvetrope.store.models import InboxEvent, LaneLease, OutboxItem, Worker
from velvetrope.store.reading import reading

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Rows that are in memory at once.
_AT_ONCE: Final = 500
#: Written by the migrations of the other database too, under numbers of its own.
_REPLACED: Final = (Permission, ContentType)
#: What belongs to processes that are running, or to browsers: those sign in again.
_LEFT: Final = (Worker, LaneLease)
_LEFT_APPS: Final = frozenset({"sessions", "procrastinate"})

_IN_HAND: Final[tuple[tuple[type[Model], str, str], ...]] = (
    (InboxEvent, EventState.CLAIMED.value, EventState.PENDING.value),
    (OutboxItem, ItemState.CLAIMED.value, ItemState.PENDING.value),
)


class NotEmptyError(Exception):
    """The other database holds rows already: copying would mix two installations."""


def copy_to(alias: str) -> dict[str, int]:
    """Copy everything into the migrated and empty database of an alias; gives rows by table.

    All or nothing, as it was at one moment. Nobody may serve either of them meanwhile. Raises
    NotEmptyError.
    """
    tables = _tables()
    for name, model in tables.items():
        if model not in _REPLACED and QuerySet(model, using=alias).exists():
            raise NotEmptyError(name)
    with reading(), transaction.atomic(using=alias):
        for replaced in _REPLACED:
            QuerySet(replaced, using=alias).delete()
        copied = {name: _copy(model, alias) for name, model in tables.items()}
        _put_down(alias)
        _count_on(list(tables.values()), alias)
    return copied


def _tables() -> dict[str, type[Model]]:
    """Give the tables to be copied, with their models."""
    found: dict[str, type[Model]] = {}
    for model in apps.get_models(include_auto_created=True):
        meta = model._meta  # noqa: SLF001  Django documents `_meta`
        if not meta.proxy and meta.app_label not in _LEFT_APPS and model not in _LEFT:
            found[meta.db_table] = model
    return found


def _copy(model: type[Model], alias: str) -> int:
    count = 0
    rows: Iterator[Model] = QuerySet(model).order_by("pk").iterator(_AT_ONCE)
    fields = model._meta.local_concrete_fields  # noqa: SLF001  Django documents `_meta`
    while batch := list(islice(rows, _AT_ONCE)):
        # As `loaddata` writes: values stay as they are, times of making too.
        QuerySet(model)._insert(batch, fields=fields, using=alias, raw=True)  # type: ignore[attr-defined]  # noqa: SLF001
        count += len(batch)
    return count


def _put_down(alias: str) -> None:
    """Leave nothing in the hands of a process, as every start does."""
    for model, claimed, pending in _IN_HAND:
        rows: QuerySet[Model] = QuerySet(model, using=alias)
        rows.filter(state=claimed).update(state=pending, owner=None)


def _count_on(models: list[type[Model]], alias: str) -> None:
    """Have numbers that the database gives begin behind those that were copied."""
    other = connections[alias]
    with other.cursor() as cursor:
        for statement in other.ops.sequence_reset_sql(no_style(), models):
            cursor.execute(statement)
