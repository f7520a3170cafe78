"""The language of a page, and amounts, dates and periods in it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_currency, get_currency_symbol
from babel.units import format_unit

from velvetrope.sandbox.stripe.billing.money import decimals

from .wording import LANGUAGES, TEXTS

if TYPE_CHECKING:
    from velvetrope.sandbox.stripe.shapes import Obj

_DEFAULT = "en"


class Language:
    """One of the languages that the pages speak."""

    def __init__(self, code: str) -> None:
        self.code = code
        self._locale = Locale(code)

    def text(self, key: str, **values: object) -> str:
        """Give the text of that key with its placeholders filled."""
        return TEXTS[key][LANGUAGES.index(self.code)].format_map(values)

    def status(self, kind: str, status: str) -> str:
        """Name a status; one that was made up for a test stands as it is."""
        key = f"{kind}_{status}"
        return self.text(key) if key in TEXTS else status

    def money(self, amount: int, currency: str) -> str:
        """Write an amount that is counted in the smallest unit."""
        places = decimals(currency)
        pattern = self._locale.currency_formats["standard"]
        code = currency.upper()
        written = format_currency(
            amount / 10**places,
            code,
            locale=self._locale,
            format=pattern.pattern.replace("0.00", "0." + "0" * places if places else "0"),
            currency_digits=False,
        )
        # CLDR has no sign for some currencies in some languages (the euro in Ukrainian).
        return written.replace(code, get_currency_symbol(code, _DEFAULT))

    def date(self, seconds: int) -> str:
        return format_date(datetime.fromtimestamp(seconds, tz=UTC), "long", locale=self._locale)

    def every(self, recurring: Obj) -> str:
        """Say how often a price is paid: `per month`, `every 3 months`."""
        interval, count = recurring["interval"], recurring["interval_count"]
        if count == 1:
            return self.text(f"per_{interval}")
        return self.text("every", span=self.span(count, interval))

    def span(self, count: int, interval: str) -> str:
        return format_unit(count, f"duration-{interval}", locale=self._locale)

    def price(self, price: Obj, quantity: int = 1) -> str:
        """Write a price with its period."""
        amount = self.money((price["unit_amount"] or 0) * quantity, price["currency"])
        return f"{amount} {self.every(price['recurring'])}" if price["recurring"] else amount


def choose(wanted: str | None, accept: str) -> Language:
    """Take the session's locale if the pages speak it, else the browser's, else English."""
    offers = [wanted or ""]
    for part in accept.split(","):
        tag, _, quality = part.strip().partition(";q=")
        if quality.strip() not in {"0", "0.0"}:
            offers.append(tag)
    for offer in offers:
        code = offer.strip().lower()[:2]
        if code in LANGUAGES:
            return Language(code)
    return Language(_DEFAULT)
