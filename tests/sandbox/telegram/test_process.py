from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.processes import Running, Sandbox, child_environment

if TYPE_CHECKING:
    from pathlib import Path

    from tests.sandbox.telegram.place import Place


def test_it_refuses_to_run_in_production() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "velvetrope.sandbox"],
        env=child_environment(VELVETROPE_ENV="production"),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 2
    assert "VELVETROPE_ENV=production" in done.stderr
    assert done.stdout == ""


def test_it_stops_at_once_though_a_phone_is_watching(tmp_path: Path) -> None:
    with Sandbox(tmp_path) as running:
        with running.telegram.stream("GET", "/control/stream") as stream:
            assert next(stream.iter_text()).startswith(": Velvet Rope sandbox")
            assert running.process.stop(seconds=5) == 0
        assert running.log_text() == ""


def test_a_taken_port_is_said(tmp_path: Path) -> None:
    with Sandbox(tmp_path) as running:
        port = httpx.URL(running.telegram_url).port
        other = subprocess.run(
            [sys.executable, "-m", "velvetrope.sandbox", "--telegram", str(port)],
            env=child_environment(),
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    assert other.returncode == 1
    assert other.stderr.startswith("The sandbox can't listen: ")


def test_time_is_kept_in_its_file(tmp_path: Path) -> None:
    with Sandbox(tmp_path) as running:
        moved = running.telegram.post("/control/time", json={"seconds": 3600}).json()
        assert moved["offset"] == pytest.approx(3600, abs=0.01)
        assert float(running.clock_file.read_text()) == pytest.approx(3600, abs=0.01)
        back = running.telegram.post("/control/time", json={"seconds": -1})
        assert back.status_code >= 400
    again = Running(running.process.arguments, tmp_path, "again", child_environment())
    ready = again.start()
    state = httpx.get(f"{ready['telegram']}/control/state", trust_env=False).json()
    again.stop()
    assert state["offset"] == pytest.approx(3600, abs=0.01)


def test_another_sites_page_cant_use_the_control_api(place: Place) -> None:
    answer = place.phone.post(
        "/control/users", json={"first_name": "x"}, headers={"Origin": "https://evil.example"}
    )
    assert answer.status_code == 403


def test_mistakes_are_answered_with_what_is_wrong(place: Place) -> None:
    cases = {
        "users": {"name": "x"},
        "bots": {"name": "x", "username": "no spaces please"},
        "chats": {"title": "x", "kind": "cave", "owner": place.owner},
        f"users/{place.ann}/messages": {"bot": place.username, "text": ""},
        f"chats/{place.chat}/upgrade": {},
    }
    for path, body in cases.items():
        answer = place.phone.post(f"/control/{path}", json=body)
        assert answer.status_code == 400, path
        assert answer.json()["error"]
    for path in ("users/1/dialogs", "chats/1"):
        assert place.phone.get(f"/control/{path}").status_code == 404
