"""How work comes to a worker: each operation runs in a transaction of its own.

They lock leases at once, so nothing else may stand in their transactions.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from velvetrope.domain.states import Priority
from velvetrope.pipeline.announcing import BOT, EVERYWHERE
from velvetrope.pipeline.dialect import leases
from velvetrope.pipeline.shared.bots import read_made, read_pauses
from velvetrope.pipeline.shared.ending import AT_ONCE, CHANNEL
from velvetrope.pipeline.writer import Operation, Ran
from velvetrope.store.models import Lane
from velvetrope.store.serving import DEAD_AFTER

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from velvetrope.domain.clock import Clock
    from velvetrope.pipeline.dialect import Dialect
    from velvetrope.pipeline.events import Event
    from velvetrope.pipeline.shared.bots import Receiver
    from velvetrope.pipeline.shared.ending import Working

#: A lane of its own keeps a periodic function from running twice at once.
PERIODIC: Final = "periodic:"
#: How long an event may wait for the job that takes it up before somebody looks after it.
_GRACE: Final = timedelta(seconds=3)
#: Every so many looks bots are looked through: each of them is asked for by itself.
_LOOKS_FOR_BOTS: Final = 3
#: Lanes that are looked for at once.
_LANES: Final = 200
#: Calls that are taken in hand at once.
_CALLS: Final = 500


class _Taking:
    def __init__(self, dialect: Dialect, clock: Clock, ending: Working, receiver: Receiver) -> None:
        self._dialect = dialect
        self._clock = clock
        self._ending = ending
        self._receiver = receiver

    @property
    def _owner(self) -> int:
        return self._dialect.owner or 0

    def _begin(self, keys: Collection[str], *, anew: bool) -> Ran[None]:
        """Take in hand what lies in lanes that were leased just now; `anew`: after another worker.

        Leases under which nothing lies are dropped.
        """
        owner, now = self._owner, self._clock()
        lanes = [key for key in keys if not key.startswith((BOT, PERIODIC))]
        bots = {leases.bot_of(key) for key in keys if key.startswith(BOT)}
        leases.drop(owner, [key for key in keys if key.startswith(PERIODIC)])
        events = leases.claim_events(owner, lanes, now) if lanes else []
        busy = {event.lane for event in events}
        if empty := set(lanes) - busy:
            leases.drop(owner, empty)
        held = _read_held(events) if busy else {}
        calls = leases.Calls()
        if bots:
            calls += leases.claim_all_items(owner, sorted(bots))
            calls += leases.claim_items(owner, sorted(bots), now, _CALLS, AT_ONCE)
        pauses = read_pauses(now, bots) if bots else []
        made = read_made(now, bots) if bots and anew else []

        def at_commit() -> None:
            if owner == self._dialect.owner:  # else it was leased by who this process is no more
                self._ending.leased |= bots

        def after() -> None:
            self._receiver.take_lanes(events, held)
            self._receiver.take_bots(calls, pauses, made)

        return Ran((), at_commit=at_commit, after=after)


def _read_held(events: Sequence[Event]) -> dict[str, datetime]:
    """Read until when lanes wait whose first event failed; `events` are in the order of their ids.

    Times of events that are gone are dropped: a worker that died may have left them.
    """
    first: dict[str, Event] = {}
    for event in events:
        first.setdefault(event.lane, event)
    failed = [key for key, event in first.items() if event.attempts]
    rows = Lane.objects.filter(key__in=first)
    rows.exclude(key__in=failed).delete()
    return dict(Lane.objects.filter(key__in=failed).values_list("key", "retry_at"))


def _answered(ran: Ran[None], count: int) -> Ran[None]:
    return Ran([None] * count, at_commit=ran.at_commit, after=ran.after)


class TakeLanes(_Taking, Operation["Collection[str]", None]):
    """Takes up the lanes that a job names, as far as nobody else has them."""

    def run(self, items: Sequence[Collection[str]]) -> Ran[None]:
        keys = {key for item in items for key in item} - {EVERYWHERE}
        taken = leases.take(self._owner, keys)
        others = {leases.bot_of(key) for key in keys - set(taken) if key.startswith(BOT)}
        if others:
            leases.tell_owner(others, CHANNEL)
        return _answered(self._begin(taken, anew=any(taken.values())), len(items))


class LookAround(_Taking, Operation[bool, None]):
    """Takes up what nobody runs: whose worker died, what has become due, whose job was lost.

    One worker looks at a time. True stands for at once, without waiting for jobs on their way.
    """

    _looks = 0

    def run(self, items: Sequence[bool]) -> Ran[None]:
        if not leases.may_look():
            return Ran([None] * len(items))
        self._looks += 1
        owner, now = self._owner, self._clock()
        leases.bury(DEAD_AFTER)
        adopted = leases.adopt(owner, _LANES)
        since = now if any(items) else now - _GRACE
        waiting = leases.lanes_without_worker(now, since, _LANES)
        if any(items) or self._looks % _LOOKS_FOR_BOTS == 0:
            waiting += leases.bots_without_worker(now, _LANES)
        found = leases.take(owner, waiting) if waiting else []
        return _answered(self._begin([*adopted, *found], anew=True), len(items))


@dataclass(frozen=True, slots=True)
class CallsWanted:
    """Asks for calls that wait for bots; for all that are leased if none is named."""

    bots: frozenset[int]
    #: How much bulk there is room for.
    bulk: int


class TakeCalls(_Taking, Operation[CallsWanted, int]):
    """Takes calls in hand that wait for bots of this worker; gives how many."""

    def run(self, items: Sequence[CallsWanted]) -> Ran[int]:
        owner, now, leased = self._owner, self._clock(), self._ending.leased
        named = {bot for item in items for bot in item.bots}
        bots = sorted((named & leased) if all(item.bots for item in items) else leased)
        calls = leases.Calls()
        if bots:
            calls += leases.claim_items(owner, bots, now, _CALLS, AT_ONCE)
            bulk = min(max(item.bulk for item in items), _CALLS)
            if bulk > 0:
                calls += leases.claim_items(owner, bots, now, bulk, [Priority.BULK.value])

        def after() -> None:
            self._receiver.take_bots(calls, [], [])

        return Ran([len(calls)] * len(items), after=after if len(calls) else None)


class LeasePeriodic(_Taking, Operation[str, bool]):
    """Leases the lane of a periodic function; False if another worker runs it."""

    def run(self, items: Sequence[str]) -> Ran[bool]:
        taken = set(leases.take(self._owner, items))
        return Ran([item in taken for item in items])


class DropLanes(_Taking, Operation[str, None]):
    """Gives up lanes for anybody to take up, this worker too: what lies in them is unknown."""

    def run(self, items: Sequence[str]) -> Ran[None]:
        leases.abandon(self._owner, items)
        return Ran([None] * len(items))


class EndLanes(_Taking, Operation[str, None]):
    """Lets lanes go that no events lie in."""

    def run(self, items: Sequence[str]) -> Ran[None]:
        leases.drop(self._owner, items)
        return Ran([None] * len(items))
