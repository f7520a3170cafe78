"""Faults are planted in words of the source, so whoever changes those words has to move them."""

from __future__ import annotations

from pathlib import Path

import velvetrope
from tests.mutations.planted import FAULTS

SOURCE = Path(velvetrope.__file__).parent
TESTS = Path(__file__).parent


def test_every_fault_still_finds_its_words_in_the_source() -> None:
    stale = [
        one.rule
        for one in FAULTS
        if not (SOURCE / one.file).exists()
        or (SOURCE / one.file).read_text().count(one.before) != 1
    ]
    assert stale == []


def test_every_fault_names_tests_that_there_are() -> None:
    missing = [name for one in FAULTS for name in one.tests if not (TESTS / name).exists()]
    assert missing == []
