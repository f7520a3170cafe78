"""What an operator reads about one customer: sentences, and the rows that they come from."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


class Tone(StrEnum):
    GOOD = "good"  # as it should be
    WARN = "warn"  # waits, or is about to change
    BAD = "bad"  # an operator has to act
    PLAIN = "plain"  # nothing to worry about


class EntryKind(StrEnum):
    EVENT = "event"  # what Stripe or Telegram told, or time brought
    DECISION = "decision"  # what follows for a right
    PLACE = "place"  # where the person should be, and is
    MESSAGE = "message"  # what the bot told the person
    CALL = "call"  # what the bot asked of Telegram
    ORDER = "order"  # what an operator did
    PURCHASE = "purchase"  # a payment page
    PERSON = "person"  # what became known of the person


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the timeline; `detail` is for who knows the machine."""

    at: datetime
    kind: EntryKind
    text: str
    detail: str = ""
    tone: Tone = Tone.PLAIN
    #: The table and id of the row behind it, as pages are addressed.
    source: str = ""
    source_id: int | None = None
    #: What comes of an operator's order: the event that carries it out.
    job_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One chat: where the person should be and is, and what is to be done if that differs."""

    chat_id: int
    telegram_id: int
    title: str
    should_be_in: bool
    observed: str
    sentence: str
    fix: str
    tone: Tone


@dataclass(frozen=True, slots=True)
class Right:
    """One entitlement in words; `detail` names it as Stripe does."""

    holds: bool
    sentence: str
    detail: str


@dataclass(frozen=True, slots=True)
class Answer:
    """A question that operators ask, answered for this person."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """Everything about one customer, for a person who answers for the service."""

    customer_id: int
    telegram_user_id: int
    name: str
    #: The zone that all times are in.
    time_zone: str
    places: tuple[Place, ...]
    answers: tuple[Answer, ...]
    rights: tuple[Right, ...]
    #: Oldest first.
    entries: tuple[Entry, ...]
    #: Whether there are older entries than these.
    has_earlier: bool
