"""What people are told when something has changed, each occasion once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from velvetrope.domain.access import Reason
from velvetrope.domain.messages import MessageKind
from velvetrope.domain.states import GIVEN, Dispute, EntitlementKind, Priority
from velvetrope.usecases import membership
from velvetrope.usecases.leaving.goodbye import ENDED, is_unsaid
from velvetrope.usecases.money_notices import Before, tell_of_money
from velvetrope.usecases.papers import NO_PAPERS, Papers
from velvetrope.usecases.telling import tell
from velvetrope.usecases.wording import messages
from velvetrope.usecases.wording.language import words_for

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from velvetrope.pipeline.work import Work
    from velvetrope.store.catalogue import ChatView, IntegrationView, PlanView
    from velvetrope.store.models import Customer, Entitlement
    from velvetrope.usecases.entitlements import Change
    from velvetrope.usecases.wording.outgoing import OutgoingMessage
    from velvetrope.usecases.wording.words import Words


#: Why a subscription ends that is paid for late: the days of grace are over, or Stripe's are.
_UNPAID = frozenset({Reason.GRACE_OVER.value, Reason.ENDED.value})


@dataclass(frozen=True, slots=True)
class Telling:
    """One change, and all that is needed to tell of it."""

    work: Work
    view: IntegrationView
    customer: Customer
    plan: PlanView
    change: Change
    papers: Papers
    #: None for a row that was not there before.
    before: Before | None

    @property
    def words(self) -> Words:
        return words_for(self.customer, self.view, self.work.now)

    @property
    def row(self) -> Entitlement:
        return self.change.entitlement

    def doors(self) -> tuple[ChatView, ...]:
        """Give the chats of the plan that the person may enter now."""
        return membership.doors(self.work, self.customer, self.view.chats_of(self.plan))

    def say(
        self,
        kind: MessageKind,
        message: OutgoingMessage,
        occasion: str,
        priority: Priority = Priority.ANSWER,
    ) -> None:
        tell(
            self.work,
            self.view,
            self.customer,
            message,
            occasion=occasion,
            priority=priority,
            kind=kind,
        )

    def again(self, what: str) -> str:
        """Name an occasion that may come back: each change of the decision is one of its own."""
        return f"{what}:{self.row.external_id}:{self.row.decided_at:%Y%m%dT%H%M%S%f}"


def remember(work: Work, customer: Customer) -> dict[int, Before]:
    """Keep what is known before the facts are applied; by the ids of the rows."""
    return {row.id: Before.of(row) for row in work.entitlements(customer)}


def tell_of_changes(
    work: Work,
    view: IntegrationView,
    customer: Customer,
    changes: Sequence[Change],
    *,
    papers: Mapping[str, Papers] | None = None,
    before: Mapping[int, Before] | None = None,
) -> None:
    """Tell what opened, what ended, what is at risk, and what became of the money."""
    for change in changes:
        row = change.entitlement
        plan = view.plan(row.plan_id)
        if plan is None or _is_out_of_reach(customer, row):
            continue
        telling = Telling(
            work,
            view,
            customer,
            plan,
            change,
            (papers or {}).get(row.external_id, NO_PAPERS),
            (before or {}).get(row.id),
        )
        if change.opened:
            _tell_opened(telling)
        elif not (change.closed and _tell_closed(telling)):
            if change.moved and change.now.holds:
                message = messages.plan_changed(telling.words, plan, telling.doors())
                _open(telling, MessageKind.PLAN_CHANGED, message, telling.again("moved"))
            tell_of_money(telling)


def _is_out_of_reach(customer: Customer, row: Entitlement) -> bool:
    """Tell somebody who was given something without ever having spoken to the bot."""
    return customer.started_at is None and row.kind in GIVEN


def _tell_opened(telling: Telling) -> None:
    row, words, plan = telling.row, telling.words, telling.plan
    chats = telling.doors()
    is_first = row.opened_at is None
    if is_first:
        row.opened_at = telling.work.now
        telling.work.save(row)
    if not is_first and not chats and is_unsaid(telling.work, telling.customer, row):
        _tell_stayed(telling)
        return
    if not is_first:
        before = telling.before
        disputed = before is not None and before.dispute == Dispute.OPEN.value
        if disputed and row.dispute == Dispute.WON.value:
            message = messages.dispute_won(words, plan, chats)
        else:
            message = messages.access_restored(words, plan, chats)
        kind = MessageKind.ACCESS_RESTORED
    elif telling.change.now.reason is Reason.GRACE:  # seen so late that it fails by now
        _show_doors(telling, f"opened:{row.external_id}")
        tell_of_money(telling)
        return
    elif row.kind == EntitlementKind.GRANT.value:
        kind = MessageKind.ACCESS_GRANTED
        message = messages.access_granted(words, plan, chats)
    else:
        kind = MessageKind.PAYMENT_RECEIVED
        trial_until = row.trial_end if telling.change.now.reason is Reason.TRIAL else None
        message = messages.payment_received(
            words, plan, chats, trial_until=trial_until, receipt_url=telling.papers.receipt_url
        )
    occasion = f"opened:{row.external_id}" if is_first else telling.again("opened")
    _open(telling, kind, message, occasion)


def _tell_stayed(telling: Telling) -> None:
    """Tell somebody who never left, nor heard that they were to, no more than that they have paid.

    The goodbye that waits for them is dropped by itself.
    """
    before, is_paid = telling.before, telling.change.now.reason is Reason.ACTIVE
    if is_paid and before is not None and before.reason in _UNPAID:
        plan, receipt = telling.plan, telling.papers.receipt_url
        message = messages.payment_recovered(telling.words, plan, receipt)
        telling.say(MessageKind.PAYMENT_RECOVERED, message, telling.again("recovered"))


def _open(telling: Telling, kind: MessageKind, message: OutgoingMessage, occasion: str) -> None:
    """Say that something is open; the way in is shown even if the operator wants no words."""
    if telling.view.messages.is_on(kind):
        telling.say(kind, message, occasion, Priority.GRANT)
    else:
        _show_doors(telling, occasion)


def _show_doors(telling: Telling, occasion: str) -> None:
    """Show the way in and say nothing else."""
    if chats := telling.doors():
        way_in = messages.entry(telling.words, chats)
        work, view, customer = telling.work, telling.view, telling.customer
        tell(work, view, customer, way_in, occasion=occasion, priority=Priority.GRANT)


def _tell_closed(telling: Telling) -> bool:
    """Tell what has ended; False if nothing changes for the person, or if it is not to be told."""
    row, view = telling.row, telling.view
    rows = telling.work.entitlements(telling.customer)
    plans = [view.plan(one.plan_id) for one in rows if one.holds and one.id != row.id]
    still_open = {chat_id for held in plans if held for chat_id in held.chat_ids}
    lost = tuple(chat for chat in view.chats_of(telling.plan) if chat.id not in still_open)
    if not lost or not view.messages.is_on(MessageKind.ACCESS_ENDED):
        return False
    # What Stripe still tries to collect is paid rather than bought a second time.
    bill = telling.papers.bill_url if row.status == "past_due" else None
    message = messages.access_ended(telling.words, (telling.plan,), lost, row.reason, bill_url=bill)
    telling.say(MessageKind.ACCESS_ENDED, message, telling.again(ENDED))
    return True


def payment_pending(
    work: Work, view: IntegrationView, customer: Customer, plan: PlanView, session_id: str
) -> None:
    message = messages.payment_pending(words_for(customer, view, work.now), plan)
    occasion, kind = f"pending:{session_id}", MessageKind.PAYMENT_PENDING
    tell(work, view, customer, message, occasion=occasion, kind=kind)


def payment_did_not_come(
    work: Work, view: IntegrationView, customer: Customer, plan: PlanView, session_id: str
) -> None:
    message = messages.payment_did_not_come(words_for(customer, view, work.now), plan)
    occasion, kind = f"failed:{session_id}", MessageKind.PAYMENT_LOST
    tell(work, view, customer, message, occasion=occasion, kind=kind)
