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


def test_a_new_an_empty_and_an_earlier_folder_are_taken(tmp_path: Path) -> None:
    ours = stage(tmp_path)
    ours.clean()
    ours.log("sandbox").touch()
    (ours.folder / "velvetrope.sqlite3").touch()
    ours.clean()
    assert list(ours.folder.iterdir()) == []
    stage(tmp_path / "a" / "new one").clean()
    assert (tmp_path / "a" / "new one").is_dir()
