"""What a command needs before it can do anything: judged settings, the log, the database."""

from __future__ import annotations

import logging
import os
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Final

from velvetrope import logs
from velvetrope import settings as product_settings
from velvetrope.cli.failures import CommandError
from velvetrope.cli.grammar import Opens

if TYPE_CHECKING:
    from velvetrope.settings import Settings

#: Who did it, in the audit log.
ACTOR: Final = "command line"


def open_installation(opens: Opens) -> Settings:
    """Set this process up from its environment; raises SettingsError.

    CommandError if there is no database yet, or it isn't up to date, and it has to be.
    """
    settings = read_settings(may_create=opens is Opens.NEW)
    prepare(settings, level=logging.WARNING)
    if opens is Opens.MIGRATED:
        require_migrations(settings)
    return settings


def read_settings(*, may_create: bool = False) -> Settings:
    """Give settings that are ready to serve; raises SettingsError.

    CommandError for a database that isn't there: whoever stands in the wrong folder would get an
    empty one, with keys of its own in development. So nothing is made before this is known.
    """
    settings = product_settings.load(os.environ)
    product_settings.refuse_what_is_not_served(settings)
    if not may_create:
        _require_database(settings)
    return product_settings.with_development_keys(settings)


def prepare(settings: Settings, *, level: int) -> None:
    """Set up the log and Django; files made from here on are their owner's only."""
    os.umask(0o077)
    logs.configure(settings, level=level)
    from velvetrope.web import django_config  # noqa: PLC0415  Django only where it is needed

    django_config.configure(settings)


def database_place(settings: Settings) -> str:
    """Give the whole path of the database, whatever folder this is."""
    return str((settings.database.path or Path()).absolute())


def _require_database(settings: Settings) -> None:
    place = database_place(settings)
    try:
        there = Path(place).exists()
    except OSError as error:
        raise CommandError(
            f"The database cannot be looked at ({error.strerror})",
            where=place,
            remedy="Run this as the user whose it is",
        ) from None
    if not there:
        raise CommandError(
            f"no database at {place}",
            remedy="Are you in the right folder (VELVETROPE_DATABASE_URL)? "
            "Else: velvetrope migrate",
        )


def require_migrations(settings: Settings) -> None:
    """Raise CommandError unless the database is up to date."""
    if pending_migrations():
        raise CommandError(
            "The database is not up to date",
            where=database_place(settings),
            remedy="Run: velvetrope migrate",
        )


def pending_migrations() -> list[str]:
    """Give the names of the migrations that the database lacks.

    CommandError for a file that SQLite cannot read: the first question to it finds that out.
    """
    from django.db import DatabaseError, OperationalError, connection  # noqa: PLC0415  after Django's set-up
    from django.db.migrations.executor import MigrationExecutor  # noqa: PLC0415  the same

    try:
        executor = MigrationExecutor(connection)
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except (OperationalError, sqlite3.OperationalError):
        raise  # it was busy, or may not be opened: that is told in its own words
    except (DatabaseError, sqlite3.DatabaseError) as error:
        raise CommandError(
            f"This is no SQLite database, or it is damaged ({error})",
            where=str(connection.settings_dict["NAME"]),
            remedy="Check VELVETROPE_DATABASE_URL; if it is the right file, stop the server, "
            "keep a copy, and restore a backup",
        ) from None
    return [f"{migration.app_label}.{migration.name}" for migration, _ in plan]
