"""An integration's access policy: what a change of it would do, and the change itself."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Q

from velvetrope.domain.access import decide
from velvetrope.domain.policy import Policy
from velvetrope.domain.states import Dispute, Refund
from velvetrope.store.models import Integration, PlanChat
from velvetrope.usecases import entitlements
from velvetrope.usecases.audit import record
from velvetrope.usecases.operations.reviews import request_review

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

#: How many rows are in memory at once.
_CHUNK = 2000


def _debatable(now: datetime) -> Q:
    """Pick the rights about which policies differ: all but those that simply run."""
    return (
        Q(status="past_due")
        | Q(collection_paused=True)
        | ~Q(refund=Refund.NONE)
        | ~Q(dispute__in=(Dispute.NONE, Dispute.WON))
        | Q(period_end__lte=now)
        | Q(ends_at__lte=now)
    )


@dataclass(frozen=True, slots=True)
class Effect:
    """How many customers would lose or gain a chat; who does both counts in both."""

    losing: int = 0
    gaining: int = 0


def policy_of(row: Integration) -> Policy:
    return Policy.from_differences(row.policy)


def foresee(integration_id: int, wanted: Policy, now: datetime) -> Effect:
    """Count whose access another policy would change, if Stripe still says what it said last.

    DoesNotExist for an unknown integration. Asks no vendor.
    """
    present = policy_of(Integration.objects.get(id=integration_id))
    chats: dict[int, set[int]] = defaultdict(set)
    links = PlanChat.objects.filter(plan__integration_id=integration_id)
    for plan_id, chat_id in links.values_list("plan_id", "chat_id"):
        chats[plan_id].add(chat_id)
    losing = gaining = 0
    of_customer: tuple[set[int], set[int]] = (set(), set())
    last: int | None = None
    rows = entitlements.open_to_change().filter(customer__integration_id=integration_id)
    rows = rows.filter(customer__in=rows.filter(_debatable(now)).values("customer"))
    for row in rows.order_by("customer_id").iterator(_CHUNK):
        if row.customer_id != last:
            losing, gaining = _counted(losing, gaining, of_customer)
            of_customer, last = (set(), set()), row.customer_id
        # As if Stripe had just been asked: who has to be looked at first is counted, too.
        facts = replace(entitlements.facts_of(row), seen_at=now)
        for policy, opened in zip((present, wanted), of_customer, strict=True):
            if decide(policy, facts, now).holds:
                opened.update(chats[row.plan_id])
    return Effect(*_counted(losing, gaining, of_customer))


def _counted(losing: int, gaining: int, opened: tuple[set[int], set[int]]) -> tuple[int, int]:
    before, after = opened
    return losing + bool(before - after), gaining + bool(after - before)


def change_policy(
    integration_id: int, values: Mapping[str, object], reset: Iterable[str], actor: str
) -> Policy:
    """Change the named fields, and let those to be reset have their defaults; gives the result.

    Values may be texts. Raises Invalid, and DoesNotExist for an unknown integration. Everybody
    whom it concerns is judged anew by a job.
    """
    with transaction.atomic():
        row = Integration.objects.select_for_update().get(id=integration_id)
        before = policy_of(row)
        after = before.changed(values, reset)
        if after == before:
            return after
        row.policy = after.differences
        row.save(update_fields=["policy"])
        changed = [name for name, value in after.values.items() if value != before.values[name]]
        record(
            actor,
            "policy.changed",
            subject="integration",
            subject_id=row.id,
            integration_id=row.id,
            before={name: before.values[name] for name in changed},
            after={name: after.values[name] for name in changed},
        )
        request_review(row.id)
    return after
