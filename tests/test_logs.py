from __future__ import annotations

import logging

import pytest
import structlog

from velvetrope.logs import MOST_LINES, WHILE, Dampener


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def write(dampener: Dampener, **event: object) -> dict[str, object] | None:
    """Give the line as it is written; None if it is held back."""
    try:
        return dict(dampener(None, "warning", dict(event)))
    except structlog.DropEvent:
        return None


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def dampener(clock: Clock) -> Dampener:
    return Dampener(now=clock)


def test_lines_of_one_kind_are_counted_when_there_were_enough(
    dampener: Dampener, clock: Clock
) -> None:
    written = [write(dampener, event="refused", number=number) for number in range(MOST_LINES + 7)]
    assert written[:MOST_LINES] == [
        {"event": "refused", "number": number} for number in range(MOST_LINES)
    ]
    assert set(map(str, written[MOST_LINES:])) == {"None"}
    clock.now += WHILE
    assert write(dampener, event="refused") == {"event": "refused", "held_back": 7}
    assert write(dampener, event="refused") == {"event": "refused"}


def test_a_flood_of_one_kind_holds_no_other_back(dampener: Dampener) -> None:
    for _ in range(MOST_LINES + 1):
        write(dampener, event="refused", code="database_busy")
    assert write(dampener, event="refused", code="database_busy") is None
    assert write(dampener, event="refused", code="database_unavailable") is not None
    assert write(dampener, event="event_dead") is not None


def test_the_next_outage_is_told_though_the_last_one_was_told_often(dampener: Dampener) -> None:
    for _ in range(MOST_LINES + 3):
        write(dampener, event="database_unavailable")
    assert write(dampener, event="database_unavailable") is None
    write(dampener, event="database_available")
    told = write(dampener, event="database_unavailable")
    assert told == {"event": "database_unavailable", "held_back": 4}


def test_a_library_cannot_flood_the_log_either(dampener: Dampener) -> None:
    record = logging.makeLogRecord({"name": "aiohttp", "levelno": logging.WARNING})
    passed = [dampener.lets_pass(record) for _ in range(MOST_LINES + 3)]
    assert passed == [True] * MOST_LINES + [False] * 3
