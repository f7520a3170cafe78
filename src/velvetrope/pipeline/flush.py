"""Changes to rows, gathered over a transaction and written with few statements."""

from __future__ import annotations

from collections import defaultdict
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from django.db import connection

from velvetrope.store.models import (
    Access,
    AuditEntry,
    Checkout,
    Customer,
    Entitlement,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from django.db.models import Field, Model

    from velvetrope.pipeline.dialect import Dialect, Value
    from velvetrope.pipeline.events import Event, Item
    from velvetrope.pipeline.inbox import Inbox
    from velvetrope.pipeline.outbox import Outbox

#: Written in bulk and without signals; every other model is saved row by row.
_IN_BULK: Final[tuple[type[Model], ...]] = (Customer, Checkout, Entitlement, Access)


class Changes:
    """Rows to write, with what they were when they were loaded."""

    def __init__(self, dialect: Dialect, inbox: Inbox, outbox: Outbox) -> None:
        self._dialect = dialect
        self._inbox = inbox
        self._outbox = outbox
        self._originals: dict[tuple[type[Model], object], dict[str, object]] = {}
        self._rows: dict[tuple[type[Model], object], Model] = {}
        self._items: list[Item] = []
        self._jobs: list[tuple[Event, datetime | None]] = []
        self._audit: list[AuditEntry] = []

    def loaded(self, row: Model) -> None:
        """Remember a row as the database has it; nobody changes the object afterwards."""
        self._originals.setdefault((type(row), row.pk), row.__dict__)

    def save(self, row: Model) -> None:
        self._rows[type(row), row.pk or id(row)] = row

    def add(
        self,
        items: Sequence[Item],
        jobs: Sequence[tuple[Event, datetime | None]],
        audit: Sequence[AuditEntry],
    ) -> None:
        self._items += items
        self._jobs += jobs
        self._audit += audit

    def write(
        self, now: datetime, unreachable: Callable[[Item], str]
    ) -> tuple[list[Item], list[Event]]:
        """Write everything; give the items and jobs that are new and that this process holds."""
        rows, self._rows = self._rows, {}
        self._write_rows(rows.values())
        items, self._items = self._items, []
        jobs, self._jobs = self._jobs, []
        audit, self._audit = self._audit, []
        if audit:
            self._insert_rows(AuditEntry, audit)
        return (
            self._outbox.insert(items, now, unreachable) if items else [],
            self._inbox.insert(jobs)[1] if jobs else [],
        )

    def _write_rows(self, rows: Iterable[Model]) -> None:
        new: dict[type[Model], list[Model]] = defaultdict(list)
        changed: dict[tuple[type[Model], tuple[str, ...]], list[Model]] = defaultdict(list)
        for row in rows:
            model = type(row)
            before = self._originals.get((model, row.pk))
            if before is None:
                if model in _IN_BULK and row._state.adding:  # noqa: SLF001  Django documents it
                    new[model].append(row)
                else:
                    row.save()
            elif names := _changed(before, row):
                if model in _IN_BULK:
                    changed[model, names].append(row)
                else:
                    row.save(update_fields=names)
        for model in _IN_BULK:
            if model in new:
                self._insert_rows(model, new[model])
        for (model, names), group in changed.items():
            self._update_rows(model, names, group)

    def _insert_rows(self, model: type[Model], rows: Sequence[Model]) -> None:
        fields = _fields(model)
        values = [[_value(field, row) for field in fields] for row in rows]
        self._dialect.insert(_table(model), _columns(fields), values)
        for row in rows:
            row._state.adding = False  # noqa: SLF001  Django documents it
            row._state.db = connection.alias  # noqa: SLF001  the same
            self._originals[model, row.pk] = row.__dict__

    def _update_rows(self, model: type[Model], names: Sequence[str], rows: Sequence[Model]) -> None:
        fields = [field for field in _fields(model) if field.attname in names]
        values = [[*(_value(field, row) for field in fields), row.pk] for row in rows]
        self._dialect.update(_table(model), _columns(fields), values)
        for row in rows:
            self._originals[model, row.pk] = row.__dict__


def _changed(before: dict[str, object], row: Model) -> tuple[str, ...]:
    after = row.__dict__
    return tuple(
        field.attname
        for field in _fields(type(row))
        if field.attname in after and before.get(field.attname) != after[field.attname]
    )


@cache
def _fields(model: type[Model]) -> tuple[Field[Any, Any], ...]:
    """Give the columns of a model, its id first."""
    fields = model._meta.concrete_fields  # noqa: SLF001  Django documents `_meta`
    return tuple(sorted(fields, key=lambda field: not field.primary_key))


def _columns(fields: Iterable[Field[Any, Any]]) -> list[str]:
    return [field.column or field.attname for field in fields]


def _table(model: type[Model]) -> str:
    return model._meta.db_table  # noqa: SLF001  Django documents `_meta`


def _value(field: Field[Any, Any], row: Model) -> Value:
    value: Value = field.get_db_prep_save(getattr(row, field.attname), connection)
    return value
