"""What is on record, in words: decisions, changes of place, and what operators did."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from velvetrope.domain.states import Presence
from velvetrope.usecases import chronicle
from velvetrope.usecases.explaining.rights import Ground, because
from velvetrope.usecases.explaining.story import Entry, EntryKind, Tone
from velvetrope.usecases.explaining.terms import actor, clause, sentence
from velvetrope.usecases.wording.problems import explain

if TYPE_CHECKING:
    from velvetrope.store.models import AuditEntry
    from velvetrope.usecases.explaining.terms import Terms

#: The record's plain values.
Values = Mapping[str, Any]

#: What an operator did. A test asks for every action of a customer's record.
ORDERS: Final[Mapping[str, str]] = {
    "grant.ordered": "{who} gave access to {plan} by hand, {until}{note}",
    "grant.revoked": "{who} ended the access to {plan} that was given by hand{note}",
    "member.sync_ordered": "{who} had Stripe and Telegram asked again",
    "member.reinvite_ordered": "{who} had the way in shown again",
    "member.message_ordered": "{who} wrote to the person through the bot",
    "event.replayed": "{who} had an event that failed tried again",
    "event.discarded": "{who} gave up an event that failed",
    "item.replayed": "{who} had a call that failed tried again",
    "item.discarded": "{who} gave up a call that failed",
}

#: What the product writes down besides decisions; empty for what is told by something else.
REMARKS: Final[Mapping[str, str]] = {
    "remove_planned": "the person is to be taken out of the chat",
    "removal_held": "too many were to leave at once: the removal waits for an operator",
    "stripe_customer_deleted": "",  # what became known of the person says it
    "removal_asked": "",  # the call that follows says it
    "unknown_subscription_status": (
        "Stripe says something of the subscription that this version does not know: "
        "access stays as it was"
    ),
    "subscription_not_found": (
        "Stripe does not know the subscription under the present key: access stays as it was"
    ),
}


def entries_of_record(row: AuditEntry, terms: Terms) -> list[Entry]:
    """Put an entry of the record into words; what says nothing to a person gives none."""
    after: Values = row.after if isinstance(row.after, dict) else {}
    before: Values | None = row.before if isinstance(row.before, dict) else None
    if row.action == chronicle.RIGHT:
        told = [_right(before, after, terms)]
    elif row.action == chronicle.PLACE:
        told = _place(before or _NOWHERE, after, terms)
    elif row.action == chronicle.PERSON:
        told = _person(before or {}, after)
    elif row.action in REMARKS:
        told = [(EntryKind.DECISION, REMARKS[row.action], Tone.PLAIN)]
    else:
        told = [(EntryKind.ORDER, _order(row, after, terms), Tone.PLAIN)]
    return [
        Entry(
            at=row.at,
            kind=kind,
            text=sentence(text),
            detail=" ".join(part for part in (row.action, str(after.get("right") or "")) if part),
            tone=tone,
            source="auditentry",
            source_id=row.pk,
        )
        for kind, text, tone in told
        if text
    ]


_Told = tuple[EntryKind, str, Tone]


def ground_of_record(values: Values) -> Ground:
    """Read a right back from an entry of the record."""
    return Ground(
        kind=str(values.get("kind") or ""),
        plan_id=values.get("plan"),
        status=str(values.get("status") or ""),
        reason=str(values.get("reason") or ""),
        holds=bool(values.get("holds")),
        until=_moment(values.get("until")),
        failed_at=_moment(values.get("failed_at")),
        refund=str(values.get("refund") or ""),
        dispute=str(values.get("dispute") or ""),
        collection_paused=bool(values.get("collection_paused")),
    )


def _right(before: Values | None, after: Values, terms: Terms) -> _Told:
    """Say what was decided, and from what it differs."""
    ground = ground_of_record(after)
    why = because(ground, terms)
    held = before is not None and bool(before.get("holds"))
    if before is not None and before.get("plan") != after.get("plan"):
        moved = f"from {terms.plan(before.get('plan'))} to {terms.plan(after.get('plan'))}"
        return EntryKind.DECISION, f"the plan changed {moved}: {why}", Tone.GOOD
    if ground.holds and not held:
        return EntryKind.DECISION, f"access opens, because {why}", Tone.GOOD
    if held and not ground.holds:
        return EntryKind.DECISION, f"access ends, because {why}", Tone.WARN
    if ground.holds:
        return EntryKind.DECISION, f"access stays: {why}", Tone.PLAIN
    return EntryKind.DECISION, f"no access: {why}", Tone.PLAIN


_NOWHERE: Final[Values] = {"desired": False, "observed": Presence.UNKNOWN.value, "problem": ""}


def _place(before: Values, after: Values, terms: Terms) -> list[_Told]:
    """Say where the person went, and what could not be done; what they may is told by rights."""
    chat = terms.chat(after.get("chat"))
    told: list[_Told] = []
    here, there = str(before.get("observed")), str(after.get("observed"))
    if here != there:
        by, who = str(after.get("by") or ""), str(after.get("who") or "another administrator")
        if text := _moved(here, there, by).format(chat=chat, who=who):
            told.append((EntryKind.PLACE, text, _TONES.get(there, Tone.PLAIN)))
    problem = str(after.get("problem") or "")
    if problem and problem != before.get("problem"):
        why = clause(explain(problem).what)
        told.append((EntryKind.PLACE, f"something stands in the way at {chat}: {why}", Tone.BAD))
    return told


_TONES: Final = {Presence.INSIDE.value: Tone.GOOD, Presence.BANNED.value: Tone.WARN}

_BOT, _SELF, _ADMIN = chronicle.BY_BOT, chronicle.BY_THEMSELVES, chronicle.BY_ADMIN

#: Where somebody went, and by whom; by nobody's name, it was only seen.
MOVES: Final[Mapping[tuple[Presence, str], str]] = {
    (Presence.REQUESTED, ""): "they asked to enter {chat}",
    (Presence.INSIDE, _BOT): "the bot let them in to {chat}",
    (Presence.INSIDE, _ADMIN): "{who}, an administrator, let them in to {chat}",
    (Presence.INSIDE, _SELF): "they came in to {chat} by themselves",
    (Presence.INSIDE, ""): "they were seen inside {chat}",
    (Presence.OUTSIDE, _BOT): "the bot took them out of {chat}",
    (Presence.OUTSIDE, _ADMIN): "{who}, an administrator, took them out of {chat}",
    (Presence.OUTSIDE, _SELF): "they left {chat} by themselves",
    (Presence.OUTSIDE, ""): "they were seen outside {chat}",
    (Presence.BANNED, _BOT): "the bot banned them from {chat}",
    (Presence.BANNED, _ADMIN): "{who}, an administrator, banned them from {chat}",
    (Presence.BANNED, _SELF): "they are banned from {chat}",
    (Presence.BANNED, ""): "they were seen to be banned from {chat}",
    (Presence.KEEPER, _BOT): "they became an administrator of {chat}",
    (Presence.KEEPER, _ADMIN): "{who} made them an administrator of {chat}",
    (Presence.KEEPER, _SELF): "they became the owner or an administrator of {chat}",
    (Presence.KEEPER, ""): "they were seen to be the owner or an administrator of {chat}",
    (Presence.UNKNOWN, ""): "it is not known any more where they are in {chat}",
}


def _moved(here: str, there: str, by: str) -> str:
    """Choose the phrase; empty for what nobody would ask about."""
    if there not in {*Presence}:
        return f"their place in {{chat}} is «{there}» now"
    to = Presence(there)
    if to is Presence.OUTSIDE and here == Presence.REQUESTED:
        return "their request to enter {chat} was declined" if by else MOVES[to, ""]
    if to is Presence.OUTSIDE and here == Presence.BANNED:
        return "their ban from {chat} was lifted" if by else MOVES[to, ""]
    if to is Presence.OUTSIDE and here == Presence.UNKNOWN and not by:
        return ""
    return MOVES.get((to, by)) or MOVES[to, ""]


#: What became known of a person: column → (what to say when it is set, and when it is cleared).
PERSON: Final[Mapping[str, tuple[str, str]]] = {
    "blocked": (
        "they blocked the bot: no message reaches them",
        "they unblocked the bot: messages reach them again",
    ),
    "deactivated": (
        "their Telegram account is gone",
        "their Telegram account is there again",
    ),
    "stripe_customer": (
        "they are known at Stripe now",
        "Stripe does not know them as a customer any more",
    ),
    "language": ("they chose a language", "they chose no language"),
}


def _person(before: Values, after: Values) -> list[_Told]:
    return [
        (EntryKind.PERSON, is_set if after.get(name) else cleared, Tone.PLAIN)
        for name, (is_set, cleared) in PERSON.items()
        if bool(before.get(name)) != bool(after.get(name))
    ]


def _order(row: AuditEntry, after: Values, terms: Terms) -> str:
    text = ORDERS.get(row.action)
    who = actor(row.actor)
    if text is None:
        return f"{who} did something that has no words here («{row.action}»)"
    before: Values = row.before if isinstance(row.before, dict) else {}
    until = _moment(after.get("until"))
    note = str(after.get("note") or "")
    return text.format(
        who=who,
        plan=terms.plan(after.get("plan") or before.get("plan")),
        until=f"until {terms.moment(until)}" if until else "for ever",
        note=f" («{note}»)" if note else "",
    )


def _moment(value: object) -> datetime | None:
    try:
        return datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
