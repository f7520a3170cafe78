"""What operators type: what is taken, what is refused with which remedy, and no secret shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from velvetrope.domain import validation
from velvetrope.domain.validation import Invalid

if TYPE_CHECKING:
    from collections.abc import Callable

TOKEN = "123456789:AAE-x_SECRETsecretSECRETsecretSECRET"


def _refusal(check: Callable[..., object], value: object, **options: Any) -> Invalid:
    with pytest.raises(Invalid) as caught:
        check(value, **options)
    error = caught.value
    assert error.code
    assert error.remedy
    assert error.field in str(error)
    return error


def test_a_token_is_taken_with_blanks_around_it() -> None:
    assert validation.bot_token(f"  {TOKEN}\n") == TOKEN
    assert validation.bot_id_of(TOKEN) == 123456789


@pytest.mark.parametrize(
    "value",
    [
        "",
        None,
        5,
        "123456789",
        "123456789:short",
        TOKEN.replace(":", ";"),
        TOKEN + "!",
        TOKEN + " x",
        "12345:" + "a" * 35,
        "1234567890123:" + "a" * 35,
        "123456789:" + "a" * 65,
        "１２３４５６７８９:" + "a" * 35,
        TOKEN + "\n" + TOKEN,
    ],
)
def test_what_is_no_token_is_refused_and_never_shown(value: object) -> None:
    error = _refusal(validation.bot_token, value)
    assert error.value_shown == ""
    assert "SECRET" not in str(error) + repr(error)


@pytest.mark.parametrize(
    "value",
    [
        "price_1AbC,price_2",
        "price_1AbC price_2",
        "price_1AbC\nprice_2\n",
        " price_1AbC;\tprice_2 , ",
        ["price_1AbC", "price_2"],
        ("price_1AbC, price_2",),
        ["price_1AbC", "price_2", "price_1AbC"],
        (part for part in ("price_1AbC", "price_2")),
    ],
)
def test_prices_come_in_any_writing(value: object) -> None:
    assert validation.price_ids(value) == ("price_1AbC", "price_2")


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("", "price_missing"),
        (None, "price_missing"),
        ([], "price_missing"),
        (" , ;\n", "price_missing"),
        ("prod_1", "price_is_product"),
        ("price_1 plan_2", "price_malformed"),
        ("price_", "price_malformed"),
        ("price_ї", "price_malformed"),
        (5, "price_malformed"),
        ({"a": 1}, "price_malformed"),
        (b"price_1", "price_malformed"),
    ],
)
def test_what_is_no_price_is_refused(value: object, code: str) -> None:
    assert _refusal(validation.price_ids, value).code == code


@pytest.mark.parametrize("secret", ["sk_live_SECRET12345", "whsec_SECRET12345", TOKEN])
@pytest.mark.parametrize(
    "check", [validation.price_ids, validation.chat_id, validation.url, validation.language]
)
def test_a_secret_in_the_wrong_field_is_not_shown(
    check: Callable[..., object], secret: str
) -> None:
    assert "SECRET" not in str(_refusal(check, secret))


@pytest.mark.parametrize(
    "value", [-1001234567890, "-1001234567890", " -1001234567890 ", "−1001234567890"]
)
def test_a_channels_id_is_taken(value: object) -> None:
    assert validation.chat_id(value) == -1001234567890


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("@velvet_club", "chat_by_name"),
        ("velvet_club", "chat_by_name"),
        ("https://t.me/velvet_club", "chat_by_name"),
        ("t.me/+abc", "chat_by_name"),
        ("5000000001", "chat_is_person"),
        (5, "chat_is_person"),
        ("-123456789", "chat_is_basic_group"),
        (0, "chat_is_basic_group"),
        ("", "id_malformed"),
        (None, "id_malformed"),
        (True, "id_malformed"),
        (-1001234567890.0, "id_malformed"),
        ("-100 1234567890", "id_malformed"),
        ("−", "id_malformed"),
        ("-٢٣", "id_malformed"),
        (-(2**63) - 1, "id_malformed"),
        ("-" + "9" * 19, "id_malformed"),
        ("-" + "9" * 5000, "id_malformed"),
    ],
)
def test_what_is_no_channel_is_refused_with_its_remedy(value: object, code: str) -> None:
    assert _refusal(validation.chat_id, value).code == code


def test_several_chats_come_in_any_writing() -> None:
    expected = (-1001234567890, -1009876543210)
    assert validation.chat_ids("-1001234567890, -1009876543210 -1001234567890") == expected
    assert validation.chat_ids([-1001234567890, "-1009876543210"]) == expected
    assert validation.chat_ids(-1001234567890) == expected[:1]
    assert _refusal(validation.chat_ids, " ").code == "chat_missing"


def test_a_person_is_a_positive_number() -> None:
    assert validation.user_id("5000000001") == 5_000_000_001
    assert _refusal(validation.user_id, "-5").code == "user_malformed"
    assert _refusal(validation.user_id, 0).code == "user_malformed"


def test_languages_are_those_of_the_product() -> None:
    assert validation.language(" UK ") == "uk"
    assert _refusal(validation.language, "fr").code == "language_unknown"
    assert _refusal(validation.language, None).code == "language_unknown"


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("en-GB", "en"),
        ("uk", "uk"),
        ("RU_ru", "ru"),
        ("pt-br", None),
        ("", None),
        (None, None),
        ("english", None),
    ],
)
def test_telegrams_language_tags_are_matched(code: str | None, found: str | None) -> None:
    assert validation.find_language(code) == found


@pytest.mark.parametrize(
    "value",
    [
        "https://example.com",
        "https://example.com/terms?lang=uk#top",
        "http://127.0.0.1:8080/x",
        "http://[::1]:8080",
        "http://localhost",
        "https://приклад.укр/умови",
        "https://example.com.",
        "HTTPS://EXAMPLE.COM/",
    ],
)
def test_addresses_are_taken_unchanged(value: str) -> None:
    assert validation.url(f" {value} ") == value


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("", "url_malformed"),
        (None, "url_malformed"),
        ("example.com", "url_malformed"),
        ("ftp://example.com", "url_malformed"),
        ("javascript:alert(1)", "url_malformed"),
        ("https://", "url_malformed"),
        ("https:///path", "url_malformed"),
        ("https://exa mple.com", "url_malformed"),
        ("https://example.com\\@evil.example", "url_malformed"),
        ("https://example.com/\x00", "url_malformed"),
        ("https://example.com/\u202e", "url_malformed"),
        ("https://example.com:0", "url_malformed"),
        ("https://example.com:99999", "url_malformed"),
        ("https://example.com:x", "url_malformed"),
        ("https://-bad-.example", "url_malformed"),
        ("https://a..b", "url_malformed"),
        ("https://ї..укр", "url_malformed"),
        ("https://[::1", "url_malformed"),
        ("https://[::zz]", "url_malformed"),
        ("https://" + "a" * 3000, "url_malformed"),
        ("https://user:SECRET@example.com", "url_with_credentials"),
    ],
)
def test_what_is_no_address_is_refused(value: object, code: str) -> None:
    error = _refusal(validation.url, value)
    assert error.code == code
    assert "SECRET" not in str(error)


def test_an_address_may_have_to_be_https() -> None:
    assert _refusal(validation.url, "http://example.com", https_only=True).code == "url_not_https"


def test_a_base_address_has_no_slash_at_its_end_and_no_query() -> None:
    assert validation.base_url("https://example.com/door/") == "https://example.com/door"
    for value in ("https://example.com?x=SECRET", "https://example.com/#", "https://example.com?"):
        error = _refusal(validation.base_url, value)
        assert error.code == "url_with_query"
        assert "SECRET" not in str(error)


@pytest.mark.parametrize("zone", ["Europe/Kyiv", "UTC", "America/Argentina/Buenos_Aires"])
def test_time_zones_are_known_by_name(zone: str) -> None:
    assert validation.time_zone(zone) == zone


@pytest.mark.parametrize(
    "zone", ["", None, "Europe", "Mars/Olympus", "../../etc/passwd", "/etc/localtime", "UTC\x00"]
)
def test_what_is_no_time_zone_is_refused(zone: object) -> None:
    assert _refusal(validation.time_zone, zone).code == "time_zone_unknown"


def test_deep_links_carry_up_to_64_plain_signs() -> None:
    assert validation.find_deep_link_payload("ad_spring-26") == "ad_spring-26"
    assert validation.find_deep_link_payload("a" * 64) == "a" * 64
    for value in ("", "a" * 65, "a b", "ї", "a\n"):
        assert validation.find_deep_link_payload(value) is None


@pytest.mark.parametrize(
    ("value", "clean"),
    [
        ("  Клуб   «Оксамит» ", "Клуб «Оксамит»"),
        ("Club 🎭 & <friends>", "Club 🎭 & <friends>"),
        ("Cafe\u0301", "Café"),
    ],
)
def test_names_are_cleaned(value: str, clean: str) -> None:
    assert validation.name(value) == clean


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("", "name_missing"),
        ("   ", "name_missing"),
        (None, "name_missing"),
        ("a\nb", "name_with_controls"),
        ("a\x00b", "name_with_controls"),
        ("abc\u202edef", "name_with_controls"),
        ("a\u200bb", "name_with_controls"),
        ("\ud800", "name_with_controls"),
        ("x" * 101, "name_too_long"),
    ],
)
def test_names_that_would_spoil_a_page_are_refused(value: object, code: str) -> None:
    assert _refusal(validation.name, value).code == code


def test_keys_and_signing_secrets_have_their_forms() -> None:
    assert validation.stripe_api_key("sk_test_0123456789") == "sk_test_0123456789"
    assert validation.stripe_api_key(" rk_live_0123456789") == "rk_live_0123456789"
    assert validation.webhook_secret("whsec_0123456789") == "whsec_0123456789"
    publishable = _refusal(validation.stripe_api_key, "pk_live_SECRET12345")
    assert (publishable.code, publishable.value_shown) == ("stripe_key_publishable", "")
    assert _refusal(validation.stripe_api_key, "SECRET").value_shown == ""
    assert _refusal(validation.webhook_secret, "SECRET").value_shown == ""


CHECKS: list[Callable[[object], object]] = [
    validation.bot_token,
    validation.stripe_api_key,
    validation.webhook_secret,
    validation.price_ids,
    validation.chat_id,
    validation.chat_ids,
    validation.user_id,
    validation.language,
    validation.url,
    validation.base_url,
    validation.time_zone,
    validation.name,
]
anything = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.binary()
    | st.lists(st.text() | st.integers() | st.none(), max_size=4)
)


def _judge(check: Callable[[object], object], value: object) -> tuple[object, Invalid | None]:
    try:
        return check(value), None
    except Invalid as error:
        return None, error


@given(st.sampled_from(CHECKS), anything)
@example(validation.url, "http://[")
@example(validation.url, "http://a\u2100b")
@example(validation.time_zone, "a" * 300)
def test_anything_is_a_clean_value_or_a_refusal_fit_to_be_shown(
    check: Callable[[object], object], value: object
) -> None:
    clean, error = _judge(check, value)
    if error is None:
        assert check(clean) == clean
    else:
        assert len(error.value_shown) <= 60
        assert error.value_shown.isprintable()


@given(st.from_regex(r"\d{6,12}:[A-Za-z0-9_-]{30,64}", fullmatch=True), st.text(max_size=3))
def test_no_part_of_a_damaged_token_is_shown(token: str, damage: str) -> None:
    damaged = token[:-3] + damage + " " + token
    secret = token.partition(":")[2]
    for check in CHECKS:
        _, error = _judge(check, damaged)
        assert error is None or secret not in str(error)
