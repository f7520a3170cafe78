from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.usecases.wording.gallery import plan_view
from velvetrope.domain.states import Interval
from velvetrope.usecases.wording.formats import Formats
from velvetrope.usecases.wording.outgoing import Html
from velvetrope.usecases.wording.texts import Texts

NOW = datetime(2027, 3, 9, 20, 30, tzinfo=UTC)
SPACE = "\N{NO-BREAK SPACE}"


def formats(language: str, zone: str = "Europe/Kyiv") -> Formats:
    return Formats(Texts(language, {}), zone)


@pytest.mark.parametrize(
    ("currency", "amount", "en", "uk", "ru"),
    [
        ("eur", 900, "€9.00", "9,00_€", "9,00_€"),
        ("usd", 123456, "$1,234.56", "1_234,56_$", "1_234,56_$"),
        ("gbp", 50, "£0.50", "0,50_£", "0,50_£"),
        ("uah", 19900, "UAH_199.00", "199,00_₴", "199,00_₴"),
        ("jpy", 900, "¥900", "900_¥", "900_¥"),
        ("kwd", 9500, "KWD_9.500", "9,500_KWD", "9,500_KWD"),
        ("pln", 4900, "PLN_49.00", "49,00_PLN", "49,00_PLN"),
        ("isk", 90000, "ISK_900", "900_ISK", "900_ISK"),
        ("eur", 0, "€0.00", "0,00_€", "0,00_€"),
    ],
)
def test_money_is_written_as_the_language_does(
    currency: str, amount: int, en: str, uk: str, ru: str
) -> None:
    said = [formats(language).money(amount, currency) for language in ("en", "uk", "ru")]
    assert said == [text.replace("_", SPACE) for text in (en, uk, ru)]


@pytest.mark.parametrize(
    ("interval", "count", "en", "uk", "ru"),
    [
        (Interval.DAY, 1, "per day", "на день", "в день"),
        (Interval.WEEK, 1, "per week", "на тиждень", "в неделю"),
        (Interval.MONTH, 1, "per month", "на місяць", "в месяц"),
        (Interval.YEAR, 1, "per year", "на рік", "в год"),
        (Interval.DAY, 10, "every 10 days", "кожні 10 днів", "каждые 10 дней"),
        (Interval.WEEK, 2, "every 2 weeks", "кожні 2 тижні", "каждые 2 недели"),
        (Interval.MONTH, 3, "every 3 months", "кожні 3 місяці", "каждые 3 месяца"),
        (Interval.MONTH, 6, "every 6 months", "кожні 6 місяців", "каждые 6 месяцев"),
        (Interval.MONTH, 21, "every 21 months", "кожен 21 місяць", "каждый 21 месяц"),
        (Interval.YEAR, 2, "every 2 years", "кожні 2 роки", "каждые 2 года"),
        (Interval.YEAR, 5, "every 5 years", "кожні 5 років", "каждые 5 лет"),
    ],
)
def test_periods_are_counted(interval: Interval, count: int, en: str, uk: str, ru: str) -> None:
    assert [formats(one).period(interval, count) for one in ("en", "uk", "ru")] == [en, uk, ru]


def test_a_price_says_what_it_is_paid_for() -> None:
    once = plan_view(1, "Once", 900, interval=Interval.ONE_TIME)
    assert formats("en").price(plan_view(1, "Plan", 900)) == "€9.00 per month"
    assert formats("en").price(once) == "€9.00 once, and for good"
    season = plan_view(1, "Season", 900, interval=Interval.ONE_TIME, duration_days=90)
    assert formats("ru").price(season) == f"9,00{SPACE}€ за 90 дней"
    assert formats("en").price(plan_view(1, "Open", None)) == "price at checkout per month"
    assert formats("en").amount(plan_view(1, "Open", None)) == ""


@pytest.mark.parametrize(
    ("moment", "en", "uk", "ru"),
    [
        (
            datetime(2027, 6, 30, 9, tzinfo=UTC),
            "30 June 2027",
            "30 червня 2027",
            "30 июня 2027",
        ),
        (
            datetime(2027, 3, 12, 9, tzinfo=UTC),
            "12 March 2027 (in 3 days)",
            "12 березня 2027 (через 3 дні)",
            "12 марта 2027 (через 3 дня)",
        ),
        (
            datetime(2027, 3, 9, 21, 15, tzinfo=UTC),
            "today at 23:15",
            "сьогодні о 23:15",
            "сегодня в 23:15",
        ),
        (
            datetime(2027, 3, 9, 22, 15, tzinfo=UTC),
            "tomorrow at 00:15",
            "завтра о 00:15",
            "завтра в 00:15",
        ),
        (datetime(2027, 3, 1, 9, tzinfo=UTC), "1 March 2027", "1 березня 2027", "1 марта 2027"),
        (
            datetime(2026, 12, 31, 23, tzinfo=UTC),
            "1 January 2027",
            "1 січня 2027",
            "1 января 2027",
        ),
    ],
)
def test_days_are_those_of_the_integrations_time_zone(
    moment: datetime, en: str, uk: str, ru: str
) -> None:
    assert [formats(one).date(moment, NOW) for one in ("en", "uk", "ru")] == [en, uk, ru]


def test_an_unknown_time_zone_is_read_as_utc() -> None:
    assert formats("en", "Mars/Base").date(datetime(2027, 3, 9, 22, tzinfo=UTC), NOW) == (
        "today at 22:00"
    )


def test_lists_end_with_the_languages_word_for_and() -> None:
    names = [Html("<b>A</b>"), Html("B"), Html("C")]
    said = [formats(language).listing(names) for language in ("en", "uk", "ru")]
    assert said == ["<b>A</b>, B, and C", "<b>A</b>, B і C", "<b>A</b>, B и C"]
