"""The database can't be reached or written for a while, at whose fault whatever."""

from __future__ import annotations

import asyncio
import resource
import sqlite3
from contextlib import asynccontextmanager, closing
from typing import TYPE_CHECKING

import pytest

from tests.faults.shared_fleet import SharedFleet
from velvetrope.sandbox.handset import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.faults.scene import Scene


@asynccontextmanager
async def stopped(fleet: SharedFleet, how: str, scene: Scene) -> AsyncIterator[None]:
    """Stop PostgreSQL («fast» or «immediate») until deliveries are refused, and start it."""
    server = fleet.server_of_data
    await asyncio.to_thread(server.kill if how == "immediate" else server.stop)
    await scene.refused()
    await asyncio.to_thread(server.start)
    yield


@asynccontextmanager
async def cut_off(fleet: SharedFleet) -> AsyncIterator[None]:
    """Have PostgreSQL end every connection, as its administrator may."""
    for _ in range(3):
        fleet.tell_database(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )
        await asyncio.sleep(0.2)
    yield


@asynccontextmanager
async def torn(fleet: SharedFleet, scene: Scene) -> AsyncIterator[None]:
    """Cut the network in the middle of what is said, then let nobody through for a while."""
    for _ in range(3):
        fleet.road.cut()
        await asyncio.sleep(0.2)
    fleet.road.refuse()
    await scene.refused()
    fleet.road.accept()
    yield


@asynccontextmanager
async def silent(fleet: SharedFleet, scene: Scene) -> AsyncIterator[None]:
    """Take what is said to PostgreSQL and pass nothing on, as a firewall that has forgotten."""
    fleet.road.stall()
    await scene.refused()
    fleet.road.flow()
    yield


@asynccontextmanager
async def commits_unanswered(fleet: SharedFleet) -> AsyncIterator[None]:
    """Lose the answers to commits that are done: nobody who asked knows whether they are."""
    fleet.road.lose_commits(30)

    async def are_lost() -> bool:
        return not fleet.road.commits_to_lose

    await eventually(are_lost, "thirty commits")
    yield


@asynccontextmanager
async def only_readable(fleet: SharedFleet, scene: Scene) -> AsyncIterator[None]:
    """Let PostgreSQL refuse to write, as a standby does."""
    for value in ("on", "off"):
        fleet.tell_database(f"ALTER SYSTEM SET default_transaction_read_only = {value}")
        fleet.tell_database("SELECT pg_reload_conf()")
        if value == "on":
            await scene.refused()
    yield


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


@pytest.mark.only_on("sqlite")
async def test_no_file_can_grow(scene: Scene) -> None:
    await scene.play("no byte can be written", files_stopped(scene))
    check_refusals(scene)
    check_words(scene, "make room on the disk")


@pytest.mark.only_on("sqlite")
async def test_somebody_else_holds_the_lock(scene: Scene) -> None:
    await scene.play("SQLite locked by a stranger", locked(scene))
    check_refusals(scene)
    check_words(scene, "fuser")


@pytest.mark.only_on("postgresql")
@pytest.mark.quick_on_both
@pytest.mark.parametrize("how", ["immediate", pytest.param("fast", marks=pytest.mark.long)])
async def test_postgresql_is_restarted(scene: Scene, how: str) -> None:
    fleet = shared(scene)
    await scene.play(f"PostgreSQL restarted, {how}", stopped(fleet, how, scene), loses_answers=True)
    check_refusals(scene)
    check_words(scene, "start PostgreSQL")


@pytest.mark.only_on("postgresql")
async def test_connections_are_ended_by_the_database(scene: Scene) -> None:
    await scene.play("pg_terminate_backend", cut_off(shared(scene)), loses_answers=True)


@pytest.mark.only_on("postgresql")
async def test_connections_are_torn_on_the_way(scene: Scene) -> None:
    fleet = shared(scene)
    await scene.play("way to PostgreSQL cut", torn(fleet, scene), loses_answers=True)
    check_refusals(scene)


@pytest.mark.only_on("postgresql")
@pytest.mark.quick_on_both
async def test_answers_to_commits_are_lost(scene: Scene) -> None:
    harm = commits_unanswered(shared(scene))
    await scene.play("answers to commits lost", harm, loses_answers=True)


@pytest.mark.only_on("postgresql")
async def test_the_way_to_the_database_goes_silent(scene: Scene) -> None:
    fleet = shared(scene)
    await scene.play("way to PostgreSQL silent", silent(fleet, scene), loses_answers=True)
    check_refusals(scene)


@pytest.mark.only_on("postgresql")
async def test_the_database_can_only_be_read(scene: Scene) -> None:
    fleet = shared(scene)
    await scene.play("PostgreSQL read-only", only_readable(fleet, scene))
    check_refusals(scene)
    check_words(scene, "point VELVETROPE_DATABASE_URL at the primary")


def shared(scene: Scene) -> SharedFleet:
    assert isinstance(scene.fleet, SharedFleet)
    return scene.fleet
