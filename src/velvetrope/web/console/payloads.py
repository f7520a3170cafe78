"""What was received and sent, made readable, with whatever looks like a secret taken out."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Final

from velvetrope.domain.secrecy import scrub
from velvetrope.store.models import InboxEvent, OutboxItem

if TYPE_CHECKING:
    from django.db.models import QuerySet

#: A page stays readable, and a browser quick.
LONGEST: Final = 100_000
_SHOWN_ITEMS: Final = 20
#: Items that are made after an event and because of it have ids close behind the event's.
_LOOKED_THROUGH: Final = 2000


def readable(raw: bytes) -> str:
    """Give stored bytes as indented JSON, or as they are if they aren't JSON."""
    text = raw.decode("utf-8", "replace")
    with contextlib.suppress(ValueError, RecursionError):
        text = json.dumps(json.loads(text), ensure_ascii=False, indent=2)
    return readable_text(text)


def readable_text(text: str) -> str:
    """Cut a text to what fits on a page, without secrets."""
    clean = scrub(text)
    return clean if len(clean) <= LONGEST else f"{clean[:LONGEST]}\n… ({len(clean)} characters)"


def items_caused_by(event: InboxEvent) -> QuerySet[OutboxItem]:
    """Find what an event had sent among the items made just after it.

    There is no index by cause, since every message of the busy path would pay for it.
    """
    after = OutboxItem.objects.filter(id__gt=event.pk).order_by("id")
    near = list(after.values_list("id", "cause")[:_LOOKED_THROUGH])
    wanted = [key for key, cause in near if cause == event.pk][:_SHOWN_ITEMS]
    return OutboxItem.objects.filter(id__in=wanted).defer("params", "error").order_by("id")
