"""What people are told of their own accord, each occasion once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from velvetrope.domain.access import Reason
from velvetrope.domain.states import GIVEN, EntitlementKind, Priority
from velvetrope.usecases import membership
from velvetrope.usecases.telling import tell
from velvetrope.usecases.wording import messages
from velvetrope.usecases.wording.language import words_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from velvetrope.pipeline.work import Work
    from velvetrope.store.catalogue import IntegrationView, PlanView
    from velvetrope.store.models import Customer, Entitlement
    from velvetrope.usecases.entitlements import Change


def tell_of_changes(
    work: Work, view: IntegrationView, customer: Customer, changes: Sequence[Change]
) -> None:
    """Tell what opened, what ended and what is at risk."""
    for change in changes:
        plan = view.plan(change.entitlement.plan_id)
        if plan is None or _is_out_of_reach(customer, change.entitlement):
            continue
        if change.opened:
            _tell_opened(work, view, customer, plan, change)
        elif change.moved and change.now.holds:
            chats = membership.doors(work, customer, view.chats_of(plan))
            message = messages.plan_changed(words_for(customer, view, work.now), plan, chats)
            occasion = _again("moved", change.entitlement)
            tell(work, view, customer, message, occasion=occasion, priority=Priority.GRANT)
        elif change.closed:
            _tell_closed(work, view, customer, plan, change.entitlement)
        elif change.now.reason is Reason.GRACE and change.now.recheck_at is not None:
            words = words_for(customer, view, work.now)
            since = change.entitlement.past_due_since or work.now
            tell(
                work,
                view,
                customer,
                messages.payment_failed(words, plan, change.now.recheck_at),
                occasion=f"past_due:{change.entitlement.external_id}:{since:%Y%m%dT%H%M%S}",
            )


def _is_out_of_reach(customer: Customer, row: Entitlement) -> bool:
    """Tell somebody who was given something without ever having spoken to the bot."""
    return customer.started_at is None and row.kind in GIVEN


def _tell_opened(
    work: Work, view: IntegrationView, customer: Customer, plan: PlanView, change: Change
) -> None:
    words = words_for(customer, view, work.now)
    row = change.entitlement
    chats = membership.doors(work, customer, view.chats_of(plan))
    is_first = row.opened_at is None
    if is_first:
        row.opened_at = work.now
        work.save(row)
    if not is_first:
        message = messages.access_restored(words, plan, chats)
    elif row.kind == EntitlementKind.GRANT.value:
        message = messages.access_granted(words, plan, chats)
    else:
        trial_until = row.trial_end if change.now.reason is Reason.TRIAL else None
        message = messages.payment_received(words, plan, chats, trial_until=trial_until)
    occasion = f"opened:{row.external_id}" if is_first else _again("opened", row)
    tell(work, view, customer, message, occasion=occasion, priority=Priority.GRANT)


def _tell_closed(
    work: Work, view: IntegrationView, customer: Customer, plan: PlanView, row: Entitlement
) -> None:
    others = [one for one in work.entitlements(customer) if one.holds and one.id != row.id]
    plans = [view.plan(other.plan_id) for other in others]
    still_open = {chat_id for held in plans if held for chat_id in held.chat_ids}
    lost = tuple(chat for chat in view.chats_of(plan) if chat.id not in still_open)
    if not lost:
        return  # another entitlement keeps every door open: nothing changes for the person
    words = words_for(customer, view, work.now)
    tell(
        work,
        view,
        customer,
        messages.access_ended(words, (plan,), lost, row.reason),
        occasion=_again("ended", row),
    )


def _again(what: str, row: Entitlement) -> str:
    """Name an occasion that may come back: each change of the decision is one of its own."""
    return f"{what}:{row.external_id}:{row.decided_at:%Y%m%dT%H%M%S%f}"


def payment_pending(
    work: Work, view: IntegrationView, customer: Customer, plan: PlanView, session_id: str
) -> None:
    words = words_for(customer, view, work.now)
    message = messages.payment_pending(words, plan)
    tell(work, view, customer, message, occasion=f"pending:{session_id}")


def payment_did_not_come(
    work: Work, view: IntegrationView, customer: Customer, plan: PlanView, session_id: str
) -> None:
    words = words_for(customer, view, work.now)
    message = messages.payment_did_not_come(words, plan)
    tell(work, view, customer, message, occasion=f"failed:{session_id}")
