"""Migrations on both databases: from nothing, and from versions before with rows in all tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.db import connection
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.state import ProjectState

from tests import postgres
from tests.databases import POSTGRESQL, django_on
from tests.store.rows import STORE, filled

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def nothing(engine: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Give a database without a table."""
    if engine != POSTGRESQL:
        with django_on(f"sqlite:///{tmp_path}/nothing.sqlite3"):
            yield engine
        return
    server: Path = request.getfixturevalue("postgresql")
    name = f"nothing_{tmp_path.parent.name}_{tmp_path.name}".replace("-", "_").lower()[-60:]
    with django_on(postgres.create(server, name)):
        yield engine
    postgres.drop(server, name)


@pytest.mark.usefixtures("nothing")
def test_from_nothing_the_tables_are_what_the_code_expects() -> None:
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())
    executor = MigrationExecutor(connection)
    assert executor.migration_plan(executor.loader.graph.leaf_nodes()) == []
    from django.apps import apps  # noqa: PLC0415  Django is set up by now

    wanted = ProjectState.from_apps(apps)
    made = executor.loader.project_state()
    differences = MigrationAutodetector(made, wanted).changes(graph=executor.loader.graph)
    assert STORE not in differences
    for model in apps.get_app_config(STORE).get_models():
        assert list(model._default_manager.all()) == []


@pytest.mark.parametrize("back", [1, None], ids=["the last", "all but the first"])
@pytest.mark.usefixtures("nothing")
def test_rows_of_a_version_before_come_through(back: int | None) -> None:
    executor = MigrationExecutor(connection)
    names = sorted(name for app, name in executor.loader.disk_migrations if app == STORE)
    before = names[0] if back is None else names[-1 - back]
    others = [node for node in executor.loader.graph.leaf_nodes() if node[0] != STORE]
    executor.migrate([*others, (STORE, before)])
    old = executor.loader.project_state((STORE, before)).apps
    kept = {label: row.pk for label, row in filled(old).items() if label.startswith(f"{STORE}.")}
    executor = MigrationExecutor(connection)
    new = executor.migrate(executor.loader.graph.leaf_nodes())
    for label, key in kept.items():
        name = label.partition(".")[2]
        if (STORE, name) in new.models:
            assert new.apps.get_model(STORE, name)._default_manager.get().pk == key, label
    connection.check_constraints()
