"""One house on each database for all scenarios; the table of recoveries at the end."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from tests.faults.fleet import Fleet
from tests.faults.scene import RECOVERY, Scene, build_scene, shown, table
from tests.faults.shared_fleet import SharedFleet
from tests.processes import Sandbox

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path


DATABASES = ("sqlite", "postgresql")


class Stage:
    """Keeps a scene until a scenario fails: whatever it left behind is no later one's fault."""

    def __init__(self, factory: pytest.TempPathFactory, migrated: Path) -> None:
        self._factory = factory
        self._migrated = migrated
        self._open = ExitStack()
        self._scene: Scene | None = None

    async def scene(self, database: str) -> Scene:
        """Give the scene on a database; one of the other is closed."""
        if self._scene is not None and self._scene.fleet.database_name != database:
            self.close()
        if self._scene is None:
            sandbox = self._open.enter_context(Sandbox(self._factory.mktemp("sandbox")))
            kind = SharedFleet if database == "postgresql" else Fleet
            fleet = kind(self._factory.mktemp("fleet"), self._migrated, sandbox)
            self._open.callback(fleet.close)
            self._scene = await build_scene(sandbox, fleet)
        return self._scene

    def close(self) -> None:
        self._scene = None
        self._open.close()


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory, migrated_file: Path) -> Iterator[Stage]:
    made = Stage(tmp_path_factory, migrated_file)
    yield made
    made.close()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Play every scenario on each database that it is about, all of one database together."""
    if "scene" in metafunc.fixturenames:
        only = metafunc.definition.get_closest_marker("only_on")
        names = only.args if only else DATABASES
        quick = bool(metafunc.definition.get_closest_marker("quick_on_both"))
        params = [pytest.param(name, marks=_marks(name, quick=quick)) for name in names]
        metafunc.parametrize("database_name", params, scope="session")


def _marks(database: str, *, quick: bool) -> list[pytest.MarkDecorator]:
    """Give the marks of a scenario on a database: on PostgreSQL few are quick."""
    long = [] if quick or database == "sqlite" else [pytest.mark.long]
    return [pytest.mark.xdist_group(database), *long]


@pytest.fixture
async def scene(
    stage: Stage, database_name: str, request: pytest.FixtureRequest
) -> AsyncIterator[Scene]:
    """Give a house with a bot; what a scenario does to the vendors is undone."""
    scene = await stage.scene(database_name)
    failed = request.session.testsfailed
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as session:
        await scene.move_to(session)
        scene.keep = shown(request)
        yield scene
    if request.session.testsfailed > failed:
        said = scene.fleet.log_text()[-20_000:]
        request.node.add_report_section("teardown", "log of the fleet", said)
        stage.close()


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print how long each recovery took, from wherever the scenarios ran."""
    found = [
        value
        for report in terminalreporter.getreports("passed")
        for name, value in report.user_properties
        if name == RECOVERY
    ]
    if found:
        terminalreporter.section("recoveries")
        for line in table(found):
            terminalreporter.line(line)
