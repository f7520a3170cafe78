"""What a customer holds, in the terms of the messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from velvetrope.domain.access import Reason
from velvetrope.domain.states import CheckoutState, EntitlementKind
from velvetrope.usecases import membership
from velvetrope.usecases.entitlements import standing_of
from velvetrope.usecases.wording import messages

if TYPE_CHECKING:
    from collections.abc import Iterable

    from velvetrope.domain.standing import Standing
    from velvetrope.pipeline.work import Work
    from velvetrope.store.catalogue import ChatView, IntegrationView, PlanView
    from velvetrope.store.models import Customer, Entitlement
    from velvetrope.usecases.wording.outgoing import OutgoingMessage
    from velvetrope.usecases.wording.words import Words


def holds_anything(work: Work, customer: Customer) -> bool:
    return any(row.holds for row in work.entitlements(customer))


def holds_plan(work: Work, customer: Customer, plan_id: int) -> bool:
    return any(
        holds_for_good(row) and row.plan_id == plan_id for row in work.entitlements(customer)
    )


def holds_for_good(row: Entitlement) -> bool:
    """Tell whether there is nothing left to buy: a claim is there to be bought before it ends."""
    return row.holds and row.kind != EntitlementKind.CLAIM.value


def owes_for_plan(rows: Iterable[Entitlement], plan_id: int) -> bool:
    """Tell whether a subscription to the plan goes on, at Stripe, that is not paid for.

    Stripe may still get that money: another subscription would be paid for twice.
    """
    return any(
        row.plan_id == plan_id
        and (row.status == "past_due" or row.reason == Reason.COLLECTION_PAUSED)
        for row in rows
    )


def standings(work: Work, view: IntegrationView, customer: Customer) -> list[Standing]:
    return [standing_of(view.policy, row, work.now) for row in work.entitlements(customer)]


def doors(work: Work, view: IntegrationView, customer: Customer) -> tuple[ChatView, ...]:
    """Give the chats that are open to a person who is neither inside nor waiting at the door."""
    opened = membership.chats_opened(work, view, customer)
    return membership.doors(work, customer, [chat for chat in view.chats if chat.id in opened])


def pending(work: Work, view: IntegrationView, customer: Customer) -> tuple[PlanView, ...]:
    """Give the plans whose money is on its way."""
    ids = {
        row.plan_id for row in work.checkouts(customer) if row.state == CheckoutState.PENDING.value
    }
    return tuple(plan for plan in view.plans if plan.id in ids)


def status(work: Work, words: Words, customer: Customer) -> OutgoingMessage:
    view = words.view
    return messages.status(
        words,
        standings(work, view, customer),
        doors=doors(work, view, customer),
        pending=pending(work, view, customer),
    )


def already_yours(work: Work, words: Words, customer: Customer, plan: PlanView) -> OutgoingMessage:
    view = words.view
    return messages.already_yours(
        words, plan, standings(work, view, customer), doors=doors(work, view, customer)
    )
