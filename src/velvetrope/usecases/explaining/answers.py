"""Questions that operators ask of a customer: paid? when out? told what?."""

from __future__ import annotations

from typing import TYPE_CHECKING

from velvetrope.domain.access import Reason
from velvetrope.domain.states import CheckoutState, EntitlementKind, ItemState
from velvetrope.store.models import Checkout, OutboxItem
from velvetrope.usecases.explaining.rights import because_of, next_by_time
from velvetrope.usecases.explaining.said import occasion_in_words
from velvetrope.usecases.explaining.story import Answer
from velvetrope.usecases.explaining.terms import sentence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from velvetrope.store.models import Customer, Entitlement
    from velvetrope.usecases.explaining.terms import Terms

#: Rights that are named one by one.
_NAMED = 3
_BOUGHT = (EntitlementKind.SUBSCRIPTION.value, EntitlementKind.ONE_TIME.value)


def answers_for(
    customer: Customer, rights: Sequence[Entitlement], terms: Terms
) -> tuple[Answer, ...]:
    """Answer each question in a sentence or two; `rights` are all of the person's."""
    return (
        Answer("Have they ever paid?", _paid(customer, rights, terms)),
        Answer("What happens next, and when are they out?", _next(rights, terms)),
        Answer("What did the bot tell them last?", _told(customer, terms)),
    )


def _paid(customer: Customer, rights: Sequence[Entitlement], terms: Terms) -> str:
    bought = [row for row in rights if row.kind in _BOUGHT]
    paid = [row for row in bought if row.opened_at is not None and not _is_on_trial(row, terms)]
    if paid:
        named = [
            f"{terms.ground_of(row)}, since {terms.day(row.starts_at)}" for row in paid[-_NAMED:]
        ]
        more = f" (and {len(paid) - _NAMED} before)" if len(paid) > _NAMED else ""
        return sentence(f"yes: {'; '.join(named)}{more}")
    by_hand = any(row.kind == EntitlementKind.GRANT for row in rights)
    given = " Access was given by hand." if by_hand else ""
    if bought:
        why = because_of(bought[-1], terms)
        return sentence(f"not yet: {why}") + given
    page = Checkout.objects.filter(customer=customer).order_by("-id").first()
    if page is None:
        return f"No, and they never opened a payment page.{given}"
    opened = (
        f"they opened the payment page for {terms.plan(page.plan_id)} "
        f"on {terms.moment(page.created_at)}"
    )
    ends = {
        CheckoutState.PENDING.value: "and the money is on its way",
        CheckoutState.PAID.value: "and paid, which Stripe has not confirmed as a right yet",
        CheckoutState.FAILED.value: "and the money did not come",
    }
    return sentence(f"no: {opened}, {ends.get(page.state, 'and did not pay')}") + given


def _is_on_trial(row: Entitlement, terms: Terms) -> bool:
    return row.reason == Reason.TRIAL or (row.trial_end is not None and row.trial_end > terms.now)


def _next(rights: Sequence[Entitlement], terms: Terms) -> str:
    holding = [row for row in rights if row.holds]
    coming = [text for row in holding if (text := next_by_time(row, terms))]
    notices = [row.notice_at for row in holding if row.notice_at is not None]
    if notices and min(notices) > terms.now:
        coming.append(f"{terms.moment(min(notices))}: the bot writes to them about what is coming")
    if coming:
        return " ".join(sentence(text) for text in coming)
    if holding:
        return "Nothing: their access has no end."
    return "Nothing by itself: they come in again once they pay, or are given access."


def _told(customer: Customer, terms: Terms) -> str:
    sent = OutboxItem.objects.filter(
        customer=customer, state=ItemState.SENT.value, occasion__isnull=False
    )
    last = sent.order_by("-id").values_list("occasion", "finished_at").first()
    blocked = customer.blocked_at
    silence = "" if blocked is None else f"They block the bot since {terms.moment(blocked)}. "
    if last is None or last[0] is None or last[1] is None:
        return f"{silence}Nothing of its own accord yet."
    return f"{silence}«{sentence(occasion_in_words(last[0]))[:-1]}», on {terms.moment(last[1])}."
