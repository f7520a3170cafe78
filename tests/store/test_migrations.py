"""Migrations on both databases: from nothing, and from versions before with rows in all tables."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import pytest
from django.db import connection, models
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.state import ProjectState

from tests import postgres
from tests.databases import POSTGRESQL, django_on
from velvetrope.store.encryption import EncryptedField, Secret

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from django.apps.registry import Apps

STORE = "store"


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


def filled(apps: Apps) -> dict[str, models.Model]:
    """Put one row into each table of ours, those first that others refer to."""
    waiting = [model for model in apps.get_models() if model._meta.app_label == STORE]
    made: dict[str, models.Model] = {}
    while waiting:
        ready = [model for model in waiting if all(label in made for label in needed(model))]
        assert ready, "tables that refer to one another in a circle"
        for model in ready:
            made[model._meta.label_lower] = model._default_manager.create(**values(model, made))
            waiting.remove(model)
    return made


def needed(model: type[models.Model]) -> set[str]:
    return {
        field.related_model._meta.label_lower
        for field in model._meta.concrete_fields
        if isinstance(field, models.ForeignKey) and not field.null
    }


def values(model: type[models.Model], made: dict[str, models.Model]) -> dict[str, Any]:
    """Give what a row cannot do without, and its secrets."""
    return {
        field.name: value(field, made)
        for field in model._meta.concrete_fields
        if isinstance(field, EncryptedField)
        or not (field.null or field.has_default() or isinstance(field, models.AutoField))
    }


def value(field: models.Field[Any, Any], made: dict[str, models.Model]) -> object:
    if isinstance(field, models.ForeignKey):
        return made[field.related_model._meta.label_lower]
    if field.choices:
        return next(iter(field.choices))[0]
    return next((given for kind, given in _GIVEN if isinstance(field, kind)), "text")


_GIVEN: Final = (
    (EncryptedField, Secret("a secret")),
    (models.BinaryField, b"{}"),
    (models.DateTimeField, datetime(2026, 5, 1, tzinfo=UTC)),
    (models.IntegerField, 7),
    (models.BooleanField, False),
)
