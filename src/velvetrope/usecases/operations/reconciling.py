"""Having Stripe, the database and the chats held against each other now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Min

from velvetrope.store.clock import present
from velvetrope.store.ids import new_id
from velvetrope.store.models import Integration
from velvetrope.usecases.reconciling.backfilling import REACH, BackfillOrder
from velvetrope.usecases.reconciling.schedule import events_job, request_events

if TYPE_CHECKING:
    from datetime import datetime


class NothingToReconcileError(Exception):
    """What was ordered can't be done; the message says why and what to do."""


def backfill(stripe_account_id: int, since: datetime, actor: str) -> tuple[int, str]:
    """Order the events of an account to be fetched that Stripe has made since and that aren't here.

    Gives the integration and the external id of the job, by which its end can be looked up.
    Raises NothingToReconcileError.
    """
    if since < present() - REACH:
        raise NothingToReconcileError(
            f"Stripe lists the events of {REACH.days} days only. Name a later day, and have the "
            "rest found by: velvetrope reconcile"
        )
    rows = Integration.objects.filter(stripe_account_id=stripe_account_id)
    host = rows.aggregate(first=Min("id"))["first"]
    if host is None:
        raise NothingToReconcileError("No bot sells from this Stripe account. Connect one first.")
    order = BackfillOrder(stripe_account_id=stripe_account_id, since=since, actor=actor)
    occasion = str(new_id())
    with transaction.atomic():
        request_events(order, host, occasion)
    return host, events_job(stripe_account_id, occasion)
