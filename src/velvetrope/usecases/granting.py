"""Grants by hand, applied in the customer's lane like everything that changes access."""

from __future__ import annotations

from typing import TYPE_CHECKING

from velvetrope.domain.states import GIVEN, EntitlementKind, EventOutcome
from velvetrope.pipeline import jobs
from velvetrope.store.models import Entitlement
from velvetrope.usecases import entitlements, membership, notices, observing
from velvetrope.usecases.orders import GrantOrder, RevokeOrder

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from velvetrope.pipeline.work import CustomerKey, Event, Work
    from velvetrope.usecases.observing import Seen

    #: Looks where a person is, in chats where that isn't known.
    Look = Callable[[CustomerKey], Awaitable[Sequence[Seen]]]


class GrantHandler:
    """Makes an entitlement of an order; the same order again finds it made."""

    def __init__(self, look: Look) -> None:
        self._look = look

    async def prepare(self, event: Event) -> tuple[GrantOrder, Sequence[Seen]]:
        order = jobs.decode(event.payload, GrantOrder)
        return order, await self._look((order.integration_id, order.telegram_user_id))

    def subjects(
        self,
        event: Event,  # noqa: ARG002  the port's signature
        facts: tuple[GrantOrder, Sequence[Seen]],
    ) -> Sequence[CustomerKey]:
        order, _ = facts
        return [(order.integration_id, order.telegram_user_id)]

    def apply(
        self,
        event: Event,  # noqa: ARG002  the port's signature
        facts: tuple[GrantOrder, Sequence[Seen]],
        work: Work,
    ) -> str | None:
        order, seen = facts
        customer = work.customer((order.integration_id, order.telegram_user_id))
        view = work.integration(order.integration_id)
        external_id = f"grant:{order.grant_id}"
        if customer is None or view.plan(order.plan_id) is None:
            return EventOutcome.IGNORED.value  # taken away since it was ordered
        if any(row.external_id == external_id for row in work.entitlements(customer)):
            return EventOutcome.IGNORED.value
        row = Entitlement(
            customer_id=customer.id,
            plan_id=order.plan_id,
            kind=EntitlementKind.GRANT.value,
            external_id=external_id,
            status="active",
            starts_at=work.now,
            period_end=order.until,
            ends_at=order.until,
            holds=False,
            note=order.note,
            created_at=work.now,
        )
        observing.note(work, view, customer, seen)
        change = entitlements.redecide(work, view.policy, row, was=None)
        notices.tell_of_changes(work, view, customer, [change])
        membership.reconcile(work, customer)
        return EventOutcome.HANDLED.value


class RevokeHandler:
    """Ends a grant or a claim now; the rules find that its time is over."""

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
        if row is None or row.kind not in GIVEN or not row.holds:
            return EventOutcome.IGNORED.value
        view = work.integration(facts.integration_id)
        row.status = "canceled"
        row.period_end = row.ends_at = work.now
        change = entitlements.redecide(work, view.policy, row, was=True)
        notices.tell_of_changes(work, view, customer, [change])
        membership.reconcile(work, customer)
        return EventOutcome.HANDLED.value
