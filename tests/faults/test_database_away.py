"""The database can't be reached or written for a while, at whose fault whatever."""

from __future__ import annotations

import resource
import sqlite3
from contextlib import asynccontextmanager, closing
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.faults.scene import Scene


def check_refusals(scene: Scene) -> None:
    """Nobody was told anything but 200 or 503, and 503 said when to come again."""
    assert {one.status for one in scene.meanwhile} <= {200, 503}, scene.meanwhile
    refused = [one for one in scene.meanwhile if one.status == 503]
    assert refused
    assert all(one.retry_after for one in refused)


@asynccontextmanager
async def files_stopped(scene: Scene) -> AsyncIterator[None]:
    """Let no process write another byte into any file, as on a disk without room."""
    limits = {pid: resource.prlimit(pid, resource.RLIMIT_FSIZE) for pid in scene.fleet.pids}
    for pid, (_, hard) in limits.items():
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, hard))
    try:
        await scene.refused()
        yield
    finally:
        for pid, limit in limits.items():
            resource.prlimit(pid, resource.RLIMIT_FSIZE, limit)


@asynccontextmanager
async def locked(scene: Scene) -> AsyncIterator[None]:
    """Hold the database's lock from outside, as a copying tool or a forgotten shell would."""
    connection = sqlite3.connect(scene.fleet.database, isolation_level=None, timeout=30)
    with closing(connection) as intruder:
        intruder.execute("BEGIN IMMEDIATE")
        await scene.refused(1)
        yield


def check_words(scene: Scene, remedy: str) -> None:
    """The log said what was to be done, and when it was over."""
    told = scene.told("database_unavailable")
    assert told
    assert all(remedy in one["remedy"] for one in told), told
    assert len(scene.told("database_available")) >= 1


async def test_no_file_can_grow(scene: Scene) -> None:
    await scene.play("no byte can be written", files_stopped(scene))
    check_refusals(scene)
    check_words(scene, "make room on the disk")


async def test_somebody_else_holds_the_lock(scene: Scene) -> None:
    await scene.play("SQLite locked by a stranger", locked(scene))
    check_refusals(scene)
    check_words(scene, "fuser")
