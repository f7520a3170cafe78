"""Members from before: who of them is taken over, and what they get for a while."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, TypeVar

from velvetrope.domain.states import Presence

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence


class Whereabouts(StrEnum):
    """Where a person is, in one word for all the chats that were looked at."""

    INSIDE = "inside"  # a plain member of at least one
    OUTSIDE = "outside"
    KEEPER = "keeper"  # owner, administrator or a bot: never touched
    UNKNOWN = "unknown"  # Telegram could not tell


class Outcome(StrEnum):
    """What became of one person of a list."""

    ADOPTED = "adopted"  # under the product's rules from now on
    CHANGED = "changed"  # had been before, with another end
    UNCHANGED = "unchanged"  # had been before, in the same way
    GIVEN = "given"  # may enter; was not inside
    OUTSIDE = "outside"  # was not inside: nothing was done
    KEEPER = "keeper"  # owner, administrator or a bot: nothing was done
    UNKNOWN = "unknown"  # Telegram could not tell: nothing was done
    REVOKED = "revoked"  # an operator had ended it before: nothing was done


class Sold(Protocol):
    """The part of a plan that tells what it opens."""

    @property
    def chat_ids(self) -> tuple[int, ...]: ...


S = TypeVar("S", bound=Sold)


def summed_up(seen: Iterable[Presence]) -> Whereabouts:
    """Put what was seen in several chats into one word; a keeper of one is a keeper."""
    found = set(seen)
    if Presence.KEEPER in found:
        return Whereabouts.KEEPER
    if Presence.INSIDE in found:
        return Whereabouts.INSIDE
    return Whereabouts.OUTSIDE if found - {Presence.UNKNOWN} else Whereabouts.UNKNOWN


def is_taken_over(where: Whereabouts, *, promised: bool) -> bool:
    """Tell whether a listed person gets something.

    A deadline is for those who are inside. What was `promised` to a person, by a day of their own
    or as a friend of the owner, holds wherever they are now. Keepers are never touched.
    """
    if where is Whereabouts.KEEPER:
        return False
    return promised or where is Whereabouts.INSIDE


def plans_for(inside: Collection[int], plans: Iterable[S]) -> Sequence[S]:
    """Choose plans that together open the chats where somebody is, and no other one.

    As few as possible, those first that open most; a chat that no plan opens without opening
    another one is left out: nobody gets more than they had.
    """
    fitting = [plan for plan in plans if plan.chat_ids and set(plan.chat_ids) <= set(inside)]
    chosen: list[S] = []
    missing = {chat_id for plan in fitting for chat_id in plan.chat_ids}
    while missing:
        best = max(fitting, key=lambda plan: len(missing & set(plan.chat_ids)))
        chosen.append(best)
        missing -= set(best.chat_ids)
    return chosen
