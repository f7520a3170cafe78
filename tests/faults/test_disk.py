"""The disk under SQLite is full.

A disk of some megabytes is made in memory, which takes the right to mount; without it the
scenario is skipped, and `test_database_away.py` still stops every file from growing.
"""

from __future__ import annotations

import errno
import shutil
import subprocess
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import aiohttp
import pytest

from tests.faults.fleet import Fleet
from tests.faults.scene import build_scene, shown

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from tests.faults.scene import Scene
    from tests.processes import Sandbox

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("sqlite")]

SIZE = "32m"


def run(program: str, *arguments: str | Path) -> bool:
    """Run a program of the system; tells whether it could."""
    found = shutil.which(program)
    command = [found or program, *map(str, arguments)]
    return (
        found is not None
        and not subprocess.run(command, capture_output=True, check=False).returncode
    )


def mount(*arguments: str | Path) -> bool:
    return run("mount", *arguments)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "disk"
    place.mkdir()
    if not mount("-t", "tmpfs", "-o", f"size={SIZE}", "small", place):
        pytest.skip("no right to mount a small disk")
    yield place
    run("umount", place)


@pytest.fixture
async def place(
    disk: Path,
    sandbox: Sandbox,
    migrated_file: Path,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> AsyncIterator[Scene]:
    """Give a scene whose database is alone on a small disk."""
    database = disk / "velvetrope.sqlite3"
    shutil.copy(migrated_file, database)
    address = f"sqlite:///{database}"
    fleet = Fleet(tmp_path, migrated_file, sandbox, VELVETROPE_DATABASE_URL=address)
    fleet.database_url = address
    try:
        scene = await build_scene(sandbox, fleet)
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as session:
            await scene.move_to(session)
            scene.keep = shown(request)
            yield scene
    finally:
        fleet.close()


@asynccontextmanager
async def full(disk: Path, scene: Scene) -> AsyncIterator[None]:
    """Fill the disk to the last byte."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError as error:
            assert error.errno == errno.ENOSPC  # noqa: PT017  this is what fills it
    await scene.refused()
    ballast.unlink()
    yield


async def test_the_disk_is_full(place: Scene, disk: Path) -> None:
    await place.play("disk full", full(disk, place))
    told = place.told("database_unavailable")
    assert told
    assert all("make room on the disk" in one["remedy"] for one in told)
