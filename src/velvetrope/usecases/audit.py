"""Audit entries of what operators do: plain values before and after, never a secret."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

from velvetrope.store.clock import present
from velvetrope.store.encryption import EncryptedField
from velvetrope.store.models import AuditEntry

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from django.db.models import Model

    #: What JSON knows.
    Plain = str | int | float | bool | list["Plain"] | dict[str, "Plain"] | None

#: What stands for a secret in an audit entry: that there is one may be known, it itself not.
SECRET_SET = "(set)"  # noqa: S105  a placeholder, not a secret
SECRET_REPLACED = "(replaced)"  # noqa: S105  the same


def record(
    actor: str,
    action: str,
    *,
    subject: str,
    subject_id: object,
    integration_id: int | None = None,
    before: Mapping[str, Plain] | None = None,
    after: Mapping[str, Plain] | None = None,
) -> AuditEntry:
    """Write an entry in the caller's transaction."""
    return AuditEntry.objects.create(
        at=present(),
        actor=actor[:160],
        action=action,
        integration_id=integration_id,
        subject=subject,
        subject_id=str(subject_id),
        before=None if before is None else dict(before),
        after=None if after is None else dict(after),
    )


def plain(row: Model, names: Iterable[str]) -> dict[str, Plain]:
    """Give those columns of a row as values that JSON knows; secrets only as being there."""
    return {name: _plain_value(row, name) for name in names}


def _plain_value(row: Model, name: str) -> Plain:
    field = row._meta.get_field(name)  # noqa: SLF001  Django's public name for it
    value: object = getattr(row, getattr(field, "attname", name))
    if isinstance(field, EncryptedField):
        return None if value is None else SECRET_SET
    if isinstance(value, datetime | date):
        return value.isoformat()
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, list | dict):  # JSON columns
        return value
    return str(value)
