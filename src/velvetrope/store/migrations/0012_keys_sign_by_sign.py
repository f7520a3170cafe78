"""Compare keys sign by sign, as SQLite does: a language's order doesn't look at every sign."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import migrations

if TYPE_CHECKING:
    from django.apps.registry import Apps
    from django.db.backends.base.schema import BaseDatabaseSchemaEditor


#: Tables and columns of texts that are compared, or locked in their order.
KEYS = (("store_inboxevent", "external_id"), ("store_lanelease", "key"))


def set_collation(_apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    if editor.connection.vendor == "postgresql":
        for table, column in KEYS:
            kind = 'TYPE varchar COLLATE "C"'
            editor.execute(f"ALTER TABLE {table} ALTER COLUMN {column} {kind}")


class Migration(migrations.Migration):
    dependencies = [("store", "0011_workers")]

    operations = [migrations.RunPython(set_collation, migrations.RunPython.noop, elidable=False)]
