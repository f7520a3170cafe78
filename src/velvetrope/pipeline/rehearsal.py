"""Effects that are looked at and never written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from django.db import transaction

from velvetrope.pipeline.inbox import Inbox
from velvetrope.pipeline.outbox import Outbox
from velvetrope.pipeline.view import BatchView
from velvetrope.pipeline.work import Work

if TYPE_CHECKING:
    from collections.abc import Callable

    from velvetrope.domain.clock import Clock
    from velvetrope.pipeline.dialect import Dialect
    from velvetrope.store.catalogue import Catalogue

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Stage:
    """Runs what a handler would do, and takes all of it back."""

    catalogue: Catalogue
    dialect: Dialect
    clock: Clock

    def play(self, scene: Callable[[Work], T]) -> T:
        """Give what `scene` finds out; runs within a transaction that writes.

        What it stages and what it writes itself are undone.
        """
        now = self.clock()
        view = BatchView(
            self.catalogue, self.dialect, Inbox(self.dialect), Outbox(self.dialect), now
        )
        with transaction.atomic():
            found = scene(Work(view, now, None))
            transaction.set_rollback(True)
        return found
