"""The end of alerts about what was not understood: a price is sold by now, or nobody has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.db import transaction

from velvetrope.domain.access import ENDED_STATUSES, Reason
from velvetrope.store.models import Alert, Entitlement, Plan
from velvetrope.usecases.alerts import close_alert
from velvetrope.usecases.billing.rechecks import request_recheck
from velvetrope.usecases.billing.unknowns import ORPHAN, PRICE_UNKNOWN, STATUS_UNKNOWN
from velvetrope.usecases.lanes import WHOM, Whom

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet

#: How many subscribers of one price are asked for at once; the daily look finds the rest.
MOST_AT_ONCE: Final = 500


def sweep_unknowns(now: datetime) -> int:
    """Close those alerts that are over; has subscribers of a price that is sold by now looked at.

    Gives how many were over.
    """
    open_ones = Alert.objects.filter(code__in=(PRICE_UNKNOWN, STATUS_UNKNOWN), closed_at=None)
    over = 0
    with transaction.atomic():
        for alert in open_ones:
            whose = alert.integration_id
            if whose is not None and _is_over(alert, whose, now):
                over += close_alert(alert.code, now, integration_id=whose, subject=alert.subject)
    return over


def _is_over(alert: Alert, integration_id: int, now: datetime) -> bool:
    rights = Entitlement.objects.filter(customer__integration_id=integration_id)
    if alert.code == STATUS_UNKNOWN:
        status = alert.data.get("status", "")
        return not rights.filter(status=status, reason=Reason.UNKNOWN_STATUS).exists()
    price_id = alert.data.get("price", "")
    plans = Plan.objects.filter(integration_id=integration_id, stripe_price_id=price_id)
    affected = rights.filter(price_id=price_id).exclude(status__in=ENDED_STATUSES)
    if plans.exists():
        _look_at(affected, now)
        return True
    if alert.subject.startswith(ORPHAN):
        return rights.filter(external_id=alert.data.get("subscription", "")).exists()
    return not affected.exists()


def _look_at(rights: QuerySet[Entitlement], now: datetime) -> None:
    for row in rights.values_list(*WHOM).distinct()[:MOST_AT_ONCE]:
        request_recheck(Whom(*row), f"price:{now:%Y%m%dT%H%M%S%f}")
