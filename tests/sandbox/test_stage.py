"""The demo empties a folder of its own only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from velvetrope.sandbox.stage import Stage, StageError

if TYPE_CHECKING:
    from pathlib import Path


def stage(folder: Path) -> Stage:
    return Stage(folder=folder, port=0, phone_port=0, stripe_port=0)


def test_a_folder_with_something_else_is_left_alone(tmp_path: Path) -> None:
    precious = tmp_path / "letters.txt"
    precious.write_text("dear")
    with pytest.raises(StageError, match="holds something else"):
        stage(tmp_path).clean()
    assert precious.read_text() == "dear"


async def test_a_new_an_empty_and_an_earlier_folder_are_taken(tmp_path: Path) -> None:
    ours = stage(tmp_path)
    ours.clean()
    ours.log("sandbox").touch()
    (ours.folder / "velvetrope.sqlite3").touch()
    ours.clean()
    assert list(ours.folder.iterdir()) == []
    await ours.close()
    new = stage(tmp_path / "a" / "new one")
    new.clean()
    assert new.folder.is_dir()
    await new.close()


async def test_a_folder_in_which_a_demo_runs_is_refused_until_it_ends(tmp_path: Path) -> None:
    running, other = stage(tmp_path / "demo"), stage(tmp_path / "demo")
    running.clean()
    running.log("sandbox").touch()
    with pytest.raises(StageError, match="Another demo runs"):
        other.clean()
    assert running.log("sandbox").exists()
    await running.close()
    other.clean()
    await other.close()
