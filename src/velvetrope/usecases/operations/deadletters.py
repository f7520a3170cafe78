"""Dead letters: events and outbox items that failed for good, tried again or given up by hand."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from django.db import transaction

from velvetrope.domain.states import EventState, ItemState, Source
from velvetrope.pipeline import jobs
from velvetrope.store.clock import present
from velvetrope.store.models import InboxEvent, OutboxItem
from velvetrope.usecases.audit import record

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from django.db.models import QuerySet

#: Rows that one call may take: a click must end before the person leaves.
MOST_AT_ONCE = 1000
#: Rows of one UPDATE, below every database's limit of parameters.
_CHUNK = 500


class Kind(StrEnum):
    EVENT = "event"  # an inbox event
    ITEM = "item"  # an outbox item


@dataclass(frozen=True, slots=True, order=True)
class Ref:
    """Names one dead letter, as in `event:123`."""

    kind: Kind
    id: int

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}"

    @classmethod
    def parse(cls, text: str) -> Ref:
        """Read what `str` gives; raises ValueError for anything else."""
        kind, _, number = text.partition(":")
        if not (number.isascii() and number.isdigit()):
            raise ValueError(text)
        return cls(Kind(kind), int(number))


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """What lists show of one; never the payload."""

    ref: Ref
    #: What was tried: the event's kind or the Bot API's method.
    what: str
    #: Whose it is: the lane of an event, the bot's and chat's ids of an item.
    where: str
    source: str
    #: None for Stripe's events, which belong to an account.
    integration_id: int | None
    error_code: str
    error: str
    attempts: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Selection:
    """Narrows dead letters down; None or empty is no bound."""

    error_code: str = ""
    kind: Kind | None = None
    integration_id: int | None = None
    #: Only those with a smaller id, to page from the newest to the oldest.
    before: int | None = None


def list_dead(selection: Selection | None = None, *, limit: int = 50) -> list[DeadLetter]:
    """List events and items together, the newest first: their ids share one order of time."""
    selection = selection or Selection()
    found: list[DeadLetter] = []
    if selection.kind is not Kind.ITEM:
        events = _dead_events(selection).defer("payload")
        found += [_of_event(row) for row in events.order_by("-id")[:limit]]
    if selection.kind is not Kind.EVENT:
        items = _dead_items(selection).defer("params")
        found += [_of_item(row) for row in items.order_by("-id")[:limit]]
    return sorted(found, key=lambda letter: letter.ref.id, reverse=True)[:limit]


def count_dead(selection: Selection | None = None, *, most: int = MOST_AT_ONCE) -> int:
    """Count up to `most`; a storm of failures is not counted to its end."""
    selection = selection or Selection()
    total = 0
    if selection.kind is not Kind.ITEM:
        total += _dead_events(selection)[:most].count()
    if selection.kind is not Kind.EVENT:
        total += _dead_items(selection)[:most].count()
    return min(total, most)


def select_refs(selection: Selection, *, most: int = MOST_AT_ONCE) -> list[Ref]:
    """Give the oldest that fit, which are the ones to replay first."""
    refs: list[Ref] = []
    if selection.kind is not Kind.ITEM:
        events = _dead_events(selection).order_by("id").values_list("id", flat=True)
        refs += [Ref(Kind.EVENT, key) for key in events[:most]]
    if selection.kind is not Kind.EVENT:
        items = _dead_items(selection).order_by("id").values_list("id", flat=True)
        refs += [Ref(Kind.ITEM, key) for key in items[:most]]
    return sorted(refs, key=lambda ref: ref.id)[:most]


def replay(refs: Iterable[Ref], actor: str) -> int:
    """Try dead letters again from the start; gives how many still were dead letters."""
    events, items = _split(refs)
    with transaction.atomic():
        done = 0
        for chunk in _chunks(events):
            rows = _lock_events(chunk, actor, "event.replayed")
            done += InboxEvent.objects.filter(id__in=rows).update(
                state=EventState.PENDING,
                outcome="",
                attempts=0,
                due_at=None,
                error_code="",
                error="",
                finished_at=None,
            )
        for chunk in _chunks(items):
            rows = _lock_items(chunk, actor, "item.replayed")
            done += OutboxItem.objects.filter(id__in=rows).update(
                state=ItemState.PENDING,
                attempts=0,
                due_at=None,
                error_code="",
                error="",
                finished_at=None,
            )
        if done:
            jobs.wake()
    return done


def discard(refs: Iterable[Ref], actor: str) -> int:
    """Give dead letters up; they stay on record. Gives how many still were dead letters."""
    events, items = _split(refs)
    now = present()
    with transaction.atomic():
        done = 0
        for chunk in _chunks(events):
            rows = _lock_events(chunk, actor, "event.discarded")
            done += InboxEvent.objects.filter(id__in=rows).update(
                state=EventState.DISCARDED, finished_at=now
            )
        for chunk in _chunks(items):
            rows = _lock_items(chunk, actor, "item.discarded")
            done += OutboxItem.objects.filter(id__in=rows).update(
                state=ItemState.DISCARDED, finished_at=now
            )
    return done


def _dead_events(selection: Selection) -> QuerySet[InboxEvent]:
    rows = InboxEvent.objects.filter(state=EventState.DEAD)
    if selection.error_code:
        rows = rows.filter(error_code=selection.error_code)
    if selection.integration_id is not None:
        rows = rows.filter(account=selection.integration_id).exclude(source=Source.STRIPE)
    if selection.before is not None:
        rows = rows.filter(id__lt=selection.before)
    return rows


def _dead_items(selection: Selection) -> QuerySet[OutboxItem]:
    rows = OutboxItem.objects.filter(state=ItemState.DEAD)
    if selection.error_code:
        rows = rows.filter(error_code=selection.error_code)
    if selection.integration_id is not None:
        rows = rows.filter(integration_id=selection.integration_id)
    if selection.before is not None:
        rows = rows.filter(id__lt=selection.before)
    return rows


def _of_event(row: InboxEvent) -> DeadLetter:
    return DeadLetter(
        ref=Ref(Kind.EVENT, row.id),
        what=row.kind,
        where=row.lane,
        source=row.source,
        integration_id=None if row.source == Source.STRIPE else row.account,
        error_code=row.error_code,
        error=row.error,
        attempts=row.attempts,
        at=row.finished_at or row.received_at,
    )


def _of_item(row: OutboxItem) -> DeadLetter:
    return DeadLetter(
        ref=Ref(Kind.ITEM, row.id),
        what=row.method,
        where=f"chat {row.chat_id}",
        source="outbox",
        integration_id=row.integration_id,
        error_code=row.error_code,
        error=row.error,
        attempts=row.attempts,
        at=row.finished_at or row.created_at,
    )


def _split(refs: Iterable[Ref]) -> tuple[list[int], list[int]]:
    known = sorted(set(refs))
    events = [ref.id for ref in known if ref.kind is Kind.EVENT]
    return events, [ref.id for ref in known if ref.kind is Kind.ITEM]


def _chunks(ids: list[int]) -> Iterable[list[int]]:
    return (ids[start : start + _CHUNK] for start in range(0, len(ids), _CHUNK))


def _lock_events(ids: list[int], actor: str, action: str) -> list[int]:
    """Keep those that still are dead, and say in the audit log what is done to them."""
    rows = list(
        InboxEvent.objects.select_for_update()
        .filter(id__in=ids, state=EventState.DEAD)
        .defer("payload", "error")
    )
    for row in rows:
        record(
            actor,
            action,
            subject="event",
            subject_id=row.id,
            integration_id=None if row.source == Source.STRIPE else row.account,
            before={"state": row.state, "error_code": row.error_code, "attempts": row.attempts},
        )
    return [row.id for row in rows]


def _lock_items(ids: list[int], actor: str, action: str) -> list[int]:
    """Keep those that still are dead, and say in the audit log what is done to them."""
    rows = list(
        OutboxItem.objects.select_for_update()
        .filter(id__in=ids, state=ItemState.DEAD)
        .defer("params", "error")
    )
    for row in rows:
        record(
            actor,
            action,
            subject="item",
            subject_id=row.id,
            integration_id=row.integration_id,
            before={"state": row.state, "error_code": row.error_code, "attempts": row.attempts},
        )
    return [row.id for row in rows]
