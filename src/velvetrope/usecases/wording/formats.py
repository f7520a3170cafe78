"""Money, dates, periods and lists the way a language writes them."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from babel.dates import format_date, format_time, format_timedelta
from babel.lists import format_list
from babel.numbers import format_currency

from velvetrope.domain.civil import zone_of
from velvetrope.domain.money import Money
from velvetrope.domain.states import Interval
from velvetrope.usecases.wording.outgoing import Html

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from velvetrope.store.catalogue import PlanView
    from velvetrope.usecases.wording.texts import Texts

#: The same order in all three languages; months are written out, so no reader mistakes it.
_DATE: Final = "d MMMM y"
_TIME: Final = "HH:mm"
#: Near enough for «in 3 days» to say more than the date.
_SOON: Final = timedelta(days=10)
_NO_BREAK_SPACE: Final = "\N{NO-BREAK SPACE}"
_LETTERS_THEN_DIGIT = re.compile(r"(?<=[A-Z])(?=\d)")
#: CLDR writes «9,00 EUR» in Ukrainian, which price lists in Ukraine don't.
_SIGNS: Final = {"uk": {"EUR": "€", "USD": "$", "GBP": "£"}}


class Formats:
    """The formats of one language and time zone."""

    __slots__ = ("_locale", "_signs", "_texts", "_zone")

    def __init__(self, texts: Texts, time_zone: str) -> None:
        self._texts = texts
        self._locale = texts.locale
        self._signs = _SIGNS.get(texts.language, {})
        self._zone = zone_of(time_zone)

    def money(self, amount: int, currency: str) -> str:
        """Write an amount in minor units: «€9.00», «9,00 €»."""
        money = Money(amount, currency)
        text = format_currency(money.amount, money.currency, locale=self._locale)
        if money.currency in self._signs:
            text = text.replace(money.currency, self._signs[money.currency])
        return _LETTERS_THEN_DIGIT.sub(_NO_BREAK_SPACE, text)

    def amount(self, plan: PlanView) -> str:
        """Write a plan's price alone; empty if the price has no fixed amount."""
        if plan.unit_amount is None or not plan.currency:
            return ""
        return self.money(plan.unit_amount, plan.currency)

    def price(self, plan: PlanView) -> str:
        """Write a plan's price with what it is paid for: «€9.00 per month»."""
        amount = self.amount(plan) or self._texts.plain("money.open", {})
        if plan.interval is Interval.ONE_TIME:
            if plan.duration_days is None:
                return self._texts.plain("money.forever", {"amount": amount})
            return self._texts.plain_count("money.days", plan.duration_days, {"amount": amount})
        return self._texts.plain(
            "money.recurring",
            {"amount": amount, "period": self.period(plan.interval, plan.interval_count)},
        )

    def period(self, interval: Interval, count: int) -> str:
        """Write how often something is paid: «per month», «every 3 months»."""
        if count == 1:
            return self._texts.plain(f"money.per_{interval.value}", {})
        return self._texts.plain_count(f"money.every_{interval.value}", count, {})

    def date(self, moment: datetime, now: datetime) -> str:
        """Write a day, with the hour if it is today or tomorrow, and its distance if it is near."""
        local = moment.astimezone(self._zone)
        days = (local.date() - now.astimezone(self._zone).date()).days
        if days in (0, 1):
            time = format_time(local, _TIME, locale=self._locale)
            return self._texts.plain("date.today" if days == 0 else "date.tomorrow", {"time": time})
        day = self.day(moment)
        if timedelta(0) < timedelta(days=days) <= _SOON:
            distance = format_timedelta(
                timedelta(days=days),
                granularity="day",
                threshold=30,
                add_direction=True,
                locale=self._locale,
            )
            return self._texts.plain("date.soon", {"date": day, "distance": distance})
        return day

    def day(self, moment: datetime) -> str:
        """Write a day alone: «31 December 2027»."""
        return format_date(moment.astimezone(self._zone).date(), _DATE, locale=self._locale)

    def listing(self, items: Sequence[Html]) -> Html:
        """Join texts of HTML: «A, B and C»."""
        return Html(format_list(items, locale=self._locale))
