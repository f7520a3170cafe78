"""What a dry run found, in an operator's words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from velvetrope.domain.brake import most_departures
from velvetrope.usecases.explaining.rights import because
from velvetrope.usecases.explaining.said import occasion_in_words
from velvetrope.usecases.explaining.terms import clause, listing
from velvetrope.usecases.leaving.brake import count_known
from velvetrope.usecases.rehearsing.rehearsal import Change, Effect

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from velvetrope.usecases.explaining.terms import Terms

EFFECTS: Final[Mapping[Effect, str]] = {
    Effect.ENTER: "would be let in to {chat}",
    Effect.LEAVE: "would be taken out of {chat}",
    Effect.STAY: "would have to leave {chat}, but is its owner or an administrator",
    Effect.WAIT: "is to leave {chat}, and waits for your word",
    Effect.DECLINE: "would be turned away from {chat}",
    Effect.MESSAGE: "would be told: «{occasion}»",
}


@dataclass(frozen=True, slots=True)
class Told:
    """One change in words; `why` is empty where the change says it itself."""

    customer_id: int
    effect: Effect
    what: str
    why: str


@dataclass(frozen=True, slots=True)
class Exodus:
    """A chat from which more would leave than may without a question."""

    chat: str
    leaving: int
    at_most: int


def tell(change: Change, terms: Terms) -> Told:
    """Put a change into words."""
    what = EFFECTS[change.effect].format(
        chat=terms.chat(change.chat_id), occasion=occasion_in_words(change.occasion)
    )
    why = listing([clause(because(one, terms)) for one in change.grounds])
    return Told(change.customer_id, change.effect, what, why)


def find_exoduses(counts: Mapping[str, int], terms: Terms) -> Sequence[Exodus]:
    """Tell where the brake would stop it; `counts` are those of a dry run."""
    found = []
    for chat_id in terms.chats:
        leaving = counts.get(f"{Effect.LEAVE.value}:{chat_id}", 0)
        at_most = most_departures(terms.policy, count_known(chat_id))
        if leaving > at_most:
            found.append(Exodus(terms.chat(chat_id), leaving, at_most))
    return found
