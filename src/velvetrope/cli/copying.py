"""Moves an installation to another database, most often from SQLite to PostgreSQL."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from django.db import connections
from django.db.migrations.executor import MigrationExecutor

from velvetrope import database_url
from velvetrope import settings as product_settings
from velvetrope.cli.failures import CommandError, Exit
from velvetrope.cli.opening import require_database
from velvetrope.cli.output import print_record, say
from velvetrope.store.copying import NotEmptyError, copy_to
from velvetrope.store.serving import serve_alone
from velvetrope.web.django_config import database_values

if TYPE_CHECKING:
    import argparse

    from velvetrope.database_url import Database

_OTHER: Final = "other"


def copy(options: argparse.Namespace) -> int:
    """Copy everything into an empty database; the present one is left as it is."""
    other = product_settings.load({**os.environ, database_url.NAME: options.to}).database
    if other.url == options.settings.database.url:
        raise CommandError("That is the database that is used now", where=other.place)
    require_database(other)
    values = connections.configure_settings({"default": database_values(other)})["default"]
    connections.settings[_OTHER] = values
    serving = serve_alone()
    try:
        _require_migrated(other)
        copied = copy_to(_OTHER)
    except NotEmptyError as error:
        raise CommandError(
            f"There are {error} in it already",
            where=other.place,
            remedy="Make an empty database, and run velvetrope migrate with its address",
        ) from None
    finally:
        serving.close()
        connections[_OTHER].close()
    rows = sum(copied.values())
    if options.json:
        print_record({"database": other.place, "rows": rows, "tables": copied}, as_json=True)
    else:
        say(f"{rows} rows are copied into {other.place}.")
        say("Set VELVETROPE_DATABASE_URL to its address, and start the server again.")
    return Exit.DONE


def _require_migrated(other: Database) -> None:
    executor = MigrationExecutor(connections[_OTHER])
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise CommandError(
            "The other database is not up to date",
            where=other.place,
            remedy="Run velvetrope migrate with VELVETROPE_DATABASE_URL set to its address",
        )
