"""The routing table: which code handles what; the composition root fills it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from datetime import datetime

    import msgspec
    from django.db.models import Model

    from velvetrope.domain.errors import VelvetError
    from velvetrope.pipeline.events import CustomerKey, Event, Item
    from velvetrope.pipeline.work import Work


#: What the first phase of a handler gives to the second.
Facts = TypeVar("Facts")


class Handler(Protocol[Facts]):
    """Handles one kind of event in two phases; facts go from the first to the second."""

    async def prepare(self, event: Event) -> Facts:
        """Learn what is needed, over the network or by `read`; never within a transaction.

        Raises the three kinds of VelvetError; any other exception is `unexpected`, which is
        retried unless the contents can't be read.
        """

    def subjects(self, event: Event, facts: Facts) -> Sequence[CustomerKey]:
        """Name the customers that `apply` touches, so that they are loaded in bulk."""

    def apply(self, event: Event, facts: Facts, work: Work) -> str | None:
        """Stage the effects; runs again from the start if the transaction fails.

        Gives the outcome: `handled` (None means it), `ignored`, `foreign` or `unhandled`.
        """


class Outcome(Protocol):
    """Is told, in the transaction that closes an outbox item, what became of it."""

    def on_sent(self, item: Item, result: msgspec.Raw, work: Work) -> None:
        """Stage what follows from Telegram's answer, given as JSON text."""

    def on_failed(self, item: Item, error: VelvetError, work: Work) -> None:
        """Stage what follows from a failure for good, or from one that needs the operator."""

    def on_overtaken(self, item: Item, work: Work) -> None:
        """Stage what follows from a call that was not made, since the facts had changed before."""


#: Tells, from what is stored, whether a call is still to be made; runs in a thread that reads.
Check: TypeAlias = "Callable[[Item], bool]"

#: Sees each row that an event or an outcome saves, as it was before (None: new) and as it is, and
#: stages what is to be put on record of the change. It runs for every row: it has to be quick.
Witness: TypeAlias = "Callable[[Work, Model | None, Model], None]"


#: Gives the parameters that a call has by the facts of now, a time before which it is not to be
#: made, or None if it is not to be made at all; runs in a thread that reads.
Refresh: TypeAlias = "Callable[[Item], bytes | datetime | None]"


@dataclass(frozen=True, slots=True)
class Periodic:
    """Work that is done again and again while the process serves; missed ticks don't pile up."""

    name: str
    #: Seconds from the start of one run to the start of the next; a slow run delays the next one.
    every: float
    run: Callable[[], Awaitable[None]]
    #: Seconds from the start of the process to the first run.
    first_after: float = 0.0


@dataclass(frozen=True, slots=True)
class Routes:
    """Handlers by (source, kind), with one per source for kinds that are not listed."""

    handlers: Mapping[tuple[str, str], Handler[Any]] = field(default_factory=dict)
    default: Mapping[str, Handler[Any]] = field(default_factory=dict)
    #: By method of the Bot API; a method without an outcome is only marked.
    outcomes: Mapping[str, Outcome] = field(default_factory=dict)
    #: By method of the Bot API: asked right before the call, however long it has waited.
    checks: Mapping[str, Check] = field(default_factory=dict)
    #: By what an item's occasion begins with, up to its first colon: asked right before the call.
    refreshes: Mapping[str, Refresh] = field(default_factory=dict)
    periodic: Sequence[Periodic] = ()
    witness: Witness | None = None

    def handler(self, source: str, kind: str) -> Handler[Any] | None:
        return self.handlers.get((source, kind)) or self.default.get(source)
