"""What is put on record of every change to a customer's rights and places.

The pipeline shows each row that an event saves, whichever use case saved it: a decision that
changed nothing leaves no entry, and none that changed something can be forgotten.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from velvetrope.domain.access import Reason
from velvetrope.domain.policy import Policy
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
            policy = _policy_of(work, row)
            old = _of_right(before, policy) if isinstance(before, Entitlement) else None
            about = {"right": row.external_id}
            _record(work, RIGHT, row.customer_id, old, _of_right(row, policy), about)
        case Access():
            was = before if isinstance(before, Access) else None
            old = None if was is None else _of_place(was)
            new = _of_place(row)
            if was is None and not row.desired and row.observed in _NOWHERE:
                return  # a chat that they have nothing to do with
            _record(work, PLACE, row.customer_id, old, new, {"chat": row.chat_id, **work.remark})
        case Customer() if isinstance(before, Customer):
            _record(work, PERSON, row.id, _of_person(before), _of_person(row), {})
        case _:
            pass


def _policy_of(work: Work, row: Entitlement) -> Policy:
    customer = work.customer_by_id(row.customer_id)
    return Policy() if customer is None else work.integration(customer.integration_id).policy


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


def _of_right(row: Entitlement, policy: Policy) -> dict[str, object]:
    """Give what an operator would call another decision."""
    return {
        "plan": row.plan_id,
        "kind": row.kind,
        "status": row.status,
        "holds": row.holds,
        "reason": row.reason,
        "until": _moment(until_of(row, policy)),
        "failed_at": _moment(row.past_due_since),
        "refund": row.refund,
        "dispute": row.dispute,
        "collection_paused": row.collection_paused,
    }


def until_of(row: Entitlement, policy: Policy) -> datetime | None:
    """Give the moment that the reason of a decision speaks of; None if it has none."""
    if row.reason == Reason.GRACE.value and row.past_due_since is not None:
        return row.past_due_since + policy.grace
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


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
