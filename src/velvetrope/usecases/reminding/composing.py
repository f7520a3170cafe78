"""The words of messages that are held to the facts once more before they are sent."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from velvetrope.domain.messages import MessageKind
from velvetrope.domain.states import EntitlementKind
from velvetrope.usecases.reminding.planning import grace_end_of
from velvetrope.usecases.wording import messages

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from velvetrope.domain.reminders import Reminder
    from velvetrope.store.catalogue import ChatView, IntegrationView, PlanView
    from velvetrope.store.models import Entitlement
    from velvetrope.usecases.wording.outgoing import OutgoingMessage
    from velvetrope.usecases.wording.words import Words


def compose_failure(
    words: Words, kind: MessageKind, row: Entitlement, bill_url: str = ""
) -> OutgoingMessage | None:
    """Say that a renewal is not paid; None if there is nothing to say."""
    plan, until = words.view.plan(row.plan_id), grace_end_of(words.view, row)
    if plan is None:
        return None
    if kind is MessageKind.PAYMENT_ACTION_REQUIRED:
        return messages.payment_action_required(words, plan, until, bill_url)
    return messages.payment_failed(words, plan, until, bill_url)


def compose_reminder(
    words: Words,
    reminder: Reminder,
    row: Entitlement,
    others: Iterable[Entitlement],
    bill_url: str = "",
) -> OutgoingMessage | None:
    """Say what is coming to a row, as it is now; None if that changes nothing for the person.

    `others` are the customer's other rights.
    """
    plan, at = words.view.plan(row.plan_id), reminder.about
    if plan is None:
        return None
    match reminder.kind:
        case MessageKind.TRIAL_ENDS:
            return messages.trial_ends(words, _as_billed(plan, row), at)
        case MessageKind.RENEWS_ON:
            return messages.renews_on(words, _as_billed(plan, row), at)
        case MessageKind.GRACE_ENDS:
            return messages.grace_ends(words, plan, at, bill_url)
        case _:
            chats = closing_then(words.view, row, others, at)
            return _access_ends(words, row, plan, chats, at) if chats else None


def _as_billed(plan: PlanView, row: Entitlement) -> PlanView:
    """Leave out the price where another amount is billed: of a replaced price, or by a coupon."""
    is_billed = row.price_id in {"", plan.price_id} and not row.is_discounted
    return plan if is_billed else replace(plan, unit_amount=None)


def _access_ends(
    words: Words, row: Entitlement, plan: PlanView, chats: Sequence[ChatView], at: datetime
) -> OutgoingMessage:
    if row.kind == EntitlementKind.CLAIM.value:
        return messages.claim_ends(words, chats, at)
    return messages.access_ends(
        words,
        plan,
        chats,
        at,
        cancelled=row.kind == EntitlementKind.SUBSCRIPTION.value,
        paid=row.kind == EntitlementKind.ONE_TIME.value,
    )


def closing_then(
    view: IntegrationView, row: Entitlement, others: Iterable[Entitlement], at: datetime
) -> tuple[ChatView, ...]:
    """Give the chats that close with a row at that time, since no other right keeps them open."""
    plan = view.plan(row.plan_id)
    kept = {
        chat_id
        for other in others
        if other.id != row.id and other.holds and not _ends_by(other, at)
        for chat_id in _chats(view, other)
    }
    return () if plan is None else tuple(c for c in view.chats_of(plan) if c.id not in kept)


def _ends_by(row: Entitlement, at: datetime) -> bool:
    """Tell whether a right is going to be over by then, as far as is known."""
    renews = row.kind == EntitlementKind.SUBSCRIPTION.value
    end = row.ends_at if renews else row.period_end
    return end is not None and end <= at


def _chats(view: IntegrationView, row: Entitlement) -> tuple[int, ...]:
    plan = view.plan(row.plan_id)
    return () if plan is None else plan.chat_ids
