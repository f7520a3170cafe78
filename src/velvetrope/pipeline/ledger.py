"""The tables of the pipeline as one thing: what its operations share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from velvetrope.pipeline.ending import Ending
from velvetrope.pipeline.view import BatchView

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from velvetrope.domain.clock import Clock
    from velvetrope.pipeline.dialect import Dialect
    from velvetrope.pipeline.events import Event, Item
    from velvetrope.pipeline.inbox import Inbox
    from velvetrope.pipeline.outbox import Outbox
    from velvetrope.pipeline.routes import Witness
    from velvetrope.store.catalogue import Catalogue


class Receiver(Protocol):
    """Takes over in memory what a commit has left in the hands of this process."""

    def take_events(self, events: Sequence[Event]) -> None: ...

    def take_items(self, items: Sequence[Item], *, resumed: bool = False) -> None: ...


class Lease(Protocol):
    """Whether this process may work on what it has in hand."""

    @property
    def holds(self) -> bool: ...


class Forever:
    """The lease of a process that works alone."""

    holds = True


class Nobody:
    """Receives for a process that doesn't serve: there is never anything to take over."""

    def take_events(self, events: Sequence[Event]) -> None:
        """Leave them: they were born pending."""

    def take_items(self, items: Sequence[Item], *, resumed: bool = False) -> None:
        """Leave them: they were born pending."""


@dataclass(slots=True)
class Ledger:
    """What an operation needs to write events and items, and to tell of them."""

    dialect: Dialect
    catalogue: Catalogue
    clock: Clock
    inbox: Inbox
    outbox: Outbox
    receiver: Receiver
    witness: Witness | None = None
    ending: Ending = field(default_factory=Ending)

    def attend(self, ending: Ending) -> None:
        """Tell from now on who is to know of what is stored."""
        self.ending = ending
        self.inbox.attend(ending)
        self.outbox.attend(ending)

    def view(self) -> BatchView:
        """Begin to look at the rows of a transaction."""
        return BatchView(
            self.catalogue, self.dialect, self.inbox, self.outbox, self.clock(), self.witness
        )

    def handing_over(self, view: BatchView) -> Callable[[], None]:
        """Give what has to run in the event loop after the commit."""
        events, items = view.jobs, view.items

        def hand_over() -> None:
            if events:
                self.receiver.take_events(events)
            if items:
                self.receiver.take_items(items)

        return hand_over
