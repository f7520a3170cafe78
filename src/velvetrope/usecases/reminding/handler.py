"""A reminder whose time has come: everything is looked at afresh, then what is true is said."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from velvetrope.domain.states import GIVEN, EventOutcome, Priority
from velvetrope.pipeline import jobs
from velvetrope.usecases.billing.applying import apply_facts
from velvetrope.usecases.billing.handlers import look_again
from velvetrope.usecases.reminding import occasions
from velvetrope.usecases.reminding.composing import compose_reminder
from velvetrope.usecases.reminding.occasions import Occasion
from velvetrope.usecases.reminding.planning import hours_of, reminders_of
from velvetrope.usecases.telling import tell
from velvetrope.usecases.wording.language import words_for

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from velvetrope.domain.reminders import Reminder
    from velvetrope.pipeline.work import CustomerKey, Event, Work
    from velvetrope.store.catalogue import IntegrationView
    from velvetrope.store.models import Customer, Entitlement
    from velvetrope.usecases.billing.facts import BillingFacts
    from velvetrope.usecases.services import Services

REMIND = "remind"


class RemindOrder(msgspec.Struct, frozen=True, kw_only=True):
    """`planned` is when the reminder was to be said: other facts have other times."""

    integration_id: int
    telegram_user_id: int
    entitlement_id: int
    planned: datetime

    @property
    def external_id(self) -> str:
        return f"{REMIND}:{self.entitlement_id}:{occasions.stamp(self.planned)}"


class RemindHandler:
    """Says what was planned if the facts are still the same, and at a civil hour only."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def prepare(self, event: Event) -> tuple[RemindOrder, BillingFacts | None]:
        order = jobs.decode(event.payload, RemindOrder)
        owner = (order.integration_id, order.telegram_user_id)
        return order, await look_again(self._services, owner)

    def subjects(
        self,
        event: Event,  # noqa: ARG002  the port's signature
        facts: tuple[RemindOrder, BillingFacts | None],
    ) -> Sequence[CustomerKey]:
        order, _ = facts
        return [(order.integration_id, order.telegram_user_id)]

    def apply(
        self, event: Event, facts: tuple[RemindOrder, BillingFacts | None], work: Work
    ) -> str | None:
        order, seen = facts
        customer = work.customer((order.integration_id, order.telegram_user_id))
        if customer is None or seen is None:
            return EventOutcome.IGNORED.value  # erased since
        apply_facts(work, seen)
        rows = work.entitlements(customer)
        row = next((one for one in rows if one.id == order.entitlement_id), None)
        view = work.integration(order.integration_id)
        found = [] if row is None else reminders_of(view, row)
        due = [one for one in found if order.planned <= one.at <= work.now < one.until]
        if row is None or not due or not view.active:
            return EventOutcome.IGNORED.value  # it is not so any more, or too late to be of use
        if customer.started_at is None and row.kind in GIVEN:
            return EventOutcome.IGNORED.value  # was given something, never spoke to the bot
        hours = hours_of(view)
        if not hours.holds(work.now):
            _put_off(work, event, order, hours.next_from(work.now))
            return EventOutcome.HANDLED.value
        bills = {one.id: one.invoice for one in seen.subscriptions}
        bill = bills.get(row.external_id)
        url = bill.hosted_invoice_url if bill is not None and bill.status == "open" else None
        for reminder in due:
            _say(work, view, customer, row, reminder, url or "")
        return EventOutcome.HANDLED.value


def _say(
    work: Work,
    view: IntegrationView,
    customer: Customer,
    row: Entitlement,
    reminder: Reminder,
    bill_url: str,
) -> None:
    words = words_for(customer, view, work.now)
    others = work.entitlements(customer)
    message = compose_reminder(words, reminder, row, others, bill_url)
    if message is None:
        return
    occasion = Occasion(reminder.kind, row.id, occasions.stamp(reminder.about), reminder.days)
    tell(
        work,
        view,
        customer,
        message,
        occasion=str(occasion),
        priority=Priority.BULK,
        kind=reminder.kind,
    )


def _put_off(work: Work, event: Event, order: RemindOrder, at: datetime) -> None:
    """Say it later: the server was down at its time, and now it is night."""
    payload: Mapping[str, object] = msgspec.to_builtins(order)
    work.defer(
        REMIND,
        payload,
        lane=event.lane,
        account=event.account,
        external_id=f"{order.external_id}:{occasions.stamp(at)}",
        at=at,
    )
