"""What the product has to reach, as ratios of figures that were taken in the same run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tests.benchmarks.contenders import AIOGRAM, BARE, DJSTRIPE, POSTGRESQL, PTB, SQLITE
from tests.benchmarks.parts import delivery, ingress, round_trip, stripe
from tests.benchmarks.records import Summary

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tests.benchmarks.records import Figure, Record


@dataclass(frozen=True, slots=True)
class Target:
    """`ours` in the best of `theirs` at least so often, or without them at most so much."""

    says: str
    group: str
    ours: str
    name: str
    bound: float
    theirs: Sequence[str] = ()
    at_most: bool = False
    unit: str = "×"


@dataclass(frozen=True, slots=True)
class Verdict:
    target: Target
    found: Summary

    @property
    def met(self) -> bool:
        if self.target.at_most:
            return self.found.median <= self.target.bound
        return self.found.median >= self.target.bound


_RATE: Final = "acknowledged"
_ANSWERED: Final = "answered"

TARGETS: Final = (
    *(
        Target(
            f"Durable ingress, {count} connections, against the better of aiogram and"
            " python-telegram-bot, which store nothing",
            ingress.answered(count),
            SQLITE,
            _RATE,
            3,
            (AIOGRAM, PTB),
        )
        for count in ingress.CONNECTIONS
    ),
    Target(
        "Ingress against the bare dispatcher with the same group commit",
        ingress.LEFT_ALONE,
        SQLITE,
        _RATE,
        0.8,
        (BARE,),
    ),
    Target(
        "Sustained round trip on SQLite against aiogram",
        round_trip.SUSTAINED,
        SQLITE,
        _ANSWERED,
        2,
        (AIOGRAM,),
    ),
    Target(
        "Sustained round trip on SQLite against python-telegram-bot",
        round_trip.SUSTAINED,
        SQLITE,
        _ANSWERED,
        4,
        (PTB,),
    ),
    Target(
        "Sustained round trip on PostgreSQL, one web and one worker process, against aiogram",
        round_trip.SUSTAINED,
        POSTGRESQL,
        _ANSWERED,
        1.5,
        (AIOGRAM,),
    ),
    *(
        Target(
            f"Idle round trip on {database}, median",
            round_trip.IDLE,
            who,
            "p50",
            bound,
            at_most=True,
            unit="ms",
        )
        for database, who, bound in (("SQLite", SQLITE, 5), ("PostgreSQL", POSTGRESQL, 20))
    ),
    Target(
        "Stripe's events against dj-stripe's view under gunicorn",
        stripe.GROUP,
        SQLITE,
        _RATE,
        10,
        (DJSTRIPE,),
    ),
    *(
        Target(text, group, SQLITE, "refused", 0, at_most=True, unit="refused")
        for text, group in (
            ("One bot at its limit, messages refused with 429", delivery.ONE),
            (f"{delivery.BOTS} bots at once, messages refused with 429", delivery.MANY),
        )
    ),
    Target("One bot at its limit", delivery.ONE, SQLITE, "sent", 29, unit="/s"),
)


def judge(found: Iterable[Record]) -> list[Verdict]:
    """Judge the targets whose figures were all taken."""
    figures = {
        (figure.group, figure.who, figure.name): figure
        for record in found
        for figure in record.figures
    }
    verdicts = []
    for target in TARGETS:
        values = _values(target, figures)
        if values:
            verdicts.append(Verdict(target, Summary.of(values)))
    return verdicts


def _values(target: Target, figures: Mapping[tuple[str, str, str], Figure]) -> list[float]:
    """Give the ratio, or the bare value, of each run; nothing if a figure is missing."""
    wanted = [(target.group, who, target.name) for who in (target.ours, *target.theirs)]
    if any(key not in figures for key in wanted):
        return []
    ours, *theirs = (figures[key].values for key in wanted)
    if not theirs:
        return ours
    return [own / max(others) for own, *others in zip(ours, *theirs, strict=True)]
