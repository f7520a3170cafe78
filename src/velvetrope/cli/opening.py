"""What a command needs before it can do anything: judged settings, the log, the database."""

from __future__ import annotations

import logging
import os
import sqlite3
from typing import TYPE_CHECKING, Final

from velvetrope import logs
from velvetrope import settings as product_settings
from velvetrope.cli.failures import CommandError
from velvetrope.cli.grammar import Opens
from velvetrope.domain.secrecy import scrub

if TYPE_CHECKING:
    from velvetrope.database_url import Database
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
    if settings.database.kind == "postgresql" or not may_create:
        require_database(settings.database)
    return product_settings.with_development_keys(settings)


def prepare(settings: Settings, *, level: int) -> None:
    """Set up the log and Django; files made from here on are their owner's only."""
    os.umask(0o077)
    logs.configure(settings, level=level)
    from velvetrope.web import django_config  # noqa: PLC0415  Django only where it is needed

    django_config.configure(settings)


def require_database(database: Database) -> None:
    """Raise CommandError unless there is such a database, and it lets this process in."""
    if database.path is None:
        _require_server(database)
        return
    try:
        there = database.path.exists()
    except OSError as error:
        raise CommandError(
            f"The database cannot be looked at ({error.strerror})",
            where=database.place,
            remedy="Run this as the user whose it is",
        ) from None
    if not there:
        raise CommandError(
            f"no database at {database.place}",
            remedy="Are you in the right folder (VELVETROPE_DATABASE_URL)? "
            "Else: velvetrope migrate",
        )


def _require_server(database: Database) -> None:
    """Ask the server once, alone: it says more than a pool that waits for a connection."""
    import psycopg  # noqa: PLC0415  only who uses it pays for it

    try:
        address = psycopg.conninfo.make_conninfo(**{"connect_timeout": "3", **database.parameters})
        psycopg.connect(address).close()
    except psycopg.OperationalError as error:
        raise CommandError(
            f"The database cannot be used ({_in_one_line(error)})",
            where=database.place,
            remedy="Check that the server runs, that VELVETROPE_DATABASE_URL is its address with "
            "the right user and password, and that the database has been made (createdb)",
        ) from None


def _in_one_line(error: Exception) -> str:
    return scrub(" ".join(str(error).split()))


def require_migrations(settings: Settings) -> None:
    """Raise CommandError unless the database is up to date."""
    if pending_migrations():
        raise CommandError(
            "The database is not up to date",
            where=settings.database.place,
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
