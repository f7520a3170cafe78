"""Prices as operators read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from velvetrope.domain.money import Money
from velvetrope.domain.states import Interval

if TYPE_CHECKING:
    from velvetrope.store.models import Plan


def price_of(plan: Plan) -> str:
    """Say what a plan costs, such as «9.90 EUR a month»; a dash while Stripe has not said."""
    if plan.unit_amount is None or not plan.currency:
        return "–"
    try:
        money = Money(plan.unit_amount, plan.currency.upper())
    except ValueError:  # a currency that is none: shown as it is stored
        return f"{plan.unit_amount} {plan.currency}"
    # The amount stays with its currency where the line is broken.
    return f"{money.amount}\N{NO-BREAK SPACE}{money.currency} {period_of(plan)}"


def period_of(plan: Plan) -> str:
    if plan.interval in {"", Interval.ONE_TIME}:
        return "once"
    if plan.interval_count == 1:
        return f"a\N{NO-BREAK SPACE}{plan.interval}"
    return f"every {plan.interval_count} {plan.interval}s"
