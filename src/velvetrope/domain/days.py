"""Days as operators write them, meant in the time zone of their bot."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Final

from velvetrope.domain.validation import Invalid, shown

if TYPE_CHECKING:
    from datetime import date, tzinfo

#: A hundred years: longer is «for ever».
MOST_DAYS: Final = 36_500
_REMEDY: Final = "Write the day as 2027-01-31, or 2027-01-31 18:00 with a time."
_DAYS = re.compile(r"([0-9]{1,12}) ?d(?:ays)?")
_DOTTED = re.compile(r"([0-9]{1,2})\.([0-9]{1,2})\.([0-9]{4})")
_ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9:.+Zz-]{4,24})?")


def read_day(text: str, zone: tzinfo, *, field: str = "until") -> datetime:
    """Read `2027-01-31`, `31.01.2027` or a day with a time; a bare day lasts until its end.

    Gives the moment in UTC; raises Invalid.
    """
    dotted = _DOTTED.fullmatch(text)
    if dotted:
        text = f"{dotted[3]}-{dotted[2]:0>2}-{dotted[1]:0>2}"
    if not _ISO.fullmatch(text):
        raise Invalid("day_malformed", field, shown(text), _REMEDY)
    try:
        moment = datetime.fromisoformat(text)
        if len(text) == len("2027-01-31"):
            return end_of_day(moment.date(), zone)
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Invalid("day_malformed", field, shown(text), _REMEDY) from None


def read_deadline(text: str, zone: tzinfo, now: datetime, *, field: str = "until") -> datetime:
    """Read a day to come, or a number of days from now such as `30d`; raises Invalid."""
    text = text.strip()
    days = _DAYS.fullmatch(text)
    if days:
        if not 1 <= int(days[1]) <= MOST_DAYS:
            raise Invalid("day_range", field, shown(text), f"Use 1 to {MOST_DAYS} days.")
        return end_of_day((now + timedelta(days=int(days[1]))).astimezone(zone).date(), zone)
    moment = read_day(text, zone, field=field)
    if moment <= now:
        raise Invalid("day_over", field, shown(text), "This is over. Choose a day to come.")
    if moment > now + timedelta(days=MOST_DAYS):
        raise Invalid("day_range", field, shown(text), "Nobody waits that long. Check the year.")
    return moment


def end_of_day(day: date, zone: tzinfo) -> datetime:
    """Give the last second of a day in a zone, in UTC."""
    return datetime.combine(day, time(23, 59, 59), zone).astimezone(UTC)
