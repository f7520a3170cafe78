"""Waiting: exponential, jittered, bounded."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from velvetrope.domain.backoff import DEFAULT, TRIES, Backoff, delay


def test_the_ceiling_grows_until_the_cap() -> None:
    ceilings = [DEFAULT.ceiling(attempt) for attempt in range(1, 9)]
    assert ceilings == [1, 4, 16, 64, 256, 900, 900, 900]


def test_eight_tries_are_enough() -> None:
    assert TRIES == 8
    assert not DEFAULT.is_spent(7)
    assert DEFAULT.is_spent(8)
    assert DEFAULT.is_spent(9)


def test_attempts_are_counted_from_one() -> None:
    with pytest.raises(ValueError, match="from 1"):
        delay(0, Random(1))


def test_a_vendors_patience_is_a_lower_bound() -> None:
    assert delay(1, Random(1), at_least=30.0) == 30.0
    assert delay(8, Random(1), at_least=0.001) > 0.001


def test_the_same_seed_waits_the_same() -> None:
    assert [delay(n, Random(7)) for n in range(1, 9)] == [delay(n, Random(7)) for n in range(1, 9)]


def test_a_crowd_that_failed_together_is_spread() -> None:
    rng = Random(3)
    waits = sorted(delay(5, rng) for _ in range(1000))
    assert waits[100] < 256 * 0.2
    assert waits[900] > 256 * 0.8


policies = st.builds(
    Backoff,
    base=st.floats(0.001, 100),
    factor=st.floats(1, 100),
    cap=st.floats(0.001, 10_000),
)


@given(policies, st.integers(1, 10**6), st.randoms(use_true_random=False))
def test_no_wait_is_negative_or_above_the_cap(policy: Backoff, attempt: int, rng: Random) -> None:
    assert 0 <= policy.delay(attempt, rng) <= policy.ceiling(attempt) <= policy.cap


@given(policies, st.integers(1, 50))
def test_ceilings_never_shrink(policy: Backoff, attempt: int) -> None:
    assert policy.ceiling(attempt) <= policy.ceiling(attempt + 1)
