"""Grants by hand, applied in the customer's lane like everything that changes access."""

from __future__ import annotations

from typing import TYPE_CHECKING

from velvetrope.domain.states import EntitlementKind, EventOutcome
from velvetrope.pipeline import jobs
from velvetrope.store.models import Entitlement
from velvetrope.usecases import entitlements, membership, notices
from velvetrope.usecases.operations.orders import GrantOrder, RevokeOrder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from velvetrope.pipeline.work import CustomerKey, Event, Work


class GrantHandler:
    """Makes an entitlement of an order; the same order again finds it made."""

    async def prepare(self, event: Event) -> GrantOrder:
        return jobs.decode(event.payload, GrantOrder)

    def subjects(self, event: Event, facts: GrantOrder) -> Sequence[CustomerKey]:  # noqa: ARG002  the port's signature
        return [(facts.integration_id, facts.telegram_user_id)]

    def apply(self, event: Event, facts: GrantOrder, work: Work) -> str | None:  # noqa: ARG002  the port's signature
        customer = work.customer((facts.integration_id, facts.telegram_user_id))
        view = work.integration(facts.integration_id)
        external_id = f"grant:{facts.grant_id}"
        if customer is None or view.plan(facts.plan_id) is None:
            return EventOutcome.IGNORED.value  # taken away since it was ordered
        if any(row.external_id == external_id for row in work.entitlements(customer)):
            return EventOutcome.IGNORED.value
        row = Entitlement(
            customer_id=customer.id,
            plan_id=facts.plan_id,
            kind=EntitlementKind.GRANT.value,
            external_id=external_id,
            status="active",
            starts_at=work.now,
            period_end=facts.until,
            ends_at=facts.until,
            holds=False,
            note=facts.note,
            created_at=work.now,
        )
        change = entitlements.redecide(work, view.policy, row, was=None)
        notices.tell_of_changes(work, view, customer, [change])
        membership.reconcile(work, customer)
        return EventOutcome.HANDLED.value


class RevokeHandler:
    """Ends a grant now; the rules find that its time is over."""

    async def prepare(self, event: Event) -> RevokeOrder:
        return jobs.decode(event.payload, RevokeOrder)

    def subjects(self, event: Event, facts: RevokeOrder) -> Sequence[CustomerKey]:  # noqa: ARG002  the port's signature
        return [(facts.integration_id, facts.telegram_user_id)]

    def apply(self, event: Event, facts: RevokeOrder, work: Work) -> str | None:  # noqa: ARG002  the port's signature
        customer = work.customer((facts.integration_id, facts.telegram_user_id))
        if customer is None:
            return EventOutcome.IGNORED.value
        rows = work.entitlements(customer)
        row = next((one for one in rows if one.id == facts.entitlement_id), None)
        if row is None or row.kind != EntitlementKind.GRANT or not row.holds:
            return EventOutcome.IGNORED.value
        view = work.integration(facts.integration_id)
        row.status = "canceled"
        row.period_end = row.ends_at = work.now
        change = entitlements.redecide(work, view.policy, row, was=True)
        notices.tell_of_changes(work, view, customer, [change])
        membership.reconcile(work, customer)
        return EventOutcome.HANDLED.value
