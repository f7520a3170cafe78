"""Amounts as Stripe and Telegram count them: whole numbers of a currency's smallest unit.

Source: Stripe, «Supported currencies» (zero-decimal, three-decimal and special-case currencies).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

#: Currencies without a smaller unit; XTR is Telegram's Stars.
_ZERO_DECIMAL: Final = frozenset(
    [
        "BIF",
        "CLP",
        "DJF",
        "GNF",
        "JPY",
        "KMF",
        "KRW",
        "MGA",
        "PYG",
        "RWF",
        "VND",
        "VUV",
        "XAF",
        "XOF",
        "XPF",
        "XTR",
    ]
)
#: Currencies with thousandths; Stripe takes only whole hundredths of them.
_THREE_DECIMAL: Final = frozenset(["BHD", "JOD", "KWD", "OMR", "TND"])
#: Currencies that lost their smaller unit, which Stripe still counts with two decimals, both zero.
_WHOLE_IN_HUNDREDTHS: Final = frozenset(["ISK", "UGX"])

#: No amount has more zeros than this; a hostile exponent would fill the memory.
_LARGEST_SHIFT: Final = 30

_CODE = re.compile(r"[A-Z]{3}")


class InexactAmountError(ValueError):
    """The amount cannot be written in the currency's units."""


@dataclass(frozen=True, slots=True)
class Money:
    """An amount; `minor` counts the units in which the vendors write `currency` (upper case)."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "currency", currency_code(self.currency))

    @property
    def amount(self) -> Decimal:
        """The amount in whole units of the currency, such as euros."""
        return Decimal(self.minor).scaleb(-exponent(self.currency))

    @classmethod
    def of(cls, amount: Decimal | int, currency: str) -> Money:
        """Build an amount from whole units; `InexactAmountError` if Stripe cannot write it."""
        code = currency_code(currency)
        if not Decimal(amount).is_finite():
            raise InexactAmountError(f"{amount} is no amount")
        sign, digits, shift = Decimal(amount).as_tuple()
        value = int("".join(map(str, digits))) * (-1 if sign else 1)
        shift = int(shift) + exponent(code)
        if value == 0:
            return cls(0, code)
        if shift > _LARGEST_SHIFT or -shift > len(digits):
            raise InexactAmountError(f"{amount} {code} is too much or too little")
        minor, rest = (value * 10**shift, 0) if shift >= 0 else divmod(value, 10**-shift)
        if rest or minor % step(code):
            raise InexactAmountError(f"{amount} {code} has too many decimals")
        return cls(minor, code)


def currency_code(currency: str) -> str:
    """Bring a currency's code to upper case; ValueError unless it is three letters."""
    code = currency.upper()
    if not _CODE.fullmatch(code):
        raise ValueError("a currency is three letters, such as EUR")
    return code


def exponent(currency: str) -> int:
    """Tell how many decimals the vendors count a currency with."""
    code = currency_code(currency)
    if code in _ZERO_DECIMAL:
        return 0
    return 3 if code in _THREE_DECIMAL else 2


def step(currency: str) -> int:
    """Tell of what the smallest units must be a multiple for Stripe to take them."""
    code = currency_code(currency)
    if code in _WHOLE_IN_HUNDREDTHS:
        return 100
    return 10 if code in _THREE_DECIMAL else 1
