"""One house on each database for all scenarios; the table of recoveries at the end."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from tests.faults.scene import HASTE, Scene, build_scene, table
from tests.processes import Sandbox

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from tests.faults.scene import Recovery

_RECOVERY = "recovery"


class Stage:
    """Keeps the scene until a scenario fails: whatever it left behind is no later one's fault."""

    def __init__(self, factory: pytest.TempPathFactory, migrated: Path) -> None:
        self._factory = factory
        self._migrated = migrated
        self._open = ExitStack()
        self._scene: Scene | None = None

    async def scene(self) -> Scene:
        if self._scene is None:
            sandbox = self._open.enter_context(Sandbox(self._factory.mktemp("sandbox")))
            scene = await build_scene(sandbox, self._factory.mktemp("fleet"), self._migrated)
            self._open.callback(scene.fleet.close)
            self._scene = scene
        return self._scene

    def close(self) -> None:
        self._scene = None
        self._open.close()


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory, migrated_file: Path) -> Iterator[Stage]:
    made = Stage(tmp_path_factory, migrated_file)
    yield made
    made.close()


@pytest.fixture
async def scene(stage: Stage, request: pytest.FixtureRequest) -> AsyncIterator[Scene]:
    """Give a house with a bot; what a scenario does to the vendors is undone."""
    scene = await stage.scene()
    failed = request.session.testsfailed
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as session:
        scene.move_to(session)
        scene.keep = lambda recovery: _keep(request, recovery)
        for vendor, haste in ((scene.house.telegram, "telegram"), (scene.house.stripe, "stripe")):
            await vendor.post("faults", {"reset": True, "retry_scale": HASTE[haste]})
        yield scene
    if request.session.testsfailed > failed:
        said = scene.fleet.log_text()[-20_000:]
        request.node.add_report_section("teardown", "log of the fleet", said)
        stage.close()


def _keep(request: pytest.FixtureRequest, recovery: Recovery) -> None:
    request.node.user_properties.append((_RECOVERY, recovery.as_record))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print how long each recovery took, from wherever the scenarios ran."""
    found = [
        value
        for report in terminalreporter.getreports("passed")
        for name, value in report.user_properties
        if name == _RECOVERY
    ]
    if found:
        terminalreporter.section("recoveries")
        for line in table(found):
            terminalreporter.line(line)
