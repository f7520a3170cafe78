"""A payment together with all that may undo it, which Stripe keeps in five places."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

import msgspec

from velvetrope.gateways.stripe.asking import ask, each, read
from velvetrope.gateways.stripe.parts import (
    InvoiceParent,
    Metadata,
    Named,
    Reference,
    id_of,
    moment,
)
from velvetrope.gateways.stripe.snapshots import DisputeSnapshot, PaymentSnapshot

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import stripe
    from stripe import V1Services

#: A refund in any other state has moved money or is about to.
_UNDONE_REFUNDS: Final = frozenset({"failed", "canceled"})


#: The charge has the receipt.
_WITH_CHARGE: Final[Any] = {"expand": ["latest_charge"]}


class _Charge(msgspec.Struct, frozen=True):
    receipt_url: str | None = None


class _Intent(msgspec.Struct, frozen=True):
    id: str
    status: str
    amount: int
    amount_received: int
    currency: str
    created: int
    livemode: bool
    customer: Reference = None
    metadata: Metadata = None
    latest_charge: str | _Charge | None = None


class _Refund(msgspec.Struct, frozen=True):
    amount: int
    status: str | None = None


class _InvoicePayment(msgspec.Struct, frozen=True):
    invoice: str | Named


class _Invoice(msgspec.Struct, frozen=True):
    parent: InvoiceParent | None = None


async def fetch_payment(api: V1Services, payment_intent: str) -> PaymentSnapshot:
    """Fetch a payment, its refunds, disputes, invoice and session; the five at the same time."""
    of_payment = {"payment_intent": payment_intent}
    of_invoice = {"payment": {"type": "payment_intent", **of_payment}}
    try:
        async with asyncio.TaskGroup() as group:
            asked = group.create_task(
                ask(api.payment_intents.retrieve_async(payment_intent, _WITH_CHARGE), _Intent)
            )
            refunds = group.create_task(_all(api.refunds.list_async, of_payment, _Refund))
            disputes = group.create_task(_all(api.disputes.list_async, of_payment, DisputeSnapshot))
            invoices = group.create_task(
                _all(api.invoice_payments.list_async, of_invoice, _InvoicePayment)
            )
            sessions = group.create_task(_all(api.checkout.sessions.list_async, of_payment, Named))
    except ExceptionGroup as failures:
        failure = failures.exceptions[0]
    else:
        intent = asked.result()
        invoice = next((id_of(paid.invoice) for paid in invoices.result()), None)
        charge = intent.latest_charge
        counted = (r.amount for r in refunds.result() if r.status not in _UNDONE_REFUNDS)
        return PaymentSnapshot(
            id=intent.id,
            status=intent.status,
            customer=id_of(intent.customer),
            metadata=intent.metadata or {},
            amount=intent.amount,
            amount_received=intent.amount_received,
            amount_refunded=sum(counted),
            currency=intent.currency,
            disputes=tuple(disputes.result()),
            invoice=invoice,
            subscription=await _subscription_of(api, invoice),
            session=next((session.id for session in sessions.result()), None),
            created=moment(intent.created),
            livemode=intent.livemode,
            receipt_url=charge.receipt_url if isinstance(charge, _Charge) else None,
        )
    raise failure


class _Attempt(msgspec.Struct, frozen=True):
    status: str


class _AttemptedPayment(msgspec.Struct, frozen=True):
    payment_intent: str | _Attempt | None = None


class _AttemptOfInvoice(msgspec.Struct, frozen=True):
    payment: _AttemptedPayment


async def fetch_needs_action(api: V1Services, invoice: str) -> bool:
    """Tell whether an invoice waits for its customer, who has to confirm the payment."""
    params = {"invoice": invoice, "expand": ["data.payment.payment_intent"]}
    attempts = await _all(api.invoice_payments.list_async, params, _AttemptOfInvoice)
    intents = (one.payment.payment_intent for one in attempts)
    return any(isinstance(one, _Attempt) and one.status == "requires_action" for one in intents)


async def _all(
    list_page: Callable[[Any], Awaitable[stripe.StripeObject]],
    params: dict[str, Any],
    kind: type[msgspec.Struct],
) -> list[Any]:
    return [read(member, kind) async for member in each(list_page, params)]


async def _subscription_of(api: V1Services, invoice: str | None) -> str | None:
    if invoice is None:
        return None
    found = await ask(api.invoices.retrieve_async(invoice), _Invoice)
    details = found.parent.subscription_details if found.parent else None
    return id_of(details.subscription) if details else None
