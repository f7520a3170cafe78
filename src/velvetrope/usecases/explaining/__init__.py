"""Every customer explained: where they should be and are, why, and how it came to that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from velvetrope.domain.states import Presence
from velvetrope.store.models import Access, AuditEntry, Checkout, Entitlement
from velvetrope.usecases import chronicle
from velvetrope.usecases.explaining.answers import answers_for
from velvetrope.usecases.explaining.places import Known, Move, place_of
from velvetrope.usecases.explaining.rights import because_of
from velvetrope.usecases.explaining.story import (
    Answer,
    Entry,
    EntryKind,
    Place,
    Right,
    Story,
    Tone,
)
from velvetrope.usecases.explaining.terms import Terms, name_of, sentence
from velvetrope.usecases.explaining.timeline import NEWEST, timeline_of

if TYPE_CHECKING:
    from datetime import datetime

    from velvetrope.store.models import Customer

__all__ = [
    "NEWEST",
    "Answer",
    "Entry",
    "EntryKind",
    "Place",
    "Right",
    "Story",
    "Tone",
    "explain_customer",
]

#: So many of the newest entries tell who moved the person last.
_MOVES = 500


def explain_customer(customer: Customer, now: datetime, most: int | None = NEWEST) -> Story:
    """Explain one customer; `most` entries of the timeline, None for all. Reads only."""
    terms = Terms(customer.integration, now, customer.stripe_customer_id)
    rights = _rights(customer)
    entries, has_earlier = timeline_of(customer, terms, most)
    return Story(
        customer_id=customer.pk,
        telegram_user_id=customer.telegram_user_id,
        name=name_of(customer),
        time_zone=customer.integration.time_zone,
        places=_places(customer, terms, rights),
        answers=answers_for(customer, rights, terms),
        rights=tuple(
            Right(row.holds, sentence(because_of(row, terms)), row.external_id) for row in rights
        ),
        entries=entries,
        has_earlier=has_earlier,
    )


def _rights(customer: Customer) -> list[Entitlement]:
    return list(Entitlement.objects.filter(customer=customer).order_by("id"))


def _places(customer: Customer, terms: Terms, rights: list[Entitlement]) -> tuple[Place, ...]:
    accesses = {row.chat_id: row for row in Access.objects.filter(customer=customer)}
    pages = list(Checkout.objects.filter(customer=customer).order_by("id"))
    moves = _last_moves(customer)
    return tuple(
        place_of(
            Known(
                terms=terms,
                customer=customer,
                chat=chat,
                access=accesses.get(chat.pk),
                rights=[row for row in rights if terms.opens(row.plan_id, chat.pk)],
                checkouts=[row for row in pages if terms.opens(row.plan_id, chat.pk)],
                move=moves.get(chat.pk),
            )
        )
        for chat in terms.chats.values()
    )


def _last_moves(customer: Customer) -> dict[int, Move]:
    """Find the last change of each place that is on record, with who brought it about."""
    rows = AuditEntry.objects.filter(subject="customer", subject_id=str(customer.pk))
    moves: dict[int, Move] = {}
    for row in rows.order_by("-id")[:_MOVES]:
        after = row.after if isinstance(row.after, dict) else {}
        before = row.before if isinstance(row.before, dict) else {}
        chat_id, to = after.get("chat"), after.get("observed")
        here = before.get("observed", Presence.UNKNOWN.value)
        if row.action == chronicle.PLACE and isinstance(chat_id, int) and to != here:
            by, who = str(after.get("by") or ""), str(after.get("who") or "")
            moves.setdefault(chat_id, Move(row.at, str(to), by, who))
    return moves
