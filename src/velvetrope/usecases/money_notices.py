"""What people are told of money that moved, or did not, while their doors stay as they are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from velvetrope.domain.access import Reason
from velvetrope.domain.messages import MessageKind
from velvetrope.domain.states import Dispute, Refund
from velvetrope.usecases.reminding import occasions
from velvetrope.usecases.reminding.composing import compose_failure
from velvetrope.usecases.reminding.occasions import Occasion
from velvetrope.usecases.wording import messages

if TYPE_CHECKING:
    from velvetrope.store.models import Entitlement
    from velvetrope.usecases.notices import Telling
    from velvetrope.usecases.papers import Papers

#: A renewal that was paid longer ago is no news any more; one that was made so near to the end of
#: a trial is the trial's.
_NEWS = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Before:
    """What was known of an entitlement before the facts came."""

    reason: str
    past_due_since: datetime | None
    invoice_id: str
    amount_refunded: int
    dispute: str

    @classmethod
    def of(cls, row: Entitlement) -> Before:
        return cls(row.reason, row.past_due_since, row.invoice_id, row.amount_refunded, row.dispute)


def tell_of_money(telling: Telling) -> None:
    """Tell of a payment that failed, was made good, renewed, went back or is disputed."""
    if telling.change.now.reason is Reason.GRACE:
        _tell_failed(telling)
    if telling.before is None:
        return
    if telling.row.reason == Reason.ACTIVE.value:
        _tell_paid(telling, telling.before)
    if telling.before.invoice_id == telling.row.invoice_id:
        _tell_refund(telling, telling.before)
        _tell_dispute(telling, telling.before)


def _tell_failed(telling: Telling) -> None:
    row, papers = telling.row, telling.papers
    if row.past_due_since is None:
        return
    kind = MessageKind.PAYMENT_FAILED
    if papers.needs_action and telling.view.messages.is_on(MessageKind.PAYMENT_ACTION_REQUIRED):
        kind = MessageKind.PAYMENT_ACTION_REQUIRED
    message = compose_failure(telling.words, kind, row, papers.bill_url)
    if message is not None:
        failure = occasions.failure_of(row.invoice_id, row.past_due_since)
        occasion = Occasion(kind, row.id, failure)
        telling.say(kind, message, str(occasion))


def _tell_paid(telling: Telling, before: Before) -> None:
    words, plan, papers = telling.words, telling.plan, telling.papers
    if before.reason == Reason.GRACE.value and before.past_due_since is not None:
        message = messages.payment_recovered(words, plan, papers.receipt_url)
        failure = occasions.failure_of(before.invoice_id, before.past_due_since)
        occasion = f"recovered:{telling.row.id}:{failure}"
        telling.say(MessageKind.PAYMENT_RECOVERED, message, occasion)
        return
    paid_at = papers.renewed_at
    if paid_at is None or telling.work.now - paid_at >= _NEWS:
        return
    if _is_first(telling.row, papers):
        message = messages.payment_received(
            words, plan, telling.doors(), receipt_url=papers.receipt_url
        )
        kind = MessageKind.PAYMENT_RECEIVED
    else:
        message = messages.renewed(words, plan, telling.row.period_end, papers.receipt_url)
        kind = MessageKind.RENEWED
    telling.say(kind, message, f"renewed:{papers.renewal}")


def _is_first(row: Entitlement, papers: Papers) -> bool:
    """Tell whether a renewal is the first money of all: that with which a trial ends."""
    made, trial_end = papers.renewal_at, row.trial_end
    return made is not None and trial_end is not None and abs(made - trial_end) < _NEWS


def _tell_refund(telling: Telling, before: Before) -> None:
    row, words, plan = telling.row, telling.words, telling.plan
    moved = row.amount_refunded - before.amount_refunded
    if moved > 0:
        amount = words.money(moved, telling.papers.currency or plan.currency)
        whole = row.refund == Refund.FULL.value
        message = messages.refunded(words, plan, amount, whole=whole, stays=row.holds)
    elif moved < 0:
        message = messages.refund_undone(words, plan)
    else:
        return
    telling.say(
        MessageKind.REFUND,
        message,
        telling.again(f"refund:{before.amount_refunded}:{row.amount_refunded}"),
    )


def _tell_dispute(telling: Telling, before: Before) -> None:
    if before.dispute == telling.row.dispute:
        return
    words, plan, holds = telling.words, telling.plan, telling.row.holds
    dispute = Dispute(telling.row.dispute)
    if dispute is Dispute.OPEN:
        message = messages.dispute_opened(words, plan, stays=holds)
    elif dispute is Dispute.WON:
        message = messages.dispute_won(words, plan, telling.doors() if holds else ())
    elif dispute is Dispute.LOST:
        message = messages.dispute_lost(words, plan, stays=holds)
    else:
        return  # an inquiry takes no money: nothing changes for anybody
    telling.say(MessageKind.DISPUTE, message, telling.again(f"dispute:{dispute.value}"))
