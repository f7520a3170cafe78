"""What a command needs before it can do anything: judged settings, the log, the database."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Final

from velvetrope import logs
from velvetrope import settings as product_settings
from velvetrope.cli.failures import CommandError

if TYPE_CHECKING:
    from velvetrope.settings import Settings

#: Who did it, in the audit log.
ACTOR: Final = "command line"


def open_installation(*, migrated: bool) -> Settings:
    """Set this process up from its environment; raises SettingsError.

    CommandError if the database isn't up to date and has to be.
    """
    settings = product_settings.from_environment(os.environ)
    prepare(settings, level=logging.WARNING)
    if migrated:
        require_migrations(settings)
    return settings


def prepare(settings: Settings, *, level: int) -> None:
    """Set up the log and Django; files made from here on are their owner's only."""
    os.umask(0o077)
    logs.configure(settings, level=level)
    from velvetrope.web import django_config  # noqa: PLC0415  Django only where it is needed

    django_config.configure(settings)


def require_migrations(settings: Settings) -> None:
    """Raise CommandError unless the database is up to date."""
    if pending_migrations():
        raise CommandError(
            "The database is not up to date",
            where=str(settings.database.path),
            remedy="Run: velvetrope migrate",
        )


def pending_migrations() -> list[str]:
    """Give the names of the migrations that the database lacks."""
    from django.db import connection  # noqa: PLC0415  after Django's set-up
    from django.db.migrations.executor import MigrationExecutor  # noqa: PLC0415  the same

    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _ in plan]
