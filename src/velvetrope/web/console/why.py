"""The explanation of a customer as its page shows it: sentences on top, the timeline below."""

from __future__ import annotations

from datetime import timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Final

from velvetrope.domain.civil import zone_of
from velvetrope.usecases.explaining import NEWEST, EntryKind, explain_customer
from velvetrope.web.console import moments, pieces

if TYPE_CHECKING:
    from datetime import datetime, tzinfo

    from django.http import HttpRequest

    from velvetrope.store.models import Customer
    from velvetrope.usecases.explaining import Entry, Story

    Panel = tuple[str, dict[str, object]]

#: How the kinds of entries are labelled.
LABELS: Final = {
    EntryKind.EVENT: "heard",
    EntryKind.DECISION: "decided",
    EntryKind.PLACE: "chat",
    EntryKind.MESSAGE: "bot wrote",
    EntryKind.CALL: "bot asked",
    EntryKind.ORDER: "operator",
    EntryKind.PURCHASE: "purchase",
    EntryKind.PERSON: "person",
}
#: What the timeline can be narrowed down to, by the value in the address.
_TABS: Final = {
    "": ("Everything", frozenset(EntryKind)),
    "money": (
        "Money and rights",
        frozenset({EntryKind.EVENT, EntryKind.DECISION, EntryKind.PURCHASE}),
    ),
    "chats": ("Chats", frozenset({EntryKind.PLACE, EntryKind.CALL})),
    "messages": ("Messages", frozenset({EntryKind.MESSAGE})),
    "operators": ("Operators", frozenset({EntryKind.ORDER})),
}
_SHOW: Final = "show"
_ALL: Final = "all"
#: The orders whose end is told on top: so many, given so lately.
_ORDERS: Final = 2
_LATELY: Final = timedelta(days=1)


def story_of(request: HttpRequest, row: Customer) -> Story:
    """Explain the customer, as far back as the address asks for."""
    most = None if request.GET.get(_ALL) else NEWEST
    return explain_customer(row, moments.now(), most)


def lead(request: HttpRequest, story: Story) -> Panel:
    """Give what answers «why am I not in?», with what came of the newest orders."""
    may = request.user.has_perm("store.view_auditentry")
    since = moments.now() - _LATELY
    orders = [
        one for one in reversed(story.entries) if one.job_id is not None and one.at > since and may
    ]
    return (
        "console/why.html",
        {
            "places": story.places,
            "answers": story.answers,
            "orders": [
                {"text": one.text, "tone": one.tone, "ago": moments.distance(one.at)}
                for one in orders[:_ORDERS]
            ],
        },
    )


def timeline(request: HttpRequest, story: Story) -> Panel:
    """Give the entries that the operator may see, by days, the newest first."""
    chosen = request.GET.get(_SHOW, "")
    kinds = _TABS.get(chosen, _TABS[""])[1]
    zone = zone_of(story.time_zone)
    seen = [one for one in reversed(story.entries) if one.kind in kinds and _may_see(request, one)]
    days = groupby(seen, key=lambda one: _day(one.at.astimezone(zone)))
    return (
        "console/timeline.html",
        {
            "time_zone": story.time_zone,
            "tabs": [
                (_address(request, {_SHOW: name}), label, name == chosen)
                for name, (label, _) in _TABS.items()
            ],
            "days": [(day, [_line(one, zone) for one in entries]) for day, entries in days],
            "earlier_url": _address(request, {_ALL: "yes"}) if story.has_earlier else "",
        },
    )


def _may_see(request: HttpRequest, entry: Entry) -> bool:
    return not entry.source or request.user.has_perm(f"store.view_{entry.source}")


def _line(entry: Entry, zone: tzinfo) -> dict[str, object]:
    at = entry.at.astimezone(zone)
    is_elsewhere = entry.source and entry.source != "customer"
    return {
        "time": f"{at:%H:%M}",
        "iso": at.isoformat(),
        "label": LABELS[entry.kind],
        "text": entry.text,
        "tone": entry.tone,
        "detail": entry.detail,
        "url": pieces.row_url(entry.source, entry.source_id) if is_elsewhere else "",
    }


def _day(at: datetime) -> str:
    return f"{at.day} {at:%B %Y}"


def _address(request: HttpRequest, changes: dict[str, str]) -> str:
    """Give the page's address with other values; those that are empty are left out."""
    values = {name: request.GET.get(name, "") for name in (_SHOW, _ALL)} | changes
    return pieces.with_query(request.path, {name: one for name, one in values.items() if one})
