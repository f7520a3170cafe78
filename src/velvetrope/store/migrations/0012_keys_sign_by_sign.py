"""Compare keys sign by sign, as SQLite does: a language's order doesn't look at every sign."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import migrations

if TYPE_CHECKING:
    from django.apps.registry import Apps
    from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def set_collation(_apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    if editor.connection.vendor == "postgresql":
        editor.execute(
            'ALTER TABLE store_inboxevent ALTER COLUMN external_id TYPE varchar(255) COLLATE "C"'
        )


class Migration(migrations.Migration):
    dependencies = [("store", "0011_workers")]

    operations = [migrations.RunPython(set_collation, migrations.RunPython.noop, elidable=False)]
