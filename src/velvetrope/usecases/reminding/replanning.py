"""Reminders planned anew for everybody of an integration, since its settings have changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from velvetrope.domain.reminders import next_notice
from velvetrope.pipeline import jobs
from velvetrope.store.models import Customer, Entitlement
from velvetrope.usecases.reminding.planning import reminders_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from velvetrope.pipeline.work import CustomerKey, Event, Work

REPLAN: Final = "replan"
#: How many customers one transaction takes; the next one goes on.
MOST_AT_ONCE: Final = 500


class ReplanOrder(msgspec.Struct, frozen=True, kw_only=True):
    """`cause` tells one change of the settings from another."""

    integration_id: int
    cause: str
    #: Those up to this Telegram user are done.
    after: int = 0


class ReplanHandler:
    """Plans a few hundred customers at a time: an integration may have a million."""

    async def prepare(self, event: Event) -> ReplanOrder:
        return jobs.decode(event.payload, ReplanOrder)

    def subjects(self, event: Event, facts: ReplanOrder) -> Sequence[CustomerKey]:  # noqa: ARG002  port
        return []

    def apply(self, event: Event, facts: ReplanOrder, work: Work) -> str | None:  # noqa: ARG002  port
        work.settle()  # the rows are read here, not by way of a customer
        view = work.integration(facts.integration_id)
        people = dict(
            Customer.objects.filter(
                integration_id=facts.integration_id, telegram_user_id__gt=facts.after
            )
            .order_by("telegram_user_id")
            .values_list("id", "telegram_user_id")[:MOST_AT_ONCE]
        )
        changed = []
        for row in Entitlement.objects.filter(customer_id__in=people, holds=True):
            at = next_notice(reminders_of(view, row), row.notice_at, work.now)
            if at != row.notice_at:
                row.notice_at = at
                changed.append(row)
        Entitlement.objects.bulk_update(changed, ["notice_at"], batch_size=100)
        if len(people) == MOST_AT_ONCE:
            more = msgspec.structs.replace(facts, after=max(people.values()))
            payload: dict[str, object] = msgspec.to_builtins(more)
            work.defer(
                REPLAN,
                payload,
                lane=_lane(facts.integration_id),
                account=facts.integration_id,
                external_id=external_id_of(more),
            )
        return None


def request_replan(integration_id: int, cause: str) -> None:
    """Leave the job within the caller's transaction."""
    order = ReplanOrder(integration_id=integration_id, cause=cause)
    jobs.enqueue(
        REPLAN,
        order,
        account=integration_id,
        lane=_lane(integration_id),
        external_id=external_id_of(order),
    )


def _lane(integration_id: int) -> str:
    return f"job:{REPLAN}:{integration_id}"


def external_id_of(order: ReplanOrder) -> str:
    return f"{REPLAN}:{order.cause}:{order.after}"
