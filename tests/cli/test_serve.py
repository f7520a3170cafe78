from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import pytest

from tests.processes import COMMAND, Installation, Running, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.postgres import Template


@pytest.fixture
def alone(migrated: Path | Template, tmp_path: Path) -> Iterator[Installation]:
    """Give an installation whose vendors don't answer."""
    place = Installation(tmp_path, migrated)
    yield place
    place.close()


def test_a_server_says_where_it_serves_and_ends_well_when_asked_to(alone: Installation) -> None:
    ready = alone.server.start()
    assert ready == {"url": alone.url, "pid": alone.server.pid}
    assert alone.http.get("/up").status_code == 200
    assert alone.stop() == 0


def test_an_address_that_is_not_given_is_the_one_it_serves_at(
    alone: Installation, tmp_path: Path
) -> None:
    env = {**alone.env, "VELVETROPE_PUBLIC_URL": ""}
    free = Running([*COMMAND, "serve", "--port", "0", "--json"], tmp_path, "free", env)
    ready = free.start()
    try:
        page = alone.http.get(f"{ready['url']}/admin/login/")
        assert page.status_code == 200
    finally:
        assert free.stop() == 0


def test_a_second_server_is_refused_with_the_first_ones_process(alone: Installation) -> None:
    alone.start()
    second = alone.command("serve", "--port", "0", "--json")
    assert second.code == 1
    assert f"process {alone.server.pid} serves" in second.err
    assert "Traceback" not in second.err
    assert alone.http.get("/up").status_code == 200


def test_a_port_that_is_taken_is_told(alone: Installation) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        done = alone.command("serve", "--port", port)
    assert done.code == 1
    assert f"127.0.0.1:{port}" in done.err
    assert "--port" in done.err


@pytest.mark.parametrize("role", ["web", "worker"])
def test_roles_that_sqlite_does_not_know_are_refused(alone: Installation, role: str) -> None:
    done = alone.command("serve", "--role", role)
    assert done.code == 2
    assert "PostgreSQL" in done.err


def test_a_postgresql_that_does_not_answer_is_named_with_what_to_check(
    alone: Installation,
) -> None:
    address = f"postgresql://me:planted-password@127.0.0.1:{free_port()}/vr"
    done = alone.command("serve", env={"VELVETROPE_DATABASE_URL": address})
    assert done.code == 1
    assert "PostgreSQL database vr at 127.0.0.1: The database cannot be used" in done.err
    assert "Check that the server runs" in done.err
    assert "planted-password" not in done.err


def test_a_killed_server_leaves_the_database_to_the_next(alone: Installation) -> None:
    alone.start()
    alone.kill()
    alone.start()
    assert alone.http.get("/up").status_code == 200
    assert alone.server.pid != os.getpid()
