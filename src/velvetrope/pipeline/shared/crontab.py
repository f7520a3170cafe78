"""Lengths of time as crontabs, by which workers agree on when something runs."""

from __future__ import annotations

from typing import Final

_MINUTE: Final = 60
_HOUR: Final = 3600
_DAY: Final = 86_400


def crontab(seconds: float) -> str:
    """Give the crontab, with seconds in the sixth place, of what runs so often.

    ValueError for a length that doesn't go evenly into the next larger unit.
    """
    every = int(seconds)
    if every != seconds or every < 1:
        raise ValueError(seconds)
    if every <= _MINUTE and _MINUTE % every == 0:
        return f"* * * * * */{every}" if every < _MINUTE else "* * * * * 0"
    if every <= _HOUR and _HOUR % every == 0 and every % _MINUTE == 0:
        return f"*/{every // _MINUTE} * * * * 0" if every < _HOUR else "0 * * * * 0"
    if every <= _DAY and _DAY % every == 0 and every % _HOUR == 0:
        return f"0 */{every // _HOUR} * * * 0" if every < _DAY else "0 0 * * * 0"
    raise ValueError(seconds)
