"""The end of a transaction where many processes share the work.

Lanes are leased and let go here, last and in the order of their keys, so that nobody waits long
for them and nobody waits in a circle: delivery lanes first, since `bot:` sorts before the others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from velvetrope.domain.states import Priority
from velvetrope.pipeline.announcing import BOT, announce, gather
from velvetrope.pipeline.dialect import leases
from velvetrope.pipeline.dispatch.deferring import defer
from velvetrope.pipeline.ending import Ending
from velvetrope.pipeline.shared.bots import read_made, read_pauses
from velvetrope.pipeline.writer import Ran

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from velvetrope.domain.clock import Clock
    from velvetrope.pipeline.dialect import Dialect
    from velvetrope.pipeline.shared.bots import Receiver

#: By it workers tell each other of calls that wait.
CHANNEL: Final = "velvetrope_bots"
#: Taken up as soon as they are stored; bulk may wait.
AT_ONCE: Final = (Priority.GRANT.value, Priority.ANSWER.value)
#: Calls of one bot that are taken up in one transaction.
_CALLS: Final = 500


class Announcing(Ending):
    """Has workers look at what was stored; for processes that don't work themselves."""

    def __init__(self) -> None:
        self._lanes: set[str] = set()
        self._bots: set[int] = set()
        self._emptied: set[str] = set()

    def makes_calls_of(self, bot: int) -> bool:  # noqa: ARG002  of none
        return False

    def begin(self) -> None:
        self._lanes = gather()
        self._bots = set()
        self._emptied = set()

    def stored(self, lanes: Iterable[str]) -> None:
        announce(lanes)

    def called(self, bots: Iterable[int]) -> None:
        self._bots.update(bots)

    def emptied(self, lane: str) -> None:
        self._emptied.add(lane)

    def run(self, items: Sequence[Any]) -> Ran[Any]:  # noqa: ARG002  there are none
        defer(self._lanes | {f"{BOT}{bot}" for bot in self._bots})
        return Ran(())


class Working(Announcing):
    """Leases the delivery lanes of bots that have something to say, lets go of empty lanes."""

    def __init__(self, dialect: Dialect, clock: Clock, receiver: Receiver) -> None:
        super().__init__()
        self._dialect = dialect
        self._clock = clock
        self._receiver = receiver
        #: Bots whose calls this process makes. Others lease them meanwhile only if this process is
        #: taken for dead, and then nothing that it writes counts.
        self.leased: set[int] = set()
        #: Bots that another process could go on with, to be let go.
        self.resting: set[int] = set()

    def makes_calls_of(self, bot: int) -> bool:
        return bot in self.leased

    def run(self, items: Sequence[Any]) -> Ran[Any]:  # noqa: ARG002  there are none
        owner, now = self._dialect.owner or 0, self._clock()
        resting, self.resting = self.resting - self._bots, set()
        gone = leases.let_bots_go(owner, resting & self.leased, now) if resting else []
        mine = self._bots & self.leased
        found = self._lease(owner)
        taken = set(found)
        inherited = sorted(bot for bot, was_given_up in found.items() if was_given_up)
        calls = leases.claim_all_items(owner, inherited) if inherited else leases.Calls()
        if calling := sorted(mine | taken):
            calls += leases.claim_items(owner, calling, now, _CALLS, AT_ONCE)
        pauses = read_pauses(now, taken) if taken else []
        made = read_made(now, inherited) if inherited else []
        more = leases.let_go(owner, self._emptied, now) if self._emptied else []
        defer(self._lanes - self._emptied)

        def at_commit() -> None:
            if owner == self._dialect.owner:  # else it was leased by who this process is no more
                self.leased |= taken
            self.leased -= set(gone)

        def after() -> None:
            self._receiver.take_lanes(more, {})
            self._receiver.leave_bots(gone)
            self._receiver.take_bots(calls, pauses, made)

        return Ran((), at_commit=at_commit, after=after)

    def _lease(self, owner: int) -> dict[int, bool]:
        """Lease the bots that nobody has; whoever has the others is told.

        Gives those, and whether another worker gave them up.
        """
        wanted = self._bots - self.leased
        if not wanted:
            return {}
        found = leases.take(owner, [f"{BOT}{bot}" for bot in wanted])
        taken = {leases.bot_of(key): given_up for key, given_up in found.items()}
        if others := wanted - set(taken):
            leases.tell_owner(others, CHANNEL)
        return taken
