"""The small pieces that pages are put together from; everything is escaped here or by templates."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from velvetrope.domain import states
from velvetrope.web.console.moments import NOTHING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from django.db.models import Model

    from velvetrope.usecases.wording.problems import Explanation

#: The colour of a state, by its name: the same word has the same colour everywhere.
_LOOKS: Final[dict[str, str]] = {
    states.EventState.PENDING: "info",
    states.EventState.CLAIMED: "info",
    states.EventState.DONE: "good",
    states.EventState.DEAD: "bad",
    states.ItemState.SENT: "good",
    states.ItemState.SUSPENDED: "warn",
    states.Registration.REGISTERED: "good",
    states.Registration.FAILED: "bad",
    states.EventOutcome.HANDLED: "good",
    states.CheckoutState.OPEN: "info",
    states.CheckoutState.PAID: "good",
    states.Presence.INSIDE: "good",
    states.Presence.KEEPER: "good",
    states.Presence.REQUESTED: "info",
    states.Presence.BANNED: "warn",
    "active": "good",
    "trialing": "good",
    "succeeded": "good",
    "past_due": "warn",
    "unpaid": "bad",
    "incomplete": "warn",
    "canceled": "off",
    "inactive": "off",
}


@dataclass(frozen=True, slots=True)
class Fact:
    """A line of a record: a label and a value, which may be safe HTML."""

    label: str
    value: str | SafeString


@dataclass(frozen=True, slots=True)
class Table:
    title: str
    headers: Sequence[str]
    rows: Sequence[Sequence[str | SafeString]]
    #: Said when there are no rows.
    empty: str = "None."
    #: A link beside the title, and its words.
    more: str = ""
    more_label: str = "all"

    @property
    def lines(self) -> list[list[tuple[str, str | SafeString]]]:
        """The rows with each cell's header, for screens too narrow for a table."""
        return [list(zip(self.headers, row, strict=True)) for row in self.rows]


@dataclass(frozen=True, slots=True)
class Block:
    """Text that keeps its lines: an error's trace, a payload."""

    title: str
    text: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """What one page shows of one row."""

    title: str
    badges: Sequence[SafeString] = ()
    #: What is to be read first, before the buttons, as (template, context) pairs.
    lead: Sequence[tuple[str, dict[str, object]]] = field(default=())
    problems: Sequence[Explanation] = ()
    facts: Sequence[Fact] = ()
    tables: Sequence[Table] = ()
    blocks: Sequence[Block] = ()
    #: More of the page, as (template, context) pairs.
    panels: Sequence[tuple[str, dict[str, object]]] = field(default=())


def badge(text: str, look: str = "") -> SafeString:
    """Show a state; the look is one of good, warn, bad, info, off, or follows from the word."""
    look = look or _LOOKS.get(text, "off")
    return format_html(
        '<span class="vr-badge vr-{}">{}</span>', look, text.replace("_", " ")
    )  # fmt: skip


def yes_no(value: bool, *, yes: str = "yes", no: str = "no") -> SafeString:
    return badge(yes, "good") if value else badge(no, "off")


def link(url: str, text: object) -> SafeString:
    return format_html('<a class="vr-link" href="{}">{}</a>', url, text)


def code(text: object) -> SafeString:
    """Show an id or a name of the machine's, which may be broken anywhere."""
    return format_html("<code>{}</code>", text) if text not in {None, ""} else NOTHING


def lines(items: Iterable[object]) -> SafeString:
    return format_html_join(SafeString("<br>"), "{}", ((item,) for item in items)) or NOTHING


def row_url(model: str, key: object) -> str:
    """Give the address of a row's page; `model` as in addresses, such as `customer`."""
    return reverse(f"admin:store_{model}_change", args=[key])


def page_url(name: str) -> str:
    """Give the address of one of the console's own pages."""
    return reverse(f"admin:{name}")


def list_url(model: str, **filters: object) -> str:
    """Give the address of a list, narrowed down by `filters`."""
    return with_query(reverse(f"admin:store_{model}_changelist"), filters)


def with_query(address: str, values: Mapping[str, object]) -> str:
    return f"{address}?{urlencode(values)}" if values else address


def row_link(row: Model, text: object = None) -> SafeString:
    name = row._meta.model_name or ""  # noqa: SLF001  Django's documented name
    return link(row_url(name, row.pk), row if text is None else text)


def visible(text: str) -> str:
    """Take out of a stranger's text what turns the words around it or cannot be seen."""
    return "".join(sign for sign in text if sign.isprintable()).strip()


def shortened(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def pretty(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True, default=str)
