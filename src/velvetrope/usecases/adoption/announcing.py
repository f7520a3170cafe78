"""Telling those who were adopted from a list: once, by day, and only whom the bot may write to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from velvetrope.domain.messages import MessageKind
from velvetrope.domain.states import EntitlementKind, EventOutcome, Priority
from velvetrope.pipeline import jobs
from velvetrope.usecases import membership
from velvetrope.usecases.adoption.giving import pays_for
from velvetrope.usecases.adoption.jobs import TELL, TellJob
from velvetrope.usecases.reminding.planning import hours_of
from velvetrope.usecases.telling import tell
from velvetrope.usecases.wording import messages
from velvetrope.usecases.wording.language import words_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from velvetrope.pipeline.work import CustomerKey, Event, Work
    from velvetrope.store.catalogue import IntegrationView
    from velvetrope.store.models import Customer, Entitlement


def announce(work: Work, view: IntegrationView, customer: Customer, row: Entitlement) -> None:
    """Tell of a right that an adoption gave, now or in the morning."""
    if customer.started_at is None:
        return  # the bot can't begin a conversation; the link in the chat is for them
    hours = hours_of(view)
    if hours.holds(work.now):
        _say(work, view, customer, row)
        return
    at = hours.next_from(work.now)
    work.defer(
        TELL,
        TellJob(view.id, customer.telegram_user_id, row.id),
        lane=f"tg:{view.id}:{customer.telegram_user_id}",
        account=view.id,
        external_id=f"{TELL}:{row.id}:{at:%Y%m%dT%H}",
        at=at,
    )


class TellHandler:
    """Tells in the morning what came about at night, if it still is so."""

    async def prepare(self, event: Event) -> TellJob:
        return jobs.decode(event.payload, TellJob)

    def subjects(self, event: Event, facts: TellJob) -> Sequence[CustomerKey]:  # noqa: ARG002  port
        return [(facts.integration_id, facts.telegram_user_id)]

    def apply(self, event: Event, facts: TellJob, work: Work) -> str | None:  # noqa: ARG002  port
        customer = work.customer((facts.integration_id, facts.telegram_user_id))
        rows = [] if customer is None else work.entitlements(customer)
        row = next((one for one in rows if one.id == facts.entitlement_id and one.holds), None)
        if customer is None or row is None:
            return EventOutcome.IGNORED.value
        announce(work, work.integration(facts.integration_id), customer, row)
        return None


def _say(work: Work, view: IntegrationView, customer: Customer, row: Entitlement) -> None:
    plan = view.plan(row.plan_id)
    if plan is None:
        return
    words = words_for(customer, view, work.now)
    chats = view.chats_of(plan)
    doors = membership.doors(work, customer, chats)
    if row.kind == EntitlementKind.GRANT.value:
        kind, message = MessageKind.ACCESS_GRANTED, messages.access_granted(words, plan, doors)
    elif row.period_end is None or pays_for(work, view, customer, plan.id):
        return
    else:
        message = messages.place_kept(words, chats, row.period_end, doors)
        kind = MessageKind.PLACE_KEPT
    occasion = f"adopted:{row.external_id}"
    tell(work, view, customer, message, occasion=occasion, priority=Priority.BULK, kind=kind)
