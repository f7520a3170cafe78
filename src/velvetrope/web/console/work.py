"""The pages of the pipeline: events, outbox, held lanes. Nothing of it is edited by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin
from django.db.models import Q, QuerySet

from velvetrope.domain.states import EventState, ItemState, Source
from velvetrope.store.models import InboxEvent, Integration, Lane, OutboxItem, StripeAccount
from velvetrope.store.unfinished import unfinished_events
from velvetrope.usecases import operations
from velvetrope.usecases.operations import Kind, Ref
from velvetrope.usecases.wording.problems import Explanation, explain
from velvetrope.web.console import moments, payloads, pieces
from velvetrope.web.console.actors import actor_of
from velvetrope.web.console.base import PageAction, RecordAdmin
from velvetrope.web.console.filters import IntegrationFilter
from velvetrope.web.console.people_search import customer_ids, number_of
from velvetrope.web.console.pieces import Block, Fact, Record, Table
from velvetrope.web.console.rights import who
from velvetrope.web.console.unfinished import EventStateFilter, ItemStateFilter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.http import HttpRequest
    from django.utils.safestring import SafeString

DISCARD_QUESTION = "It stays on record and is never tried again. Discard it?"
#: Who may read what people and vendors wrote.
PAYLOAD_PERMISSION = "store.view_payload"


class EventAdmin(RecordAdmin[InboxEvent]):
    audit_subject = "event"
    list_display = ("received", "source", "kind", "stated", "lane", "attempts", "error_code")
    list_filter = (EventStateFilter, "source", "outcome")
    search_fields = ("id",)  # what shows the box; get_search_results does it
    search_help_text = "evt_…, update id, job's id, our id, or a whole lane"
    ordering = ("-id",)
    sortable_by = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[InboxEvent]:
        return super().get_queryset(request).defer("payload", "error")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[InboxEvent], search_term: str
    ) -> tuple[QuerySet[InboxEvent], bool]:  # fmt: skip
        term = search_term.strip()
        if not term:
            return queryset, False
        if term.startswith(("tg:", "stripe:", "job:")):  # only unfinished ones have an index
            return unfinished_events(queryset).filter(lane=term), False
        # The unique index leads with the source and the account, so it is told which there are.
        ours = Q(source__in=[Source.TELEGRAM.value, Source.JOB.value]) & Q(
            account__in=Integration.objects.values("id")
        )
        stripes = Q(source=Source.STRIPE.value, account__in=StripeAccount.objects.values("id"))
        found = Q(external_id=term) & (stripes if term.startswith("evt_") else ours)
        if (number := number_of(term)) is not None:
            found |= Q(id=number)
        return queryset.filter(found), False

    @admin.display(description="received")
    def received(self, row: InboxEvent) -> SafeString:
        return moments.when(row.received_at)

    @admin.display(description="state")
    def stated(self, row: InboxEvent) -> SafeString:
        return pieces.badge(row.outcome or row.state)

    def page_actions(self, request: HttpRequest) -> Sequence[PageAction[InboxEvent]]:
        return (
            PageAction("replay", "Replay", _replay_event, look="primary", shown=_is_dead_event),
            PageAction(
                "discard", "Discard", _discard_event, DISCARD_QUESTION, "danger", _is_dead_event
            ),
        )

    def record(self, request: HttpRequest, row: InboxEvent) -> Record:
        caused = OutboxItem.objects.none()
        if request.user.has_perm("store.view_outboxitem"):
            caused = payloads.items_caused_by(row)
        return Record(
            title=f"{row.get_source_display()}: {row.kind}",
            badges=[pieces.badge(row.state), *([pieces.badge(row.outcome)] if row.outcome else [])],
            problems=_why(row.error_code, dead=row.state == EventState.DEAD),
            facts=[
                Fact("Received", moments.when(row.received_at)),
                Fact("Finished", moments.when(row.finished_at)),
                Fact("Vendor's id", pieces.code(row.external_id)),
                Fact("Account", _account(row)),
                Fact("Lane", pieces.code(row.lane)),
                Fact("Tries", str(row.attempts)),
                Fact("Not before", moments.when(row.due_at)),
                Fact("Error", pieces.code(row.error_code)),
                Fact("Id", pieces.code(row.pk)),
            ],
            blocks=[*_trace(row.error), *_payload(request, row.payload)],
            tables=[_caused_table(caused)],
        )


class ItemAdmin(RecordAdmin[OutboxItem]):
    audit_subject = "item"
    list_display = (
        "made",
        "method",
        "integration",
        "to",
        "stated",
        "priority",
        "attempts",
        "error_code",
    )
    list_filter = (ItemStateFilter, "priority", IntegrationFilter)
    list_select_related = ("integration", "customer")
    search_fields = ("id",)  # what shows the box; get_search_results does it
    search_help_text = "Telegram id, @username, or our id"
    ordering = ("-id",)
    sortable_by = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[OutboxItem]:
        return super().get_queryset(request).defer("params", "error")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[OutboxItem], search_term: str
    ) -> tuple[QuerySet[OutboxItem], bool]:  # fmt: skip
        term = search_term.strip()
        if not term:
            return queryset, False
        found = Q(customer_id__in=list(customer_ids(term)[:100])) | Q(id=number_of(term) or 0)
        return queryset.filter(found), False

    @admin.display(description="made")
    def made(self, row: OutboxItem) -> SafeString:
        return moments.when(row.created_at)

    @admin.display(description="to")
    def to(self, row: OutboxItem) -> str:
        return who(row.customer) if row.customer else str(row.chat_id)

    @admin.display(description="state")
    def stated(self, row: OutboxItem) -> SafeString:
        return pieces.badge(row.state)

    def rows_for_page(self, rows: QuerySet[OutboxItem]) -> QuerySet[OutboxItem]:
        return rows.select_related("integration", "customer")

    def page_actions(self, request: HttpRequest) -> Sequence[PageAction[OutboxItem]]:
        return (
            PageAction("replay", "Replay", _replay_item, look="primary", shown=_is_dead_item),
            PageAction(
                "discard", "Discard", _discard_item, DISCARD_QUESTION, "danger", _is_dead_item
            ),
        )

    def record(self, request: HttpRequest, row: OutboxItem) -> Record:
        stuck = row.state in {ItemState.DEAD, ItemState.SUSPENDED}
        customer = pieces.row_link(row.customer, who(row.customer)) if row.customer else "–"
        cause = "an operator's action"
        if row.cause:
            cause = pieces.link(pieces.row_url("inboxevent", row.cause), row.cause)
        return Record(
            title=row.method,
            badges=[pieces.badge(row.state), pieces.badge(row.priority, "off")],
            problems=_why(row.error_code, dead=stuck),
            facts=[
                Fact("Integration", pieces.row_link(row.integration)),
                Fact("Customer", customer),
                Fact("Chat", pieces.code(row.chat_id)),
                Fact("Made", moments.when(row.created_at)),
                Fact("Finished", moments.when(row.finished_at)),
                Fact("Not before", moments.when(row.due_at)),
                Fact("Tries", str(row.attempts)),
                Fact("Occasion", pieces.code(row.occasion)),
                Fact("Caused by event", cause),
                Fact("Message", pieces.code(row.message_id)),
                Fact("Error", pieces.code(row.error_code)),
                Fact("Id", pieces.code(row.pk)),
            ],
            blocks=[*_trace(row.error), *_payload(request, row.params)],
        )


class LaneAdmin(RecordAdmin[Lane]):
    nothing_yet = "Nothing is held back."
    list_display = ("key", "tried_again", "attempts", "error_code")
    search_fields = ("=key",)
    ordering = ("retry_at",)

    @admin.display(description="tried again", ordering="retry_at")
    def tried_again(self, row: Lane) -> SafeString:
        return moments.when(row.retry_at)

    def record(self, request: HttpRequest, row: Lane) -> Record:
        waiting = unfinished_events().filter(lane=row.key).order_by("id")
        return Record(
            title=row.key,
            problems=_why(row.error_code, dead=True),
            facts=[
                Fact("Tried again", moments.when(row.retry_at)),
                Fact("Tries", str(row.attempts)),
                Fact("Error", pieces.code(row.error_code)),
            ],
            tables=[
                Table(
                    "Waiting events",
                    ("Received", "Source", "Kind", "Tries"),
                    [
                        (
                            pieces.row_link(one, moments.when(one.received_at)),
                            one.source,
                            one.kind,
                            str(one.attempts),
                        )
                        for one in waiting.defer("payload", "error")[:50]
                    ],
                    empty="None.",
                )
            ],
        )


def _why(code: str, *, dead: bool) -> list[Explanation]:
    return [explain(code)] if code and dead else []


def _trace(error: str) -> list[Block]:
    return [Block("Error", payloads.readable_text(error))] if error else []


def _payload(request: HttpRequest, stored: bytes | memoryview) -> list[Block]:
    raw = bytes(stored)  # PostgreSQL gives views
    if not request.user.has_perm(PAYLOAD_PERMISSION):
        note = "Shown to operators with the permission «view_payload» only."
        return [Block("Content", f"{len(raw)} bytes", note)]
    return [Block("Content", payloads.readable(raw))]


def _account(row: InboxEvent) -> str | SafeString:
    if row.source == Source.STRIPE:
        return pieces.link(pieces.row_url("stripeaccount", row.account), "Stripe account")
    return pieces.link(pieces.row_url("integration", row.account), "integration")


def _caused_table(items: QuerySet[OutboxItem]) -> Table:
    return Table(
        "What it had sent",
        ("Made", "Method", "State", "Error"),
        [
            (
                pieces.row_link(one, moments.when(one.created_at)),
                one.method,
                pieces.badge(one.state),
                one.error_code or "–",
            )
            for one in items
        ],
        empty="Nothing.",
    )


def _is_dead_event(row: InboxEvent) -> bool:
    return row.state == EventState.DEAD


def _is_dead_item(row: OutboxItem) -> bool:
    return row.state == ItemState.DEAD


def _replay_event(request: HttpRequest, row: InboxEvent) -> str:
    return _replayed(operations.replay([Ref(Kind.EVENT, row.pk)], actor_of(request)))


def _replay_item(request: HttpRequest, row: OutboxItem) -> str:
    return _replayed(operations.replay([Ref(Kind.ITEM, row.pk)], actor_of(request)))


def _discard_event(request: HttpRequest, row: InboxEvent) -> str:
    return _discarded(operations.discard([Ref(Kind.EVENT, row.pk)], actor_of(request)))


def _discard_item(request: HttpRequest, row: OutboxItem) -> str:
    return _discarded(operations.discard([Ref(Kind.ITEM, row.pk)], actor_of(request)))


def _replayed(number: int) -> str:
    return "It is tried again." if number else "It was no dead letter any more."


def _discarded(number: int) -> str:
    return "It is discarded." if number else "It was no dead letter any more."
