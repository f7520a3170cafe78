"""Amounts in the units of the vendors, for every kind of currency."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from velvetrope.domain.money import (
    InexactAmountError,
    Money,
    currency_code,
    exponent,
    step,
)

CURRENCIES = ["EUR", "USD", "UAH", "JPY", "KRW", "XTR", "KWD", "TND", "ISK", "UGX", "HUF", "ZZZ"]


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [
        ("10.50", "eur", 1050),
        ("10.5000", "EUR", 1050),
        ("0", "EUR", 0),
        ("-3.07", "USD", -307),
        ("500", "JPY", 500),
        ("500.0", "jpy", 500),
        ("250", "XTR", 250),
        ("5.12", "KWD", 5120),
        ("5", "ISK", 500),
        ("20000", "UGX", 2000000),
        ("1E3", "EUR", 100000),
        ("0E-1000000", "EUR", 0),
    ],
)
def test_amounts_are_written_in_the_smallest_unit(amount: str, currency: str, minor: int) -> None:
    money = Money.of(Decimal(amount), currency)
    assert (money.minor, money.currency) == (minor, currency.upper())
    assert money.amount == Decimal(amount)


@pytest.mark.parametrize(
    ("amount", "currency"),
    [
        ("1.005", "EUR"),
        ("0.5", "JPY"),
        ("0.5", "XTR"),
        ("5.123", "KWD"),
        ("5.50", "ISK"),
        ("0.01", "UGX"),
        ("NaN", "EUR"),
        ("Infinity", "EUR"),
        ("1E1000000", "EUR"),
        ("1E-1000000", "EUR"),
    ],
)
def test_what_stripe_cannot_write_is_refused(amount: str, currency: str) -> None:
    with pytest.raises(InexactAmountError):
        Money.of(Decimal(amount), currency)


@pytest.mark.parametrize(
    ("currency", "counted", "multiple"),
    [
        ("EUR", 2, 1),
        ("JPY", 0, 1),
        ("KWD", 3, 10),
        ("ISK", 2, 100),
        ("UGX", 2, 100),
        ("HUF", 2, 1),
        ("XTR", 0, 1),
    ],
)
def test_decimals_are_counted_by_the_currencys_rules(
    currency: str, counted: int, multiple: int
) -> None:
    assert (exponent(currency), step(currency)) == (counted, multiple)


@pytest.mark.parametrize("code", ["", "eu", "euro", "€UR", "E R", "ЄВР"])
def test_a_currency_is_three_letters(code: str) -> None:
    with pytest.raises(ValueError, match="three letters"):
        currency_code(code)
    with pytest.raises(ValueError, match="three letters"):
        Money(1, code)


@given(st.integers(-(10**12), 10**12), st.sampled_from(CURRENCIES))
def test_smallest_units_survive_the_way_there_and_back(minor: int, currency: str) -> None:
    writable = minor - minor % step(currency)
    assert Money.of(Money(writable, currency).amount, currency).minor == writable


@given(st.decimals(places=6, min_value=-(10**9), max_value=10**9), st.sampled_from(CURRENCIES))
def test_an_amount_is_exact_or_refused(amount: Decimal, currency: str) -> None:
    try:
        money = Money.of(amount, currency)
    except InexactAmountError:
        return
    assert money.amount == amount
