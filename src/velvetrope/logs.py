"""Structured logs on standard error, in which no secret can stand."""

from __future__ import annotations

import logging
import sys
import threading
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, Final, cast

import structlog

from velvetrope.domain.secrecy import Scrubber

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TextIO

    from structlog.typing import EventDict, Processor, WrappedLogger

    from velvetrope.settings import Settings

#: Loggers of libraries whose everyday news say nothing about the product.
_QUIET: Final = ("uvicorn", "uvicorn.error", "asyncio", "aiohttp", "stripe", "django.utils")
#: Loggers of what strangers do wrong, which could fill a disk: «not found» for every address that
#: somebody tries, broken HTTP, a trace for every host name that isn't ours.
_LOUD: Final = {
    "django.request": logging.ERROR,
    "velvetrope.connections": logging.ERROR,
    "django.security.DisallowedHost": logging.CRITICAL,
    "django.security.csrf": logging.ERROR,
}

#: Lines of one kind that are written within so many seconds; more are counted only.
MOST_LINES: Final = 10
WHILE: Final = 60.0
_MOST_KINDS: Final = 1_000
#: Lines that tell of the end of trouble, and those that tell of it.
_ENDS: Final = {
    "database_available": ("database_unavailable", "database_silent"),
}


def configure(
    settings: Settings, *, level: int = logging.INFO, stream: TextIO | None = None
) -> None:
    """Send everything that is logged, by us or by a library, through one scrubbing renderer.

    Call it once per process, before anything logs.
    """
    target = _Unfailing(stream if stream is not None else sys.stderr)
    scrubber = Scrubber(settings.secrets)
    dampener = Dampener()
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    render = _renderers(settings, colours=target.isatty())
    structlog.configure(
        processors=[dampener, *shared, *render, _ScrubText(scrubber)],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=cast("TextIO", target)),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(target)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *render,
                _ScrubText(scrubber),
            ],
        )
    )
    handler.addFilter(dampener.lets_pass)
    logging.basicConfig(handlers=[handler], level=level, force=True)
    logging.captureWarnings(capture=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    for name, least in _LOUD.items():
        logging.getLogger(name).setLevel(least)


class Dampener:
    """Lets so many lines of a kind pass in a while: an outage shall neither fill a disk nor hide.

    What was held back is counted, and told by the next line of that kind that passes. A kind is
    the event's name with its code, for libraries the logger. When the database is back, its next
    outage is told from the first line on.
    """

    def __init__(self, *, now: Callable[[], float] = monotonic) -> None:
        self._now = now
        #: Of each kind: when its while ends, how many lines came in it.
        self._kinds: dict[tuple[object, ...], tuple[float, int]] = {}
        self._lock = threading.Lock()

    def __call__(self, _logger: WrappedLogger, level: str, event: EventDict) -> EventDict:
        name = event.get("event")
        passes, held_back = self._take((level, name, event.get("code")))
        if not passes:
            raise structlog.DropEvent
        for over in _ENDS.get(str(name), ()):
            self._end(over)
        return {**event, "held_back": held_back} if held_back else event

    def lets_pass(self, record: logging.LogRecord) -> bool:
        """Judge a line of a library, which can't tell what was held back."""
        return self._take((record.name, record.levelno))[0]

    def _end(self, name: str) -> None:
        """Let lines pass again that trouble had too many of; the next one tells how many."""
        with self._lock:
            for kind, (_, count) in self._kinds.items():
                if name in kind:
                    self._kinds[kind] = self._now(), count

    def _take(self, kind: tuple[object, ...]) -> tuple[bool, int]:
        with self._lock:
            now = self._now()
            ends, count = self._kinds.get(kind, (now, 0))
            held_back = 0
            if now >= ends:
                held_back, ends, count = max(count - MOST_LINES, 0), now + WHILE, 0
                if len(self._kinds) > _MOST_KINDS:
                    self._kinds.clear()
            self._kinds[kind] = ends, count + 1
            return count < MOST_LINES, held_back


class _Unfailing:
    """A stream that loses what it can't write: whoever logs has more important things to do.

    A full disk must not end the thread that is about to say that the disk is full.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with suppress(OSError, ValueError):
            return self._stream.write(text)
        return 0

    def flush(self) -> None:
        with suppress(OSError, ValueError):  # ValueError: it is closed
            self._stream.flush()

    def isatty(self) -> bool:
        return self._stream.isatty()


def _renderers(settings: Settings, *, colours: bool) -> list[Processor]:
    """Render plain traces: those with local variables, the console's default, hold secrets."""
    if settings.log_format == "console":
        return [
            structlog.dev.ConsoleRenderer(
                colors=colours, exception_formatter=structlog.dev.plain_traceback
            )
        ]
    return [
        structlog.processors.format_exc_info,
        structlog.processors.EventRenamer("message"),
        structlog.processors.JSONRenderer(default=str, ensure_ascii=False),
    ]


class _ScrubText:
    """The last step: whatever was put together is scrubbed as one text."""

    def __init__(self, scrubber: Scrubber) -> None:
        self._scrubber = scrubber

    def __call__(self, _logger: WrappedLogger, _name: str, event: EventDict | str | Any) -> str:
        return self._scrubber(str(event))
