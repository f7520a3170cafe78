"""The timeline of one customer: rows of several tables, put into words and in order."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeVar

from django.db.models import Q

from velvetrope.domain.states import CheckoutState, ItemState, Source
from velvetrope.store.models import AuditEntry, Checkout, InboxEvent, OutboxItem
from velvetrope.store.unfinished import dead_events, unfinished_events
from velvetrope.usecases import chronicle
from velvetrope.usecases.explaining.recorded import entries_of_record
from velvetrope.usecases.explaining.said import entry_of_item
from velvetrope.usecases.explaining.story import Entry, EntryKind, Tone
from velvetrope.usecases.explaining.terms import sentence
from velvetrope.usecases.explaining.told import end_of, entry_of_event
from velvetrope.usecases.orders import MESSAGE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from django.db.models import Model, QuerySet

    from velvetrope.store.models import Customer
    from velvetrope.usecases.explaining.terms import Terms

M = TypeVar("M", bound="Model")
K = TypeVar("K", int, str)

#: How many entries are shown unless all are asked for.
NEWEST: Final = 200
#: Dead letters have an index of their own, and are few; so many of them are looked through.
_DEAD: Final = 5_000
#: SQLite takes only so many values in one statement.
_AT_ONCE: Final = 500

#: Entries of the same moment in this order: what came in, what follows, what is done about it.
_ORDER: Final = {EntryKind.PERSON: -2, EntryKind.ORDER: -1} | {
    kind: place
    for place, kind in enumerate(
        (
            EntryKind.EVENT,
            EntryKind.PURCHASE,
            EntryKind.DECISION,
            EntryKind.PLACE,
            EntryKind.CALL,
            EntryKind.MESSAGE,
        )
    )
}
#: Updates that say no more than the change of place that follows from them.
_VEHICLES: Final = frozenset({"chat_join_request", "chat_member"})

#: What became of an operator's message.
DELIVERIES: Final = {
    ItemState.PENDING: "it is about to be sent",
    ItemState.CLAIMED: "it is being sent",
    ItemState.SENT: "it has arrived",
    ItemState.SKIPPED: "it was not sent, since the person blocks the bot",
    ItemState.SUSPENDED: "it waits until you have mended what is wrong with the bot",
    ItemState.DEAD: "it did not arrive",
    ItemState.DISCARDED: "it did not arrive, and was given up",
}

#: What became of a payment page.
PAGES: Final = {
    CheckoutState.OPEN: "they opened the payment page for {plan}",
    CheckoutState.PENDING: "they opened the payment page for {plan}, and the money is on its way",
    CheckoutState.PAID: "they opened the payment page for {plan}, and paid",
    CheckoutState.EXPIRED: "they opened the payment page for {plan}, and did not pay",
    CheckoutState.FAILED: "they opened the payment page for {plan}, and the money did not come",
}


def timeline_of(
    customer: Customer, terms: Terms, most: int | None = NEWEST
) -> tuple[tuple[Entry, ...], bool]:
    """Give the newest entries (None: all), oldest first, and whether there are older ones.

    Events have no index by customer, which would slow the storing of every event down: they are
    found by what they have caused, and by the indexes of what is unfinished or failed.
    """
    limit = None if most is None else most + 1
    records = _newest(_records(customer), limit)
    items = _newest(OutboxItem.objects.filter(customer=customer).defer("error"), limit)
    events = _events(customer, records, items, limit)
    pages = _newest(Checkout.objects.filter(customer=customer), limit)
    moved_by = {row.cause for row in records if row.action == chronicle.PLACE}
    orders = _orders(customer, records)
    carried_out = {row.pk for row in orders.values()}
    entries = [
        *(
            entry_of_event(row)
            for row in events
            if row.pk not in carried_out and not (row.kind in _VEHICLES and row.pk in moved_by)
        ),
        *(entry for row in records for entry in _of_record(row, terms, orders, records, items)),
        *(entry_of_item(row, terms) for row in items),
        *(_of_page(row, terms) for row in pages),
        _first_met(customer),
    ]
    entries += _tried_again(events, items, terms)
    entries.sort(key=lambda one: (one.at, _ORDER[one.kind], one.source_id or 0))
    cut = entries if most is None else entries[-most:]
    return tuple(cut), len(cut) < len(entries)


def _newest(rows: QuerySet[M], limit: int | None) -> list[M]:
    return list(rows.order_by("-id")[:limit])


def _records(customer: Customer) -> QuerySet[AuditEntry]:
    """Find what is on record of the customer, and of their rights and places."""
    places = [str(key) for key in customer.access_set.values_list("id", flat=True)]
    rights = list(customer.entitlement_set.values_list("external_id", flat=True))
    return AuditEntry.objects.filter(
        Q(subject="customer", subject_id=str(customer.pk))
        | Q(subject="access", subject_id__in=places[:_AT_ONCE])
        | Q(subject="entitlement", subject_id__in=rights[:_AT_ONCE])
    )


def _events(
    customer: Customer,
    records: Sequence[AuditEntry],
    items: Sequence[OutboxItem],
    limit: int | None,
) -> list[InboxEvent]:
    """Find the events that have caused something, and those that wait or failed."""
    lanes = _lanes(customer)
    unfinished = unfinished_events().filter(lane__in=lanes)
    dead = dead_events().order_by("-id")
    causes = {row.cause for row in records} | {row.cause for row in items}
    wanted = {key for key in causes if key is not None}
    wanted |= set(unfinished.values_list("id", flat=True)[:limit])
    wanted |= {key for key, lane in dead.values_list("id", "lane")[:_DEAD] if lane in lanes}
    newest = sorted(wanted, reverse=True)[:limit]
    return [row for part in _parts(newest) for row in InboxEvent.objects.filter(id__in=part)]


def _lanes(customer: Customer) -> set[str]:
    own = f"tg:{customer.integration_id}:{customer.telegram_user_id}"
    account = customer.integration.stripe_account_id
    if not customer.stripe_customer_id:
        return {own}
    return {own, f"stripe:{account}:{customer.stripe_customer_id}"}


def _orders(customer: Customer, records: Sequence[AuditEntry]) -> dict[int, InboxEvent]:
    """Find the jobs that carry orders of operators out, by the ids of the orders' entries."""
    names = {
        row.pk: str(row.after["job"])
        for row in records
        if isinstance(row.after, dict) and row.after.get("job")
    }
    found: dict[str, InboxEvent] = {}
    for part in _parts(list(names.values())):
        jobs = InboxEvent.objects.filter(
            source=Source.JOB.value, account=customer.integration_id, external_id__in=part
        )
        found.update((row.external_id, row) for row in jobs.defer("payload", "error"))
    return {key: found[name] for key, name in names.items() if name in found}


def _of_record(
    row: AuditEntry,
    terms: Terms,
    orders: dict[int, InboxEvent],
    records: Iterable[AuditEntry],
    items: Iterable[OutboxItem],
) -> list[Entry]:
    told = entries_of_record(row, terms)
    job = orders.get(row.pk)
    if job is None:
        return told
    end, tone = end_of(job)
    sent = next((one for one in items if one.cause == job.pk and job.kind == MESSAGE), None)
    if not end and sent is not None:
        end, tone = DELIVERIES[ItemState(sent.state)], entry_of_item(sent, terms).tone
    elif not end:
        causes = {one.cause for one in records} | {one.cause for one in items}
        followed = job.pk in causes
        end = "done" if followed else "done, and nothing had to be changed"
    return [
        replace(one, text=sentence(f"{one.text.rstrip('.')} – {end}"), tone=tone, job_id=job.pk)
        for one in told
    ]


def _tried_again(
    events: Sequence[InboxEvent], items: Sequence[OutboxItem], terms: Terms
) -> list[Entry]:
    """Find what operators did about events and calls that had failed."""
    found: list[Entry] = []
    for subject, rows in (("event", events), ("item", items)):
        for part in _parts([str(row.pk) for row in rows]):
            records = AuditEntry.objects.filter(subject=subject, subject_id__in=part)
            found += [entry for row in records for entry in entries_of_record(row, terms)]
    return found


def _of_page(row: Checkout, terms: Terms) -> Entry:
    return Entry(
        at=row.created_at,
        kind=EntryKind.PURCHASE,
        text=sentence(PAGES[CheckoutState(row.state)].format(plan=terms.plan(row.plan_id))),
        detail=row.stripe_session_id,
        tone=Tone.WARN if row.state == CheckoutState.PENDING else Tone.PLAIN,
        source="checkout",
        source_id=row.pk,
    )


def _first_met(customer: Customer) -> Entry:
    came = f", by a link that says «{customer.source}»" if customer.source else ""
    return Entry(
        at=customer.created_at,
        kind=EntryKind.PERSON,
        text=sentence(f"the bot met this person for the first time{came}"),
        source="customer",
        source_id=customer.pk,
    )


def _parts(keys: Sequence[K]) -> Iterable[Sequence[K]]:
    return (keys[start : start + _AT_ONCE] for start in range(0, len(keys), _AT_ONCE))
