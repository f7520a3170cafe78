"""Where Stripe shows a customer the money behind an entitlement, as it was just seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from velvetrope.gateways.stripe.snapshots import InvoiceSnapshot, PaymentSnapshot
    from velvetrope.usecases.billing.facts import BillingFacts

#: Stripe's word for an invoice that a new period brought.
_CYCLE = "subscription_cycle"


@dataclass(frozen=True, slots=True)
class Papers:
    """What there is to look at; an empty address is left out of messages."""

    #: Of what was paid.
    receipt_url: str = ""
    #: Where an open bill is paid, or its payment confirmed.
    bill_url: str = ""
    #: The bank wants the customer to confirm the payment.
    needs_action: bool = False
    #: The invoice of a renewal that was paid, when it was made and when it was paid.
    renewal: str = ""
    renewal_at: datetime | None = None
    renewed_at: datetime | None = None
    #: In which currency money was seen to move; empty if none was.
    currency: str = ""


NO_PAPERS = Papers()


def papers_of(facts: BillingFacts) -> Mapping[str, Papers]:
    """Give the papers by the names of subscriptions and one-time payments."""
    found = {
        one.id: _of_invoice(one.invoice) for one in facts.subscriptions if one.invoice is not None
    }
    for payment in facts.payments:
        if payment.subscription is None:
            found[payment.id] = _of_payment(payment)
    return found


def _of_invoice(invoice: InvoiceSnapshot) -> Papers:
    url = invoice.hosted_invoice_url or ""
    paid = invoice.status == "paid" and invoice.amount_paid > 0
    renewed = paid and invoice.reason == _CYCLE
    return Papers(
        receipt_url=url if paid else "",
        bill_url=url if invoice.status == "open" else "",
        needs_action=invoice.needs_action,
        renewal=invoice.id if renewed else "",
        renewal_at=invoice.created if renewed else None,
        renewed_at=invoice.paid_at if renewed else None,
        currency=invoice.currency,
    )


def _of_payment(payment: PaymentSnapshot) -> Papers:
    paid = payment.status == "succeeded"
    url = payment.receipt_url or ""
    return Papers(receipt_url=url if paid else "", currency=payment.currency)
