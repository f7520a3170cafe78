"""What an operator reads of a list: whom it concerns before, and what became of them after."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from velvetrope.domain.adoption import Outcome
from velvetrope.usecases.adoption.numbers import brake_of, count_chats

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from velvetrope.store.models import Adoption

_FOUND: Final = (
    (
        "People in the list: {people}. New to the product: {new}, known: {known}, paying already: "
        "{paying}."
    ),
    (
        "Inside: {inside}. Not inside: {outside}. Owner, administrators and bots, who are never "
        "touched: {keeper}. Unknown to Telegram: {unknown}."
    ),
    (
        "Would be adopted: {concerned}. The bot can write to: {reachable}. They hear nothing from "
        "it, since they have not pressed /start or block it: {unreachable}."
    ),
)
_DONE: Final[Mapping[str, str]] = {
    Outcome.ADOPTED: "Adopted",
    Outcome.CHANGED: "Adopted before, with another end now",
    Outcome.UNCHANGED: "Adopted before, nothing to change",
    Outcome.GIVEN: "Not inside, may enter",
    Outcome.OUTSIDE: "Not inside, left alone",
    Outcome.KEEPER: "Owner, administrators and bots, left alone",
    Outcome.UNKNOWN: "Unknown to Telegram, left alone",
    Outcome.REVOKED: "Ended by an operator before, left alone",
}


def describe(adoption: Adoption) -> Sequence[str]:
    """Tell an operator in words what a list is about to do, or has done."""
    numbers = adoption.numbers
    if outcomes := numbers.get("outcomes"):
        done = [f"{words}: {outcomes[name]}" for name, words in _DONE.items() if outcomes[name]]
        return ["Done.", *done]
    lines = [words.format(**numbers) for words in _FOUND]
    if adoption.skipped:
        lines.append(f"Lines left out because of mistakes: {adoption.skipped}.")
    if numbers["together"]:
        lines.append(_about_the_end(adoption))
    return lines


def _about_the_end(adoption: Adoption) -> str:
    """Say what comes at the end that most have in common, and that it will be held."""
    together = adoption.numbers["together"]
    zone = ZoneInfo(adoption.integration.time_zone)
    day = datetime.fromisoformat(adoption.numbers["together_at"]).astimezone(zone).date()
    known = {one.chat.pk: one for one in count_chats(adoption.integration_id)}
    brakes = [
        brake_of(adoption.integration, known[chat_id], adoption.numbers["inside"])
        for chat_id in adoption.chats
        if chat_id in known
    ]
    text = (
        f"The last day of {together} of them is {day}: whoever has not subscribed by then leaves."
    )
    if brakes and together > min(brakes):
        text += (
            f" That is more than the {min(brakes)} that may leave a chat at once: the others wait "
            "inside until an operator confirms, in the console or by «velvetrope removals "
            "confirm»."
        )
    return text
