"""What a transaction of the writer does last, once for all that it has written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from velvetrope.pipeline.writer import Operation, Ran

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Ending(Operation[Any, Any]):
    """Gathers while a transaction is written; where one process does everything, for nothing.

    All methods belong to the writer's thread.
    """

    def begin(self) -> None:
        """Forget what an earlier transaction gathered."""

    def makes_calls_of(self, bot: int) -> bool:  # noqa: ARG002  where there are no others, all
        """Tell whether this process makes the calls of a bot, named by its integration."""
        return True

    def stored(self, lanes: Iterable[str]) -> None:
        """Take note of lanes in which events were stored that nobody has in hand."""

    def called(self, bots: Iterable[int]) -> None:
        """Take note of bots for which calls were stored."""

    def emptied(self, lane: str) -> None:
        """Take note of a lane of which nothing is in hand after this transaction."""

    def run(self, items: Sequence[Any]) -> Ran[Any]:  # noqa: ARG002  there are none
        return Ran(())
