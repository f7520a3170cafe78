"""How many may leave at once before somebody looks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from velvetrope.domain.brake import Departures, is_too_many, least_known, most_departures
from velvetrope.domain.policy import Policy


@pytest.mark.parametrize(
    ("known", "most"),
    [(0, 5), (5, 5), (100, 5), (119, 5), (120, 6), (1000, 50), (100_000, 5000)],
)
def test_five_members_or_five_per_cent_may_leave_whichever_is_more(known: int, most: int) -> None:
    assert most_departures(Policy(), known) == most


def test_both_numbers_are_the_operators_to_choose() -> None:
    policy = Policy(brake_members=1, brake_percent=50)
    assert most_departures(policy, 1) == 1
    assert most_departures(policy, 10) == 5


@given(
    members=st.integers(1, 50),
    percent=st.integers(1, 100),
    inside=st.integers(0, 3000),
)
def test_the_share_is_of_those_known_before_the_first_left(
    members: int, percent: int, inside: int
) -> None:
    policy = Policy(brake_members=members, brake_percent=percent)
    gone = 0
    while inside > gone and not is_too_many(policy, Departures(known=inside - gone, gone=gone)):
        gone += 1
    assert gone == min(inside, most_departures(policy, inside))


@given(members=st.integers(1, 50), percent=st.integers(1, 100), gone=st.integers(0, 3000))
def test_so_many_have_to_be_known_that_so_many_may_leave(
    members: int, percent: int, gone: int
) -> None:
    policy = Policy(brake_members=members, brake_percent=percent)
    least = least_known(policy, gone)
    assert most_departures(policy, least) >= gone
    assert least == 0 or most_departures(policy, least - 1) < gone
