"""What the pipeline has done since its start, as plain numbers for metrics and pages."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Stats:
    """Counters grow only; each key is a tuple of labels of a small, fixed set."""

    #: By (source, outcome).
    events_done: Counter[tuple[str, str]] = field(default_factory=Counter)
    #: By (source, error code).
    events_retried: Counter[tuple[str, str]] = field(default_factory=Counter)
    events_dead: Counter[tuple[str, str]] = field(default_factory=Counter)
    #: By (method, result): sent, skipped, retried, suspended, dead.
    items: Counter[tuple[str, str]] = field(default_factory=Counter)
    #: By (name, result): ok, failed.
    periodic: Counter[tuple[str, str]] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Load:
    """What the pipeline has in hand at this moment."""

    events: int
    lanes: int
    #: Lanes that wait for their next try.
    lanes_held: int
    items: int
    items_in_flight: int
    #: What waits for the writer.
    writes_waiting: int
    transactions: int
    replays: int
    #: Remotes whose breaker is open.
    remotes_down: tuple[str, ...]
