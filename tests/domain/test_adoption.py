from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from velvetrope.domain.adoption import (
    Whereabouts,
    is_taken_over,
    plans_for,
    summed_up,
)
from velvetrope.domain.states import Presence


@dataclass(frozen=True)
class Plan:
    chat_ids: tuple[int, ...]


chats = st.sets(st.integers(1, 6))
plans = st.lists(chats.map(lambda ids: Plan(tuple(sorted(ids)))), max_size=8)


@given(chats, plans)
def test_a_claim_opens_nothing_that_the_person_is_not_in(
    inside: set[int], sold: list[Plan]
) -> None:
    opened = {chat_id for plan in plans_for(inside, sold) for chat_id in plan.chat_ids}
    assert opened <= inside
    possible = {
        chat_id for plan in sold if set(plan.chat_ids) <= inside for chat_id in plan.chat_ids
    }
    assert opened == possible


def test_one_plan_for_both_is_better_than_one_for_each() -> None:
    lounge, vault, both = Plan((1,)), Plan((2,)), Plan((1, 2))
    assert plans_for({1, 2}, [lounge, vault, both]) == [both]
    assert plans_for({1}, [both, lounge]) == [lounge]
    assert plans_for({1}, [both]) == []


@given(st.sets(st.sampled_from(Presence)), st.booleans())
def test_keepers_are_never_touched(seen: set[Presence], promised: bool) -> None:
    where = summed_up([*seen, Presence.KEEPER])
    assert where is Whereabouts.KEEPER
    assert not is_taken_over(where, promised=promised)


@pytest.mark.parametrize(
    ("seen", "where"),
    [
        ([], Whereabouts.UNKNOWN),
        ([Presence.UNKNOWN], Whereabouts.UNKNOWN),
        ([Presence.UNKNOWN, Presence.OUTSIDE], Whereabouts.OUTSIDE),
        ([Presence.BANNED], Whereabouts.OUTSIDE),
        ([Presence.UNKNOWN, Presence.INSIDE, Presence.OUTSIDE], Whereabouts.INSIDE),
    ],
)
def test_several_looks_make_one_word(seen: list[Presence], where: Whereabouts) -> None:
    assert summed_up(seen) is where


def test_a_deadline_is_for_those_inside_and_a_promise_for_everybody() -> None:
    assert is_taken_over(Whereabouts.INSIDE, promised=False)
    for where in (Whereabouts.OUTSIDE, Whereabouts.UNKNOWN):
        assert not is_taken_over(where, promised=False)
        assert is_taken_over(where, promised=True)
