"""Seeing one state of the database in several statements."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.db import connection, transaction

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def reading() -> Iterator[None]:
    """See one state of the database in several statements, without keeping writers waiting.

    The outermost block of its thread; writing inside fails.
    """
    if connection.vendor == "sqlite":
        from velvetrope.store.sqlite import base  # noqa: PLC0415  one of both

        with base.reading():
            yield
        return
    with transaction.atomic(durable=True):
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield
