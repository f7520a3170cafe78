"""The circuit breaker: opens on outages, probes, closes on answers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from velvetrope.domain.breaker import Breaker, BreakerPolicy, State


def _opened(now: float = 100.0) -> Breaker:
    breaker = Breaker()
    for _ in range(5):
        assert breaker.take(now)
        breaker.fail(now)
    return breaker


def test_it_opens_after_five_outages_in_a_row() -> None:
    breaker = _opened()
    assert breaker.state(100.0) is State.OPEN
    assert not breaker.take(101.9)
    assert breaker.next_at(100.0) == 102.0


def test_an_answer_in_between_starts_the_count_again() -> None:
    breaker = Breaker()
    for _ in range(20):
        breaker.fail(100.0)
        breaker.fail(100.0)
        breaker.succeed(100.0)
    assert breaker.state(100.0) is State.CLOSED


def test_after_the_cool_down_one_probe_goes_through() -> None:
    breaker = _opened()
    assert breaker.state(102.0) is State.HALF_OPEN
    assert breaker.take(102.0)
    assert not breaker.take(102.0)
    assert breaker.next_at(102.0) == 132.0


def test_a_probe_that_is_answered_closes_it() -> None:
    breaker = _opened()
    assert breaker.take(102.0)
    breaker.succeed(103.0)
    assert breaker.state(103.0) is State.CLOSED
    assert breaker.take(103.0)
    assert breaker.take(103.0)


def test_a_probe_that_fails_opens_it_for_twice_as_long_up_to_a_minute() -> None:
    breaker, now, waits = _opened(), 102.0, []
    for _ in range(8):
        assert breaker.take(now)
        breaker.fail(now)
        waits.append(breaker.next_at(now) - now)
        now = breaker.next_at(now)
    assert waits == [4, 8, 16, 32, 60, 60, 60, 60]


def test_a_silent_probe_is_replaced() -> None:
    breaker = _opened()
    assert breaker.take(102.0)
    assert not breaker.take(131.9)
    assert breaker.take(132.0)


def test_calls_from_before_it_opened_change_nothing() -> None:
    breaker = _opened()
    breaker.fail(101.0)
    breaker.succeed(101.0)
    assert breaker.next_at(101.0) == 102.0
    breaker.fail(102.5)  # cooled down, yet nobody probed
    assert breaker.state(102.5) is State.HALF_OPEN


def test_it_forgets_how_long_it_was_open_once_closed() -> None:
    breaker = _opened()
    assert breaker.take(102.0)
    breaker.fail(102.0)
    assert breaker.take(106.0)
    breaker.succeed(106.0)
    for _ in range(5):
        breaker.fail(200.0)
    assert breaker.next_at(200.0) == 202.0


@given(st.lists(st.tuples(st.sampled_from(["take", "fail", "succeed"]), st.floats(0, 90))))
def test_it_never_stays_open_for_ever(steps: list[tuple[str, float]]) -> None:
    policy = BreakerPolicy()
    breaker, now = Breaker(policy), 100.0
    for step, passed in steps:
        now += passed
        if step == "take":
            expected = breaker.next_at(now) <= now
            assert breaker.take(now) is expected
        elif step == "fail":
            breaker.fail(now)
        else:
            breaker.succeed(now)
        assert breaker.next_at(now) - now <= max(policy.cap, policy.probe_patience)
    assert breaker.take(now + policy.cap + policy.probe_patience)


@pytest.mark.parametrize("state", list(State))
def test_states_have_names_for_metrics(state: State) -> None:
    assert state.value in {"closed", "open", "half_open"}
