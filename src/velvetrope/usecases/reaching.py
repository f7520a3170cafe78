"""Customers whose Telegram account is gone: nothing is sent to them, and who pays on is told of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from velvetrope.domain.states import EntitlementKind
from velvetrope.usecases.alerts import close_alert, open_alert

if TYPE_CHECKING:
    from velvetrope.pipeline.work import Work
    from velvetrope.store.models import Customer, Entitlement

PAYS_UNREACHABLE: Final = "pays_unreachable"
#: A code of Telegram's refusals.
GONE: Final = "user_deactivated"


def mark_unreachable(work: Work, customer: Customer, code: str) -> None:
    """Keep that no message arrives, and whether that is because the account is gone."""
    gone = code == GONE and customer.deactivated_at is None
    if customer.blocked_at is None or gone:
        customer.blocked_at = customer.blocked_at or work.now
        if gone:
            customer.deactivated_at = work.now
        work.save(customer)
    if gone:
        sync_unreachable(work, customer)


def mark_reachable(work: Work, customer: Customer) -> bool:
    """Take it back for somebody who is heard again; tells whether that changed the row."""
    if customer.blocked_at is None and customer.deactivated_at is None:
        return False
    was_gone = customer.deactivated_at is not None
    customer.blocked_at = customer.deactivated_at = None
    if was_gone:
        sync_unreachable(work, customer)
    return True


def sync_unreachable(work: Work, customer: Customer) -> None:
    """Have an alert open exactly while somebody goes on paying who can't be reached."""
    subject, whose = f"customer:{customer.id}", customer.integration_id
    paying = [row for row in work.entitlements(customer) if _renews(row)]
    if customer.deactivated_at is None or not paying:
        close_alert(PAYS_UNREACHABLE, work.now, integration_id=whose, subject=subject)
        return
    data = {"customer": customer.id, "subscription": paying[0].external_id}
    open_alert(PAYS_UNREACHABLE, work.now, integration_id=whose, subject=subject, data=data)


def _renews(row: Entitlement) -> bool:
    return row.kind == EntitlementKind.SUBSCRIPTION.value and row.holds and row.ends_at is None
