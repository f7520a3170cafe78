"""What makes somebody a member by the product's rules: a right for a while, and its watch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from velvetrope.domain.adoption import Outcome
from velvetrope.domain.states import EntitlementKind, Presence
from velvetrope.store.models import Entitlement
from velvetrope.usecases import entitlements, membership

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from velvetrope.pipeline.work import Work
    from velvetrope.store.catalogue import IntegrationView, PlanView
    from velvetrope.store.models import Customer
    from velvetrope.usecases.observing import Seen

#: What ids of such rights begin with: one of each for a customer and a plan.
_PREFIX: Final = {EntitlementKind.CLAIM: "claim", EntitlementKind.GRANT: "grant:friend"}


@dataclass(frozen=True, slots=True)
class Gift:
    """A right that was made, moved or found; `outcome` tells which."""

    row: Entitlement
    outcome: Outcome


def give(
    work: Work,
    view: IntegrationView,
    customer: Customer,
    plan: PlanView,
    *,
    kind: EntitlementKind,
    until: datetime | None,
    note: str = "",
    only_later: bool = False,
) -> Gift:
    """Have a customer hold a plan until then (None: for ever); the same again changes nothing.

    With `only_later` an end is never brought forward. What an operator has revoked stays so.
    """
    external_id = f"{_PREFIX[kind]}:{customer.id}:{plan.id}"
    rows = work.entitlements(customer)
    row = next((one for one in rows if one.external_id == external_id), None)
    if row is None:
        row = Entitlement(
            customer_id=customer.id,
            plan_id=plan.id,
            kind=kind.value,
            external_id=external_id,
            status="active",
            starts_at=work.now,
            period_end=until,
            ends_at=until,
            holds=False,
            note=note,
            opened_at=work.now,
            created_at=work.now,
        )
        entitlements.redecide(work, view.policy, row, was=None)
        return Gift(row, Outcome.ADOPTED)
    if row.status == "canceled":
        return Gift(row, Outcome.REVOKED)
    kept = only_later and (row.period_end is None or (until and row.period_end >= until))
    if kept or row.period_end == until:
        return Gift(row, Outcome.UNCHANGED)
    row.period_end = row.ends_at = until
    row.note = note or row.note
    entitlements.redecide(work, view.policy, row, was=row.holds)
    return Gift(row, Outcome.CHANGED)


def watch(work: Work, view: IntegrationView, customer: Customer, seen: Sequence[Seen]) -> None:
    """Put a person under the product's rules in those chats where they are plain members.

    Only where something opens the chat for them now: nobody is taken over to be removed.
    """
    opened = membership.chats_opened(work, view, customer)
    for one in seen:
        chat = view.chat(one.chat_id)
        if chat is None or one.presence is Presence.UNKNOWN or one.chat_id not in opened:
            continue
        access = membership.access_to(work, customer, chat)
        if access.requested_at is None or one.presence is Presence.INSIDE:
            access.observed, access.observed_at = one.presence.value, work.now
        if one.presence is Presence.INSIDE:
            access.requested_at = None
            access.let_in_at = access.let_in_at or work.now
        work.save(access)
    membership.reconcile(work, customer)


def pays_for(work: Work, view: IntegrationView, customer: Customer, plan_id: int) -> bool:
    """Tell whether something other than claims opens all that a plan opens."""
    wanted = membership.opened_by(view, plan_id)
    held = {
        chat_id
        for row in work.entitlements(customer)
        if row.holds and row.kind != EntitlementKind.CLAIM.value
        for chat_id in membership.opened_by(view, row.plan_id)
    }
    return held.issuperset(wanted)
