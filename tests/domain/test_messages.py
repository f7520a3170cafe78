"""What an operator may set about messages, and what is made of what is stored."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from velvetrope.domain.messages import (
    NUMBERS,
    REMINDERS,
    RULES,
    MessageKind,
    MessageSettings,
    Timing,
    setting_names,
)
from velvetrope.domain.validation import Invalid

SETTINGS = MessageSettings()
SWITCHES = st.dictionaries(st.sampled_from([kind.value for kind in MessageKind]), st.booleans())
DAYS = st.dictionaries(
    st.sampled_from([f"{kind.value}_days" for kind in REMINDERS]),
    st.lists(st.integers(1, 60), min_size=1, max_size=5),
)


def test_every_kind_has_its_rule_and_only_announcements_wait_for_the_day() -> None:
    assert set(RULES) == set(MessageKind)
    by_day = {kind for kind, rule in RULES.items() if rule.timing is Timing.CIVIL}
    # And what a list brings about, which nobody asked for.
    assert by_day == {*REMINDERS, MessageKind.PLACE_KEPT}


@given(SWITCHES, DAYS)
def test_what_is_set_is_stored_as_differences_and_read_back(
    switches: dict[str, bool], days: dict[str, list[int]]
) -> None:
    changed = SETTINGS.changed({**switches, **days})
    again = MessageSettings.from_differences(changed.differences())
    for kind in MessageKind:
        assert again.is_on(kind) is switches.get(kind.value, RULES[kind].is_on)
        assert again.days_of(kind) == changed.days_of(kind)
    assert changed.changed({k.value: RULES[k].is_on for k in MessageKind}).differences() == {
        name: value for name, value in changed.differences().items() if name.endswith("_days")
    }


def test_days_are_written_as_people_write_them() -> None:
    changed = SETTINGS.changed({"access_ends_days": "1, 7 3"})
    assert changed.days_of(MessageKind.ACCESS_ENDS) == (7, 3, 1)
    assert changed.differences() == {"access_ends_days": [7, 3, 1]}


def test_a_kind_that_is_off_has_no_days() -> None:
    off = SETTINGS.changed({"trial_ends": False})
    assert off.days_of(MessageKind.TRIAL_ENDS) == ()
    assert off.changed({"trial_ends": True}).days_of(MessageKind.TRIAL_ENDS) == (3,)


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("trial_ends", "yes", "switch_malformed"),
        ("trial_ends_days", "", "days_missing"),
        ("trial_ends_days", 3, "days_missing"),
        ("trial_ends_days", "0", "number_out_of_bounds"),
        ("trial_ends_days", "61", "number_out_of_bounds"),
        ("trial_ends_days", "three", "number_out_of_bounds"),
        ("trial_ends_days", "1 2 3 4 5 6", "days_too_many"),
        ("trial_ends_days", [True], "number_out_of_bounds"),
        ("welcome_days", "3", "setting_unknown"),
        ("renews_on_from", "0", "number_out_of_bounds"),
        ("renews_on_from", "367", "number_out_of_bounds"),
        ("hour_from", "22", "number_out_of_bounds"),
        ("hour_to", "25", "number_out_of_bounds"),
        ("hour_from", "19", "civil_hours_too_few"),
        ("hour_to", "10", "civil_hours_too_few"),
        ("colour", "red", "setting_unknown"),
    ],
)
def test_what_is_out_of_bounds_is_refused_with_the_way_out(
    name: str, value: object, code: str
) -> None:
    with pytest.raises(Invalid) as refused:
        SETTINGS.changed({name: value})
    assert (refused.value.code, bool(refused.value.remedy)) == (code, True)


def test_what_no_longer_fits_gives_way_to_the_default() -> None:
    stored = {"trial_ends": "off", "hour_from": 20, "hour_to": 21, "gone": 1, "welcome": False}
    settings = MessageSettings.from_differences(stored)
    assert not settings.is_on(MessageKind.WELCOME)
    assert settings.is_on(MessageKind.TRIAL_ENDS)
    assert (settings.hour_from, settings.hour_to) == (9, 21)


def test_both_hours_may_be_moved_at_once() -> None:
    moved = SETTINGS.changed({"hour_from": "0", "hour_to": "3"})
    assert (moved.hour_from, moved.hour_to) == (0, 3)
    assert moved.changed({"hour_to": 24}).hour_to == 24


def test_the_settings_have_names() -> None:
    assert set(NUMBERS) < set(setting_names())
