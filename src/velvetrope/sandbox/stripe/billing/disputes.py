"""Disputes: opened by the bank, answered, closed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from velvetrope.sandbox.stripe.errors import ApiError
from velvetrope.sandbox.stripe.hidden import DAY
from velvetrope.sandbox.stripe.shapes import Obj, new_id

if TYPE_CHECKING:
    from velvetrope.sandbox.stripe.account import Account

CLOSED = frozenset({"won", "lost", "warning_closed", "prevented"})
STATUSES = CLOSED | {
    "needs_response",
    "under_review",
    "warning_needs_response",
    "warning_under_review",
}
_DAYS_TO_ANSWER = 9


def create(
    account: Account, charge: Obj, *, reason: str = "fraudulent", status: str = "needs_response"
) -> Obj:
    """Open a dispute, or an inquiry if `status` is `warning_needs_response`."""
    if charge["disputed"]:
        raise ApiError(f"Charge {charge['id']} is disputed already.", code="charge_disputed")
    inquiry = status.startswith("warning")
    dispute = account.add(
        {
            "id": new_id("du"),
            "object": "dispute",
            "amount": charge["amount"],
            "balance_transactions": [],
            "charge": charge["id"],
            "created": account.now(),
            "currency": charge["currency"],
            "enhanced_eligibility_types": [],
            "evidence": {"enhanced_evidence": {}, "uncategorized_text": None},
            "evidence_details": {
                "due_by": account.now() + _DAYS_TO_ANSWER * DAY,
                "enhanced_eligibility": {},
                "has_evidence": False,
                "past_due": False,
                "submission_count": 0,
                "submission_method": "not_submitted",
            },
            "is_charge_refundable": inquiry,
            "livemode": False,
            "metadata": {},
            "payment_intent": charge["payment_intent"],
            "payment_method_details": {
                "card": {
                    "brand": "visa",
                    "case_type": "inquiry" if inquiry else "chargeback",
                    "network": "visa",
                    "network_reason_code": "10.4",
                },
                "type": "card",
            },
            "reason": reason,
            "status": status,
        }
    )
    with account.changing(charge, "charge.updated"):
        charge["disputed"] = True
    account.emit("charge.dispute.created", dispute)
    if not inquiry:
        account.emit("charge.dispute.funds_withdrawn", dispute)
    return dispute


def move(account: Account, dispute: Obj, status: str) -> None:
    """Bring a dispute into another status, with the events that Stripe sends for it."""
    if dispute["status"] == status:
        return
    withdrawn = not dispute["status"].startswith("warning")
    with account.changing(dispute, "charge.dispute.updated"):
        dispute["status"] = status
        if status in CLOSED or not status.startswith("warning"):
            dispute["is_charge_refundable"] = False
    if not withdrawn and status not in CLOSED and not status.startswith("warning"):
        account.emit("charge.dispute.funds_withdrawn", dispute)
    if status in CLOSED:
        if status == "won" and withdrawn:
            account.emit("charge.dispute.funds_reinstated", dispute)
        account.emit("charge.dispute.closed", dispute)
