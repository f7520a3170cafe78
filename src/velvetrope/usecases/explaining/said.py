"""What the bot told a person and asked of Telegram, in words: the outbox without its texts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from velvetrope.domain.door import DoorAction
from velvetrope.domain.messages import RULES, MessageKind
from velvetrope.domain.states import ItemState
from velvetrope.usecases.door_calls import DOOR_ACTIONS, action_of
from velvetrope.usecases.explaining.story import Entry, EntryKind, Tone
from velvetrope.usecases.explaining.terms import clause, sentence
from velvetrope.usecases.leaving.goodbye import ENDED, LOST
from velvetrope.usecases.wording.problems import explain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from velvetrope.store.models import OutboxItem
    from velvetrope.usecases.explaining.terms import Terms

_GIVEN: Final = "given"
_RESTORED: Final = "restored"
#: An occasion that may come back ends with its moment.
_AGAIN: Final = re.compile(r":\d{8}T\d{6,}$")

#: What a message was said on the occasion of: the occasion's first part.
OCCASIONS: Final[Mapping[str, str]] = {
    "opened": "payment received, here is the way in",
    _GIVEN: "access was given, here is the way in",
    _RESTORED: "access is open again",
    "moved": "the plan has changed",
    ENDED: "access has ended",
    "past_due": "the payment failed, please pay",
    "recovered": "the payment that had failed was made",
    "renewed": "the payment was renewed",
    "refund": "money was given back",
    "dispute": "a payment is disputed",
    "pending": "the payment is on its way",
    "failed": "the payment did not come",
    "door": "why they can't enter yet, and how to",
    "waits": "the request to enter waits for the payment",
    "let_in": "welcome, you are in",
    "entry": "here is the way in",
    "too_many_chats": "they are in too many Telegram chats to enter",
    "link_delayed": "the payment page takes its time",
    "link_refused": "payments are on hold",
    "link": "here is the link to Stripe",
    "silent": "the bot understands words only",
    "adopted": "the place that they had is kept",
    "new": "a chat has opened to them, here is the way in",
    LOST: "a chat is closed to them",
    "operator": "an operator's own message",
}

#: What is asked of Telegram about a person's place.
CALLS: Final[Mapping[DoorAction, str]] = {
    DoorAction.APPROVE: "to let them in to {chat}",
    DoorAction.DECLINE: "to decline their request to enter {chat}",
    DoorAction.EXPLAIN: "to tell them why they can't enter {chat}",
    DoorAction.UNBAN: "to lift their ban from {chat}",
    DoorAction.REMOVE: "to take them out of {chat}",
}

#: How it went on, of messages and calls; `{why}` is the problem in words.
MESSAGES: Final[Mapping[ItemState, tuple[str, Tone]]] = {
    ItemState.SENT: ("told: {what}", Tone.PLAIN),
    ItemState.PENDING: ("is about to be told: {what}", Tone.WARN),
    ItemState.CLAIMED: ("is being told: {what}", Tone.WARN),
    ItemState.SKIPPED: ("was not told, being overtaken: {what}{why}", Tone.PLAIN),
    ItemState.SUSPENDED: ("can't be told before you have mended something: {what}{why}", Tone.BAD),
    ItemState.DEAD: ("could not be told: {what}{why}", Tone.BAD),
    ItemState.DISCARDED: ("was not told, an operator gave it up: {what}{why}", Tone.PLAIN),
}
ANSWERS: Final[Mapping[ItemState, tuple[str, Tone]]] = {
    ItemState.SENT: ("the bot answered", Tone.PLAIN),
    ItemState.PENDING: ("the bot is about to answer", Tone.WARN),
    ItemState.CLAIMED: ("the bot is answering", Tone.WARN),
    ItemState.SKIPPED: ("the bot's answer was overtaken{why}", Tone.PLAIN),
    ItemState.SUSPENDED: ("the bot can't answer before you have mended something{why}", Tone.BAD),
    ItemState.DEAD: ("the bot's answer did not arrive{why}", Tone.BAD),
    ItemState.DISCARDED: ("the bot's answer did not arrive, and was given up{why}", Tone.PLAIN),
}
ASKED: Final[Mapping[ItemState, tuple[str, Tone]]] = {
    ItemState.SENT: ("the bot asked Telegram {what}", Tone.PLAIN),
    ItemState.PENDING: ("the bot is about to ask Telegram {what}", Tone.WARN),
    ItemState.CLAIMED: ("the bot is asking Telegram {what}", Tone.WARN),
    ItemState.SKIPPED: (
        "the bot was to ask Telegram {what}, and it was overtaken{why}",
        Tone.PLAIN,
    ),
    ItemState.SUSPENDED: ("the bot can't ask Telegram {what} before you have acted{why}", Tone.BAD),
    ItemState.DEAD: ("the bot asked Telegram {what}, in vain{why}", Tone.BAD),
    ItemState.DISCARDED: ("the bot was to ask Telegram {what}; an operator gave it up", Tone.PLAIN),
}


def entry_of_item(row: OutboxItem, terms: Terms) -> Entry:
    """Put a message or a call into words, with how it went."""
    if row.method in DOOR_ACTIONS:
        what = CALLS[action_of(row)].format(chat=terms.chat_of_telegram(row.chat_id))
        table, kind, at = ASKED, EntryKind.CALL, row.created_at
    else:
        what = f"«{occasion_in_words(row.occasion)}»" if row.occasion else ""
        table = MESSAGES if row.occasion else ANSWERS
        if _waits_for_removal(row):
            table = {**MESSAGES, ItemState.PENDING: ("hears once they are out: {what}", Tone.WARN)}
        kind, at = EntryKind.MESSAGE, row.finished_at or row.created_at
    why = f" – {clause(explain(row.error_code).what)}" if row.error_code else ""
    text, tone = table[ItemState(row.state)]
    return Entry(
        at=at,
        kind=kind,
        text=sentence(text.format(what=what, why=why)),
        detail=" ".join(part for part in (row.method, row.occasion or "", row.error_code) if part),
        tone=tone,
        source="outboxitem",
        source_id=row.pk,
    )


def _waits_for_removal(row: OutboxItem) -> bool:
    family = (row.occasion or "").partition(":")[0]
    return family in {ENDED, LOST} and row.due_at is not None


def occasion_in_words(occasion: str) -> str:
    """Name a message by its occasion; an unknown one is shown as it is."""
    family, _, rest = occasion.partition(":")
    if family == "due":  # a reminder: the kind of the message follows
        kind = rest.partition(":")[0]
        return RULES[MessageKind(kind)].title.lower() if kind in {*MessageKind} else kind
    if family == "opened" and _AGAIN.search(rest):
        family = _RESTORED
    elif family == "opened" and rest.startswith("grant:"):
        family = _GIVEN
    return OCCASIONS.get(family, family.replace("_", " "))
