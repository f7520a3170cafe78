"""Everybody's rights judged anew after an operator changed the policy or what plans open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import msgspec
from django.db.models import Exists, OuterRef

from velvetrope.domain.access import decide
from velvetrope.domain.states import EventOutcome, Priority
from velvetrope.pipeline import jobs
from velvetrope.store.models import Customer
from velvetrope.usecases import entitlements, membership
from velvetrope.usecases.billing.rechecks import RECHECK, defer_recheck
from velvetrope.usecases.lanes import whom_of
from velvetrope.usecases.leaving.goodbye import LOST
from velvetrope.usecases.operations.reviews import (
    REVIEW,
    ReviewOrder,
    external_id_of,
    lane_of_reviews,
)
from velvetrope.usecases.telling import tell
from velvetrope.usecases.wording import messages
from velvetrope.usecases.wording.language import words_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from velvetrope.pipeline.work import CustomerKey, Event, Work
    from velvetrope.store.catalogue import IntegrationView
    from velvetrope.usecases.services import Services

#: How many customers one transaction takes; the next job goes on.
BATCH: Final = 100


@dataclass(frozen=True, slots=True)
class Batch:
    order: ReviewOrder
    people: Sequence[int]
    #: The last customer's row, where the next batch goes on; None: there is none.
    last: int | None


class ReviewHandler:
    """Judges a batch of customers, and leaves a job for the next one.

    Where a right would begin or end, Stripe is asked first: by a recheck in the customer's lane.
    Which chats the rights open follows at once.
    """

    def __init__(self, services: Services) -> None:
        self._services = services

    async def prepare(self, event: Event) -> Batch:
        order = jobs.decode(event.payload, ReviewOrder)
        found = await self._services.db.read(lambda: _next(order))
        last = found[-1][0] if len(found) == BATCH else None
        return Batch(order, [person for _, person in found], last)

    def subjects(self, event: Event, facts: Batch) -> Sequence[CustomerKey]:  # noqa: ARG002  port
        return [(facts.order.integration_id, person) for person in facts.people]

    def apply(self, event: Event, facts: Batch, work: Work) -> str | None:  # noqa: ARG002  port
        order = facts.order
        view = work.integration(order.integration_id)
        for person in facts.people:
            if (customer := work.customer((order.integration_id, person))) is not None:
                _review(work, view, customer, order)
        if facts.last is not None:
            following = msgspec.structs.replace(order, after=facts.last)
            work.defer(
                REVIEW,
                following,
                lane=lane_of_reviews(view.id),
                account=view.id,
                external_id=external_id_of(following),
            )
        return (EventOutcome.HANDLED if facts.people else EventOutcome.IGNORED).value


def _next(order: ReviewOrder) -> list[tuple[int, int]]:
    """List (row, Telegram user) of the next customers whose rights a change may concern."""
    concerned = entitlements.open_to_change().filter(customer=OuterRef("id"))
    rows = Customer.objects.filter(
        Exists(concerned), integration_id=order.integration_id, id__gt=order.after
    )
    return list(rows.order_by("id").values_list("id", "telegram_user_id")[:BATCH])


def _review(work: Work, view: IntegrationView, customer: Customer, order: ReviewOrder) -> None:
    flips = False
    for row in work.entitlements(customer):
        if row.reason in entitlements.SETTLED:
            continue
        decision = decide(view.policy, entitlements.facts_of(row), work.now)
        if decision.holds != row.holds:
            flips = True
        elif (decision.reason, decision.recheck_at) != (row.reason, row.recheck_at):
            entitlements.redecide(work, view.policy, row, was=row.holds)
    if flips:
        external_id = f"{RECHECK}:{customer.telegram_user_id}:{REVIEW}:{order.cause}"
        defer_recheck(work, whom_of(customer, view.stripe_account_id), external_id=external_id)
    before = _wanted(work, customer)
    membership.reconcile(work, customer)
    _tell(work, view, customer, before, order)


def _wanted(work: Work, customer: Customer) -> frozenset[int]:
    return frozenset(access.chat_id for access in work.accesses(customer) if access.desired)


def _tell(
    work: Work,
    view: IntegrationView,
    customer: Customer,
    before: frozenset[int],
    order: ReviewOrder,
) -> None:
    """Tell which chats came to what a person holds, and which ones left it."""
    after = _wanted(work, customer)
    words = words_for(customer, view, work.now)
    new = [chat for chat in view.chats if chat.id in after - before]
    lost = [chat for chat in view.chats if chat.id in before - after]
    occasion = f"{order.cause}:{customer.id}"
    if doors := membership.doors(work, customer, new):
        message = messages.entry(words, doors)
        tell(work, view, customer, message, occasion=f"new:{occasion}", priority=Priority.BULK)
    for chat in lost:
        message = messages.access_ended(words, (), (chat,), "")
        about = f"{LOST}:{occasion}:{chat.id}"
        tell(work, view, customer, message, occasion=about, priority=Priority.BULK)
