"""The hours in which people may be written to who don't wait for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class CivilHours:
    """Whole hours of a zone's clock: from `first` until just before `end`."""

    zone: tzinfo
    first: int
    end: int

    def holds(self, moment: datetime) -> bool:
        return self.first <= moment.astimezone(self.zone).hour < self.end

    def days_before(self, moment: datetime, days: int) -> datetime:
        """Give the civil time that is nearest to so many days of the calendar earlier, in UTC."""
        local = moment.astimezone(self.zone)
        same = datetime.combine(local.date() - days * _DAY, local.time(), self.zone)
        if self.holds(same.astimezone(UTC)):
            return same.astimezone(UTC)
        return self._at(same, self.first if same.hour < self.first else self.end - 1)

    def next_from(self, moment: datetime) -> datetime:
        """Give the first civil time that is not before `moment`, in UTC."""
        if self.holds(moment):
            return moment.astimezone(UTC)
        local = moment.astimezone(self.zone)
        opening = self._at(local, self.first)
        # Where clocks leap over the first hour, the opening may lie before the moment.
        return opening if opening >= moment else self._at(local + _DAY, self.first)

    def start_of_day(self, moment: datetime) -> datetime:
        """Give when the day of the calendar began, in UTC."""
        return self._at(moment.astimezone(self.zone), 0)

    def _at(self, local: datetime, hour: int) -> datetime:
        """Give the time when the zone's clock shows the hour on that day."""
        return datetime.combine(local.date(), time(hour), self.zone).astimezone(UTC)


def zone_of(name: str) -> tzinfo:
    """Give a time zone by its name; UTC if the machine's time zone data lacks it."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return UTC
