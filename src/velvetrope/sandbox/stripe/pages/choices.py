"""The sandbox's means of payment, as a person picks one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from velvetrope.sandbox.stripe.billing.methods import LAST4
from velvetrope.sandbox.stripe.hidden import DAY, BillingSettings, CardConduct

from .html import Html, fill, join

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .language import Language

_GROUP = """<fieldset class="choices"><legend>{legend}</legend>{options}</fieldset>"""
_OPTION = """<label class="choice"><input type="radio" name="card" value="{value}"{checked}>
<span class="what"><b>{title}</b><small>{hint}</small></span>
<span class="digits">•••• {last4}</span></label>"""


def cards(
    language: Language, values: Sequence[str], settings: BillingSettings, chosen: str
) -> Html:
    """Show the choices; the page's form sends `card`."""
    span = language.span(max(1, round(settings.settle_seconds / DAY)), "day")
    options = [
        fill(
            _OPTION,
            value=value,
            checked=Html(" checked") if value == chosen else Html(""),
            title=language.text(value),
            hint=language.text(f"{value}_hint", span=span),
            last4=LAST4[CardConduct(value)],
        )
        for value in values
    ]
    return fill(_GROUP, legend=language.text("method"), options=join(options))
