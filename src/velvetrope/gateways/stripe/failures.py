"""Since when a subscription owes money, which Stripe tells nowhere in one place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from velvetrope.domain.errors import NeedsOperator
from velvetrope.gateways.stripe.asking import ask, each, read
from velvetrope.gateways.stripe.parts import Reference, Transitions, id_of, moment

if TYPE_CHECKING:
    from datetime import datetime

    from stripe import V1Services

#: An invoice in one of these is money that is due.
_DUE: Final = frozenset({"open", "uncollectible"})
#: An invoice that somebody wrote by hand, which the subscription's standing doesn't follow.
_BY_HAND: Final = "manual"


class _Paying(msgspec.Struct, frozen=True):
    payment_intent: Reference = None


class _Payment(msgspec.Struct, frozen=True):
    payment: _Paying


class _Payments(msgspec.Struct, frozen=True):
    data: tuple[_Payment, ...]


class _Invoice(msgspec.Struct, frozen=True):
    created: int
    payments: _Payments
    status: str | None = None
    billing_reason: str | None = None
    due_date: int | None = None
    status_transitions: Transitions = Transitions()


class _Transaction(msgspec.Struct, frozen=True):
    created: int


class _Charge(msgspec.Struct, frozen=True):
    created: int
    failure_balance_transaction: Reference = None


async def fetch_first_failure(api: V1Services, subscription: str) -> datetime | None:
    """Find when the oldest of the payments that are due failed first; None if none is due.

    Invoices are tried when they are finalized, and cards fail at once, whether a charge tells of
    it or (where the bank wants the person to confirm) not. Later attempts don't count. A bank debit
    fails days after its attempt: the reversal in the balance tells when. An invoice that is sent
    to be paid by hand fails on the day when it was due.
    """
    oldest = await _oldest_due(api, subscription)
    if oldest is None:
        return None
    first = oldest.due_date or oldest.status_transitions.finalized_at or oldest.created
    bounced = await _bounced(api, oldest)
    return moment(max(first, bounced))


async def _oldest_due(api: V1Services, subscription: str) -> _Invoice | None:
    """Go back from the newest invoice to the last one that was paid."""
    oldest = None
    params = {"subscription": subscription, "expand": ["data.payments"]}
    async for member in each(api.invoices.list_async, params):
        invoice = read(member, _Invoice)
        if invoice.billing_reason == _BY_HAND:
            continue
        if invoice.status == "paid":
            break
        if invoice.status in _DUE:
            oldest = invoice
    return oldest


async def _bounced(api: V1Services, invoice: _Invoice) -> int:
    """Give when the first attempt's debit came back, 0 if the first attempt was none."""
    charges = [
        read(member, _Charge)
        for payment in invoice.payments.data
        if (intent := id_of(payment.payment.payment_intent)) is not None
        async for member in each(
            api.charges.list_async,
            {"payment_intent": intent},
        )
    ]
    if not charges:
        return 0
    first = min(charges, key=lambda charge: charge.created)
    reversal = id_of(first.failure_balance_transaction)
    if reversal is None:
        return 0
    try:
        found = await ask(api.balance_transactions.retrieve_async(reversal), _Transaction)
    except NeedsOperator as error:
        if error.code != "stripe_permission":
            raise
        return first.created  # a restricted key that may not see the balance
    return found.created
