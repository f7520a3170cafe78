"""The databases that tests run on: a file of SQLite's, or a database of the shared PostgreSQL."""

from __future__ import annotations

import os
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import psycopg
from psycopg import sql

from tests import postgres
from tests.processes import COMMAND, ENCRYPTION_KEY, SECRET_KEY, child_environment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SQLITE: Final = "sqlite"
POSTGRESQL: Final = "postgresql"
#: Names the one database that all tests shall run on, to look for what differs.
ONLY: Final = "TESTS_DATABASE"

#: The migrated database that others are copies of.
TEMPLATE: Final = "migrated"

#: What the migrations themselves have put in.
_KEPT: Final = ("django_migrations", "django_content_type", "auth_permission")

#: Has every table give its first number again.
_RESTART: Final = """
    SELECT setval(s.oid, 1, false)
    FROM pg_class s JOIN pg_depend d ON d.objid = s.oid JOIN pg_class t ON t.oid = d.refobjid
    WHERE s.relkind = 'S' AND t.relkind = 'r' AND NOT t.relname = ANY (%s)
"""


@contextmanager
def django_on(url: str) -> Iterator[None]:
    """Have Django use a database, in the threads that begin from now on and in this one."""
    from django.db import connections  # noqa: PLC0415  Django is set up by now

    from velvetrope.settings import load  # noqa: PLC0415  the same
    from velvetrope.web.django_config import database_values  # noqa: PLC0415  the same

    judged = load({"VELVETROPE_ENV": "development", "VELVETROPE_DATABASE_URL": url}).database
    values = connections.configure_settings({"default": database_values(judged)})["default"]
    before = connections.settings["default"]
    _forget_connection()
    connections.settings["default"] = values
    try:
        yield
    finally:
        _forget_connection()
        connections.settings["default"] = before


def _forget_connection() -> None:
    from django.db import connections  # noqa: PLC0415  Django is set up by now

    connections["default"].close()
    if hasattr(connections["default"], "close_pool"):
        connections["default"].close_pool()
    del connections["default"]


def migrated_server(owner: int) -> Path:
    """Give the folder of the shared server, with a migrated database to copy."""
    server = postgres.shared(owner)
    marker = server.parent / TEMPLATE
    with postgres.locked(server.parent):
        if not marker.exists():
            url = postgres.create(server, TEMPLATE)
            # In a process of its own: Django was set up for SQLite here, with fewer applications.
            subprocess.run(
                [*COMMAND, "migrate"],
                env=child_environment(
                    VELVETROPE_ENV="development",
                    VELVETROPE_DATABASE_URL=url,
                    VELVETROPE_SECRET_KEY=SECRET_KEY,
                    VELVETROPE_ENCRYPTION_KEYS=ENCRYPTION_KEY,
                ),
                cwd=server.parent,
                check=True,
                stdout=subprocess.DEVNULL,
            )
            marker.touch()
    return server


def empty(url: str) -> None:
    """Remove all rows but those that migrations put in: faster than another copy."""
    with psycopg.connect(url, autocommit=True) as admin:
        tables = admin.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        names = [name for (name,) in tables if name not in _KEPT]
        with admin.transaction(), admin.pipeline():
            # As a replica: foreign keys are not looked at, and all of them go.
            admin.execute("SET LOCAL session_replication_role = replica")
            for name in names:
                admin.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(name)))
            admin.execute(_RESTART, [list(_KEPT)])


def own_name() -> str:
    """Name this process's database."""
    return f"tests_{os.getpid()}"
