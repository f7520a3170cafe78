"""The tag on Stripe's objects: written and read back, and garbage is nobody's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from velvetrope.gateways.stripe import metadata
from velvetrope.gateways.stripe.metadata import OwnerTag, build, parse

ids = st.integers(1, 2**63 - 1)
tags = st.builds(
    OwnerTag,
    installation=st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True),
    integration=ids,
    telegram_user_id=ids,
    telegram_chat_id=st.none() | ids | ids.map(lambda number: -number),
    plan=st.none() | st.from_regex(r"price_[A-Za-z0-9]{1,40}", fullmatch=True),
    language=st.none() | st.sampled_from(["en", "uk", "ru"]),
)


@given(tags)
def test_a_tag_is_read_back_as_it_was_written(tag: OwnerTag) -> None:
    written = build(tag)
    assert parse(written) == tag
    assert all(len(key) <= 40 and len(value) <= 500 for key, value in written.items())


@given(tags, st.dictionaries(st.text(), st.text()))
def test_metadata_of_other_products_beside_it_does_no_harm(
    tag: OwnerTag, others: dict[str, str]
) -> None:
    assert parse({**others, **build(tag)}) == tag


KEYS = [
    metadata.INSTALLATION,
    metadata.INTEGRATION,
    metadata.TELEGRAM_USER,
    metadata.TELEGRAM_CHAT,
    metadata.PLAN,
    metadata.LANGUAGE,
]


@given(st.dictionaries(st.sampled_from(KEYS), st.text()))
def test_garbage_is_a_tag_or_nothing(garbage: dict[str, str]) -> None:
    tag = parse(garbage)
    assert tag is None or 0 < tag.telegram_user_id < 2**63


@pytest.mark.parametrize("missing", KEYS[:3])
def test_a_tag_without_its_owner_is_nobodys(missing: str) -> None:
    written = build(OwnerTag("home", 1, 2))
    del written[missing]
    assert parse(written) is None


@pytest.mark.parametrize("number", ["", "0", "-5", "1.0", "+5", "٥", "1" * 20, " 5", "5\n"])
def test_a_person_is_a_positive_number(number: str) -> None:
    assert parse({**build(OwnerTag("home", 1, 2)), metadata.TELEGRAM_USER: number}) is None


def test_no_metadata_is_nobodys() -> None:
    assert parse(None) is None
    assert parse({}) is None


@pytest.mark.parametrize("language", ["", "EN", "eng", "e", "u1"])
def test_what_is_no_language_is_left_out(language: str) -> None:
    written = {**build(OwnerTag("home", 1, 2, language="uk")), metadata.LANGUAGE: language}
    assert parse(written) == OwnerTag("home", 1, 2)
