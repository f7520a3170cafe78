"""The search for reminders whose time has come."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from velvetrope.pipeline import jobs
from velvetrope.store.models import Entitlement
from velvetrope.usecases.lanes import WHOM, Whom
from velvetrope.usecases.reminding.handler import REMIND, RemindOrder
from velvetrope.usecases.sweep import MOST_AT_ONCE

if TYPE_CHECKING:
    from datetime import datetime


def sweep_notices(now: datetime) -> int:
    """Leave a job for every right about which something is to be said; gives how many.

    The job is durable, so the search is done with them: what comes next is planned by the job.
    """
    with transaction.atomic():
        due = list(
            Entitlement.objects.filter(notice_at__lte=now)
            .order_by("notice_at")
            .values_list("id", "notice_at", *WHOM)[:MOST_AT_ONCE]
        )
        for key, planned, *columns in due:
            whom = Whom(*columns)
            order = RemindOrder(
                integration_id=whom.integration_id,
                telegram_user_id=whom.telegram_user_id,
                entitlement_id=key,
                planned=planned,
            )
            jobs.enqueue(
                REMIND,
                order,
                account=whom.integration_id,
                lane=whom.lane,
                external_id=order.external_id,
            )
        Entitlement.objects.filter(id__in=[row[0] for row in due]).update(notice_at=None)
    return len(due)
