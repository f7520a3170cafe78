"""Whoever has paid is in, whoever has not is out, nobody is removed by mistake: in any story.

    VELVETROPE_PROOF_EXAMPLES=300 VELVETROPE_PROOF_SEED=7 pytest tests/proof/test_promise.py

plays another 300 stories. A story that breaks the promise is made as short as it can be, printed as
steps, and written into a file that `python -m tests.proof.replay FILE` plays again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import seed
from hypothesis.stateful import run_state_machine_as_test

from tests.proof.machine import Machine, settings_of
from tests.proof.theatre import Theatre

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.timeout(900)  # a story that fails is made shorter, which takes some minutes
def test_in_every_story_the_promise_is_kept(migrated_file: Path) -> None:
    theatre = Theatre.from_environment(migrated_file)

    class Played(Machine):
        stage = theatre

    with theatre.reporting():
        seed(theatre.seed)(Played)
        run_state_machine_as_test(Played, settings=settings_of(theatre))
