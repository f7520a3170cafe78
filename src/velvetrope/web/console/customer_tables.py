"""What belongs to one customer, a screenful of each kind, each read by an index."""

from __future__ import annotations

from typing import TYPE_CHECKING

from velvetrope.store.models import Access, Checkout, Customer, Entitlement
from velvetrope.web.console import moments, pieces
from velvetrope.web.console.pieces import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

SHOWN = 20


def tables_of(row: Customer, entitlements: Sequence[Entitlement]) -> list[Table]:
    """Give the rows that the explanation rests on."""
    return [_entitlements(row, entitlements), _accesses(row), _checkouts(row)]


def entitlements_of(row: Customer) -> list[Entitlement]:
    """Give the newest entitlements with their plans."""
    rows = Entitlement.objects.filter(customer=row).select_related("plan")
    return list(rows.order_by("-id")[:SHOWN])


def _entitlements(row: Customer, found: Sequence[Entitlement]) -> Table:
    return Table(
        "Entitlements",
        ("Plan", "Ground", "Status", "Opens", "Reason", "Until", "Looked at"),
        [
            (
                pieces.row_link(one, one.plan),
                pieces.code(one.external_id),
                pieces.badge(one.status),
                pieces.yes_no(one.holds),
                one.reason.replace("_", " "),
                moments.when(one.ends_at or one.period_end),
                moments.ago(one.synced_at or one.decided_at),
            )
            for one in found
        ],
        empty="Nothing was paid for or granted.",
        more=pieces.list_url("entitlement", customer=row.pk),
    )


def _accesses(row: Customer) -> Table:
    found = Access.objects.filter(customer=row).select_related("chat").order_by("-id")[:SHOWN]
    return Table(
        "Chats",
        (
            "Chat",
            "Should be in",
            "Seen",
            "Seen at",
            "Asked to enter",
            "Let in",
            "Under way",
            "Problem",
        ),
        [
            (
                pieces.row_link(one, one.chat),
                pieces.yes_no(one.desired),
                pieces.badge(one.observed),
                moments.ago(one.observed_at),
                moments.ago(one.requested_at),
                moments.ago(one.let_in_at),
                one.action or "–",
                one.problem or "–",
            )
            for one in found
        ],
        empty="Never seen in a chat.",
        more=pieces.list_url("access", customer=row.pk),
    )


def _checkouts(row: Customer) -> Table:
    found = Checkout.objects.filter(customer=row).select_related("plan").order_by("-id")[:SHOWN]
    return Table(
        "Checkouts",
        ("Plan", "State", "Session", "Made", "Expires"),
        [
            (
                pieces.row_link(one, one.plan),
                pieces.badge(one.state),
                pieces.code(one.stripe_session_id),
                moments.when(one.created_at),
                moments.when(one.expires_at),
            )
            for one in found
        ],
        empty="No payment was begun.",
        more=pieces.list_url("checkout", customer=row.pk),
    )
