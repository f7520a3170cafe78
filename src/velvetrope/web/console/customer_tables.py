"""What belongs to one customer, a screenful of each kind, each read by an index."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Q

from velvetrope.domain.states import EventState
from velvetrope.store.models import (
    Access,
    AuditEntry,
    Checkout,
    Customer,
    Entitlement,
    InboxEvent,
    OutboxItem,
)
from velvetrope.web.console import moments, pieces
from velvetrope.web.console.pieces import Table
from velvetrope.web.console.unfinished import unfinished_events

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.http import HttpRequest

SHOWN = 20
#: How many of the newest events are looked through: events have no index by customer.
_LOOKED_THROUGH = 5000


def tables_of(
    row: Customer, entitlements: Sequence[Entitlement], request: HttpRequest
) -> list[Table]:
    """Give the tables that the operator may see."""
    may = request.user.has_perm
    tables = [_entitlements(row, entitlements), _accesses(row), _checkouts(row)]
    if may("store.view_inboxevent"):
        tables.append(_events(row))
    if may("store.view_outboxitem"):
        tables.append(_items(row))
    if may("store.view_auditentry"):
        tables.append(_audit(row))
    return tables


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


def _events(row: Customer) -> Table:
    return Table(
        "Recent events",
        ("Received", "Source", "Kind", "State", "Error"),
        [
            (
                pieces.row_link(one, moments.when(one.received_at)),
                one.source,
                one.kind,
                pieces.badge(one.outcome or one.state),
                one.error_code or "–",
            )
            for one in recent_events(row)
        ],
        empty="None lately.",
    )


def recent_events(row: Customer) -> list[InboxEvent]:
    """Find events of the customer's lane, or that led to a message or a change on record.

    Unfinished and dead ones are found by their indexes however old they are, finished ones among
    the newest only.
    """
    lane = f"tg:{row.integration_id}:{row.telegram_user_id}"
    items = OutboxItem.objects.filter(customer=row, cause__isnull=False).order_by("-id")
    causes = set(items.values_list("cause", flat=True)[:SHOWN])
    unfinished = unfinished_events().filter(lane=lane)
    dead = InboxEvent.objects.filter(state=EventState.DEAD.value).order_by("-id")
    newest = InboxEvent.objects.order_by("-id").values_list("id", "lane")
    causes |= set(unfinished.values_list("id", flat=True)[:SHOWN])
    causes |= {key for key, its in dead.values_list("id", "lane")[:_LOOKED_THROUGH] if its == lane}
    causes |= {key for key, its in newest[:_LOOKED_THROUGH] if its == lane}
    wanted = sorted((key for key in causes if key is not None), reverse=True)[:SHOWN]
    found = InboxEvent.objects.filter(id__in=wanted).defer("payload", "error")
    return list(found.order_by("-id"))


def _items(row: Customer) -> Table:
    found = OutboxItem.objects.filter(customer=row).defer("params", "error").order_by("-id")
    return Table(
        "Outbox",
        ("Made", "Method", "State", "Occasion", "Tries", "Error"),
        [
            (
                pieces.row_link(one, moments.when(one.created_at)),
                one.method,
                pieces.badge(one.state),
                one.occasion or "–",
                str(one.attempts),
                one.error_code or "–",
            )
            for one in found[:SHOWN]
        ],
        empty="Nothing was sent.",
        more=pieces.list_url("outboxitem", customer=row.pk),
    )


def _audit(row: Customer) -> Table:
    of_row = Q(subject="customer", subject_id=str(row.pk))
    found = AuditEntry.objects.filter(of_row).order_by("-id")[:SHOWN]
    return Table(
        "What operators did",
        ("At", "Who", "What", "Details"),
        [
            (
                moments.when(one.at),
                one.actor,
                one.action,
                pieces.shortened(pieces.plain_line(one.after), 120),
            )
            for one in found
        ],
        empty="Nothing.",
    )
