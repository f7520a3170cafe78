"""Finding people among millions: every search is one that an index answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Q
from django.db.models.functions import Lower

from velvetrope.store.models import Customer, Integration

if TYPE_CHECKING:
    from django.db.models import QuerySet

_INT64_MAX = 2**63 - 1
_LONGEST_NUMBER = len(str(_INT64_MAX))


def find_customers(rows: QuerySet[Customer], term: str) -> QuerySet[Customer]:
    """Narrow customers down by Telegram id, @username, Stripe customer, or our own id."""
    term = term.strip()
    if not term:
        return rows
    if term.startswith("cus_"):
        return rows.filter(stripe_customer_id=term)
    if (number := number_of(term)) is not None:
        # The unique index leads with the integration, so it is told which there are.
        of_user = Q(integration__in=Integration.objects.values("id"), telegram_user_id=number)
        return rows.filter(of_user | Q(id=number))
    name = term.removeprefix("@").removeprefix("https://t.me/").lower()
    return rows.annotate(name_key=Lower("username")).filter(~Q(username=""), name_key=name)


def customer_ids(term: str) -> QuerySet[Customer, int]:
    """Give the ids of the customers that a term finds, for lists of what belongs to them."""
    return find_customers(Customer.objects.all(), term).values_list("id", flat=True)


def number_of(term: str) -> int | None:
    """Read a whole number that fits a column; None for anything else."""
    digits = term.removeprefix("-")
    if not (digits.isascii() and digits.isdigit()):
        return None
    number = int(term) if len(digits) <= _LONGEST_NUMBER else 0
    return number if 0 < abs(number) <= _INT64_MAX else None
