"""What is put on record of every change to a customer's rights and places.

The pipeline shows each row that an event saves, whichever use case saved it: a decision that
changed nothing leaves no entry, and none that changed something can be forgotten.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from velvetrope.domain.access import Reason
from velvetrope.domain.states import Presence
from velvetrope.store.models import Access, Customer, Entitlement

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from django.db.models import Model

    from velvetrope.pipeline.work import Work

#: The actions of entries, all with the subject `customer`.
RIGHT: Final = "right.decided"
PLACE: Final = "place.changed"
PERSON: Final = "person.changed"

#: Who brought a change of place about, in the entry's `by`; absent where it was only seen.
BY_BOT: Final = "bot"
BY_THEMSELVES: Final = "self"
BY_ADMIN: Final = "admin"

_NOWHERE: Final = frozenset({Presence.UNKNOWN.value, Presence.OUTSIDE.value})


def witness(work: Work, before: Model | None, row: Model) -> None:
    """Stage an entry if the row's change is one that somebody may ask about."""
    match row:
        case Entitlement():
            old = _of_right(before) if isinstance(before, Entitlement) else None
            _record(work, RIGHT, row.customer_id, old, _of_right(row), {"right": row.external_id})
        case Access():
            was = before if isinstance(before, Access) else None
            old = None if was is None else _of_place(was)
            new = _of_place(row)
            if was is None and not row.desired and row.observed in _NOWHERE:
                return  # a chat that they have nothing to do with
            about = {"chat": row.chat_id, **_brought_about(work, was, row)}
            _record(work, PLACE, row.customer_id, old, new, about)
        case Customer() if isinstance(before, Customer):
            _record(work, PERSON, row.id, _of_person(before), _of_person(row), {})
        case _:
            pass


def _record(
    work: Work,
    action: str,
    customer_id: int,
    before: Mapping[str, object] | None,
    after: Mapping[str, object],
    about: Mapping[str, object],
) -> None:
    if before == after:
        return
    customer = work.customer_by_id(customer_id)
    work.audit(
        action,
        subject="customer",
        subject_id=customer_id,
        integration_id=None if customer is None else customer.integration_id,
        before=before,
        after={**about, **after},
    )


def _of_right(row: Entitlement) -> dict[str, object]:
    """Give what an operator would call another decision."""
    return {
        "plan": row.plan_id,
        "kind": row.kind,
        "status": row.status,
        "holds": row.holds,
        "reason": row.reason,
        "until": _moment(until_of(row)),
        "refund": row.refund,
        "dispute": row.dispute,
        "collection_paused": row.collection_paused,
    }


def until_of(row: Entitlement) -> datetime | None:
    """Give the moment that the reason of a decision speaks of; None if it has none."""
    if row.reason == Reason.GRACE.value:
        return row.recheck_at
    return row.ends_at or row.period_end


def _of_place(row: Access) -> dict[str, object]:
    return {"desired": row.desired, "observed": row.observed, "problem": row.problem}


def _of_person(row: Customer) -> dict[str, object]:
    return {
        "stripe_customer": row.stripe_customer_id,
        "blocked": row.blocked_at is not None,
        "deactivated": row.deactivated_at is not None,
        "language": row.chosen_language,
    }


def _brought_about(work: Work, before: Access | None, row: Access) -> Mapping[str, object]:
    """Tell who moved the person, by what an update told or by what the product writes itself."""
    if work.remark:
        return work.remark
    if before is None or before.observed == row.observed:
        return {}
    answered = before.observed == Presence.REQUESTED.value and row.requested_at is None
    lifted = before.observed == Presence.BANNED.value and before.action != ""
    let_in = row.let_in_at is not None and before.let_in_at != row.let_in_at
    taken_out = before.let_in_at is not None and row.let_in_at is None
    return {"by": BY_BOT} if answered or lifted or let_in or taken_out else {}


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
