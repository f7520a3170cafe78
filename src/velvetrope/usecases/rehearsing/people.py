"""Whom a look at everything would look at, a page at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Exists, OuterRef, Q

from velvetrope.domain.states import Presence
from velvetrope.store.models import Access, Customer, Entitlement
from velvetrope.store.owners import FINAL_STATUSES

if TYPE_CHECKING:
    from velvetrope.pipeline.work import CustomerKey


def list_people(integration_id: int, after: int, most: int) -> list[tuple[int, CustomerKey]]:
    """Give the next customers who hold something, are somewhere, or wait; (row's id, key) each.

    Who has lost everything and is outside can't be concerned by a look.
    """
    rights = Entitlement.objects.filter(customer=OuterRef("id")).filter(
        Q(holds=True) | ~Q(status__in=FINAL_STATUSES)
    )
    places = Access.objects.filter(customer=OuterRef("id")).filter(
        Q(observed=Presence.INSIDE) | Q(requested_at__isnull=False) | Q(desired=True)
    )
    rows = (
        Customer.objects.filter(integration_id=integration_id, id__gt=after)
        .filter(Exists(rights) | Exists(places))
        .order_by("id")
    )
    return [
        (row_id, (integration_id, user_id))
        for row_id, user_id in rows.values_list("id", "telegram_user_id")[:most]
    ]
