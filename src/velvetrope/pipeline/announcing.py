"""Telling workers of other processes, by the transaction that makes the work, where it lies."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

#: The delivery lane of a bot is named by this and the integration's id.
BOT: Final = "bot:"
#: Stands for every lane: somebody should look where work waits.
EVERYWHERE: Final = "*"


class _Gathered(threading.local):
    lanes: set[str] | None = None


_gathered: Final = _Gathered()


def announce(lanes: Iterable[str]) -> None:
    """Have a worker look at lanes after the commit of this thread's transaction.

    PostgreSQL only. `bot:<integration>` names the delivery lane of a bot.
    """
    if _gathered.lanes is not None:
        _gathered.lanes.update(lanes)
        return
    from velvetrope.pipeline.dispatch.deferring import defer  # noqa: PLC0415  not on SQLite

    defer(lanes)


def gather() -> set[str]:
    """Begin a transaction in which this thread tells of lanes at its end; gives where they gather.

    For the thread of a writer, whose transactions serve many.
    """
    _gathered.lanes = set()
    return _gathered.lanes
