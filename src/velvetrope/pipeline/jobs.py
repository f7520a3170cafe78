"""Durable work that the product gives itself: inbox events with the source `job`."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, TypeVar

import msgspec
from django.db import connection, transaction

from velvetrope.domain.states import EventState, Source
from velvetrope.pipeline.announcing import BOT, EVERYWHERE, announce
from velvetrope.store.clock import present
from velvetrope.store.models import InboxEvent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

T = TypeVar("T", bound=msgspec.Struct)

#: What is called when this process has committed rows that a dispatcher should look for.
_wakers: set[Callable[[], None]] = set()
_wakers_lock = threading.Lock()


def enqueue(
    kind: str,
    payload: msgspec.Struct | Mapping[str, object],
    *,
    account: int,
    lane: str,
    external_id: str,
    at: datetime | None = None,
) -> bool:
    """Store a job within the caller's transaction, to run not before `at`.

    False if a job with this `external_id` was stored for the account before.
    """
    row = InboxEvent(
        source=Source.JOB.value,
        account=account,
        external_id=external_id,
        kind=kind,
        lane=lane,
        payload=encode(payload),
        state=EventState.PENDING.value,
        due_at=at,
        received_at=present(),
    )
    InboxEvent.objects.bulk_create([row], ignore_conflicts=True)
    stored = InboxEvent.objects.filter(pk=row.pk).exists()
    if stored and (at is None or at <= present()):
        wake([lane])
    return stored


def wake(lanes: Iterable[str] = (), *, bots: Iterable[int] = ()) -> None:
    """Have what was left pending in the caller's transaction taken up after its commit.

    By the dispatcher of this process, if there is one; where many share the work, by a worker: of
    lanes and of calls for bots, of everything that nobody has in hand if none is named.
    """
    if connection.vendor != "postgresql":
        transaction.on_commit(_wake)
        return
    named = [*lanes, *(f"{BOT}{bot}" for bot in bots)]
    announce(named or [EVERYWHERE])


def listen(waker: Callable[[], None]) -> Callable[[], None]:
    """Register what wakes a dispatcher, from any thread; gives what takes it back."""
    with _wakers_lock:
        _wakers.add(waker)

    def forget() -> None:
        with _wakers_lock:
            _wakers.discard(waker)

    return forget


def encode(payload: msgspec.Struct | Mapping[str, object]) -> bytes:
    """Give the JSON text that a job is stored with."""
    return msgspec.json.encode(payload)


def decode(payload: bytes, shape: type[T]) -> T:
    """Read a job's payload; ValueError if it has another shape."""
    return msgspec.json.decode(payload, type=shape)


def _wake() -> None:
    with _wakers_lock:
        wakers = list(_wakers)
    for waker in wakers:
        waker()
