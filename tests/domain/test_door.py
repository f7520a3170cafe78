from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from velvetrope.domain.door import DoorAction, Place, plan_action
from velvetrope.domain.states import Presence

STRANGER = Place(
    desired=False,
    observed=Presence.UNKNOWN,
    requested=False,
    let_in=False,
    buying=False,
    asked=None,
    refused=False,
)

places = st.builds(
    Place,
    desired=st.booleans(),
    observed=st.sampled_from(Presence),
    requested=st.booleans(),
    let_in=st.booleans(),
    buying=st.booleans(),
    asked=st.none() | st.sampled_from(DoorAction),
    refused=st.booleans(),
    elsewhere=st.booleans(),
)


def test_a_request_of_somebody_who_holds_access_is_approved() -> None:
    place = replace(STRANGER, desired=True, requested=True)
    assert plan_action(place) is DoorAction.APPROVE


def test_a_stranger_is_told_why_before_the_request_is_declined() -> None:
    place = replace(STRANGER, requested=True)
    assert plan_action(place) is DoorAction.EXPLAIN
    assert plan_action(replace(place, asked=DoorAction.EXPLAIN)) is DoorAction.DECLINE


def test_a_request_of_somebody_who_is_paying_waits() -> None:
    assert plan_action(replace(STRANGER, requested=True, buying=True)) is None


def test_somebody_banned_earlier_is_unbanned_when_they_hold_access() -> None:
    place = replace(STRANGER, desired=True, observed=Presence.BANNED)
    assert plan_action(place) is DoorAction.UNBAN


def test_somebody_let_in_whose_rights_ended_is_removed() -> None:
    place = replace(STRANGER, observed=Presence.INSIDE, let_in=True)
    assert plan_action(place) is DoorAction.REMOVE


def test_whom_another_bot_lets_into_the_chat_is_neither_refused_nor_removed() -> None:
    place = replace(STRANGER, elsewhere=True)
    assert plan_action(replace(place, requested=True)) is None
    assert plan_action(replace(place, observed=Presence.INSIDE, let_in=True)) is None


def test_what_telegram_refused_is_not_asked_for_again() -> None:
    place = replace(STRANGER, observed=Presence.INSIDE, let_in=True, refused=True)
    assert plan_action(place) is None


@given(places)
def test_nobody_who_holds_access_is_ever_removed_or_declined(place: Place) -> None:
    if place.desired:
        assert plan_action(place) not in {DoorAction.REMOVE, DoorAction.DECLINE}


@given(places)
def test_nobody_is_let_in_who_does_not_hold_access(place: Place) -> None:
    if not place.desired:
        assert plan_action(place) not in {DoorAction.APPROVE, DoorAction.UNBAN}


@given(places)
def test_keepers_and_members_from_before_are_left_alone(place: Place) -> None:
    if place.observed is Presence.KEEPER or not place.let_in:
        assert plan_action(place) is not DoorAction.REMOVE


@given(places)
def test_what_has_been_asked_for_is_not_asked_for_again(place: Place) -> None:
    action = plan_action(place)
    if action is not None:
        repeated = plan_action(replace(place, asked=action))
        assert repeated is not action
