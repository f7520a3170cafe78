"""The overview: what an operator needs first when something is wrong in the night."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from django.core.cache import cache
from django.db.models import Min, Q

from velvetrope.domain.states import GIVEN, ItemState, Presence, Registration
from velvetrope.store.models import (
    Access,
    Alert,
    Chat,
    Customer,
    Entitlement,
    InboxEvent,
    Integration,
    Lane,
    Plan,
    StripeAccount,
)
from velvetrope.store.unfinished import unfinished_events, unfinished_items
from velvetrope.usecases import operations
from velvetrope.usecases.wording.problems import explain
from velvetrope.web.console import alerts, moments, pieces
from velvetrope.web.console.integrations import problems_of
from velvetrope.web.console.pieces import Table
from velvetrope.web.console.prices import price_of
from velvetrope.web.console.rights import who

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet
    from django.http import HttpRequest

#: Counts stop here: beyond it the number no longer matters.
MOST: Final = 1000
#: Seconds that counts over whole tables are remembered.
COUNTS_KEPT: Final = 300
_NEWEST: Final = 8
_SHOWN_PROBLEMS: Final = 20
#: Work that waits longer than this is worth a look.
_LATE: Final = timedelta(minutes=5)


def fill(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add what the overview shows, as far as the operator may see it."""
    may = request.user.has_perm
    context["title"] = "Overview"
    context["tiles"] = [*_work_tiles(), *_people_tiles()] if may("store.view_inboxevent") else []
    context["alerts"] = alerts.open_ones() if may("store.view_alert") else {}
    context["troubles"] = _troubles() if may("store.view_integration") else []
    context["is_new"] = may("store.add_integration") and not Integration.objects.exists()
    tables = []
    if may("store.view_entitlement"):
        tables.append(_payments())
    if may("store.view_inboxevent"):
        tables.append(_events())
    context["tables"] = tables
    return context


def dead_letters_badge(request: HttpRequest) -> str:
    """Give the number in the menu; nothing when all is well."""
    if not request.user.has_perm("store.view_inboxevent"):
        return ""
    number = operations.count_dead(most=MOST)
    return capped(number) if number else ""


def capped(number: int) -> str:
    return f"{MOST:,}+" if number >= MOST else str(number)


def _tile(label: str, value: object, url: str, look: str = "") -> dict[str, object]:
    return {"label": label, "value": value, "url": url, "look": look}


def _work_tiles() -> list[dict[str, object]]:
    dead = operations.count_dead(most=MOST)
    suspended = _count(unfinished_items().filter(state=ItemState.SUSPENDED))
    waiting = _count(unfinished_events())
    to_send = _count(unfinished_items().exclude(state=ItemState.SUSPENDED))
    held = _count(Lane.objects.all())
    oldest = _oldest_pending()
    late = oldest is not None and moments.now() - oldest > _LATE
    return [
        _tile("dead letters", capped(dead), pieces.page_url("dead_letters"), "bad" if dead else ""),
        _tile(
            "calls wait for a fix",
            capped(suspended),
            pieces.list_url("outboxitem", state="suspended"),
            "warn" if suspended else "",
        ),
        _tile(
            "oldest unfinished event",
            moments.ago(oldest),
            pieces.list_url("inboxevent", state="pending"),
            "bad" if late else "",
        ),
        _tile("events in hand", capped(waiting), pieces.list_url("inboxevent")),
        _tile("calls to make", capped(to_send), pieces.list_url("outboxitem")),
        _tile("lanes held back", capped(held), pieces.list_url("lane"), "warn" if held else ""),
    ]


def _people_tiles() -> list[dict[str, object]]:
    inside, customers, open_rights = _counts()
    return [
        _tile("let in now", f"{inside:,}", pieces.list_url("access", observed__exact="inside")),
        _tile(
            "entitlements that open",
            f"{open_rights:,}",
            pieces.list_url("entitlement", holds__exact=1),
        ),
        _tile("customers", f"{customers:,}", pieces.list_url("customer")),
    ]


def _counts() -> tuple[int, int, int]:
    """Count people over whole tables, once in a while: with a million it takes a moment."""
    found: tuple[int, int, int] | None = cache.get("console-counts")
    if found is None:
        inside = Access.objects.filter(desired=True, observed=Presence.INSIDE.value).count()
        open_rights = Entitlement.objects.filter(holds=True).count()
        found = (inside, Customer.objects.count(), open_rights)
        size = sum(found)
        # A small installation costs nothing to count, and wants to see what it just did.
        cache.set("console-counts", found, COUNTS_KEPT if size > 10 * MOST else 1)
    return found


def _count(rows: QuerySet[Any]) -> int:
    return rows.order_by()[:MOST].count()


def _oldest_pending() -> datetime | None:
    """Give when the oldest unfinished event came that isn't meant to wait."""
    rows = unfinished_events().filter(Q(due_at__isnull=True) | Q(due_at__lte=moments.now()))
    found: datetime | None = rows.aggregate(oldest=Min("received_at"))["oldest"]
    return found


def _troubles() -> list[dict[str, object]]:
    """Give integrations with something to mend that no alert tells of yet, the fix in words."""
    of_chats = Chat.objects.filter(problem__isnull=False).values("integration_id")
    of_plans = Plan.objects.filter(problem__isnull=False).values("integration_id")
    of_accounts = StripeAccount.objects.filter(problem__isnull=False).values("id")
    wrong = (
        ~Q(registration=Registration.REGISTERED)
        | ~Q(problems=[])
        | Q(id__in=of_chats)
        | Q(id__in=of_plans)
        | Q(stripe_account__in=of_accounts)
    )
    rows = (
        Integration.objects.filter(wrong, active=True)
        .defer("token", "webhook_secret")
        .select_related("stripe_account")
        .prefetch_related("chats", "plans")
        .order_by("name")[:_SHOWN_PROBLEMS]
    )
    alerted = set(
        Alert.objects.filter(closed_at=None).values_list(
            "integration_id", "stripe_account_id", "code"
        )
    )
    troubles: list[dict[str, object]] = []
    for row in rows:
        known = {(row.pk, None), (None, row.stripe_account_id)}
        told = {code for *whose, code in alerted if tuple(whose) in known}
        problems = problems_of(row, list(row.chats.all()), list(row.plans.all()))
        untold = [one for one in problems if one.code not in told]
        if untold or not problems:
            troubles.append(
                {
                    "name": row.name,
                    "url": pieces.row_url("integration", row.pk),
                    "badge": pieces.badge(row.registration),
                    "problems": untold,
                }
            )
    return troubles


def _payments() -> Table:
    rows = (
        Entitlement.objects.exclude(kind__in=GIVEN)
        .select_related("customer", "plan")
        .order_by("-id")[:_NEWEST]
    )
    return Table(
        "Newest payments",
        ("When", "Customer", "Plan", "Price", "Status"),
        [
            (
                pieces.row_link(row, moments.ago(row.created_at)),
                pieces.row_link(row.customer, who(row.customer)),
                str(row.plan),
                price_of(row.plan),
                pieces.badge(row.status),
            )
            for row in rows
        ],
        empty="Nobody has paid yet.",
        more=pieces.list_url("entitlement"),
    )


def _events() -> Table:
    rows = InboxEvent.objects.defer("payload").order_by("-id")[:_NEWEST]
    return Table(
        "Newest events",
        ("When", "Source", "Kind", "State", "Error"),
        [
            (
                pieces.row_link(row, moments.ago(row.received_at)),
                row.source,
                row.kind,
                pieces.badge(row.outcome or row.state),
                explain(row.error_code).what if row.error_code else "–",
            )
            for row in rows
        ],
        empty="Nothing has come in yet.",
        more=pieces.list_url("inboxevent"),
    )
