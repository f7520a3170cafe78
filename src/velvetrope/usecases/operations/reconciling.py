"""Having Stripe, the database and the chats held against each other now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Min

from velvetrope.store.clock import present
from velvetrope.store.ids import new_id
from velvetrope.store.models import Customer, Integration
from velvetrope.usecases.audit import record
from velvetrope.usecases.reconciling.backfilling import REACH, BackfillOrder
from velvetrope.usecases.reconciling.orders import LookOrder, request_list, request_look
from velvetrope.usecases.reconciling.schedule import (
    events_job,
    first_page,
    hosts,
    request_events,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime


class NothingToReconcileError(Exception):
    """What was ordered can't be done; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Run:
    """What was ordered: all its jobs and records carry the name, those of these integrations."""

    name: str
    #: Ids before this one are of earlier things.
    since: int
    integration_ids: tuple[int, ...]


def reconcile(integration_ids: Sequence[int], actor: str) -> Run:
    """Order everything of these integrations to be held against Stripe and Telegram now.

    A listing of a Stripe account is one of all that sell from it. Raises NothingToReconcileError.
    """
    return _run(integration_ids, actor, is_rebuild=False)


def rebuild(integration_ids: Sequence[int], actor: str, *, into_existing: bool = False) -> Run:
    """Order customers, rights and places to be rebuilt from what Stripe's metadata tell.

    All that sell from the same Stripe account are rebuilt together. Raises NothingToReconcileError,
    also if there are customers already, unless told to go on `into_existing`.
    """
    accounts = Integration.objects.filter(id__in=integration_ids).values("stripe_account")
    beside = Integration.objects.filter(stripe_account__in=accounts, active=True)
    ids = list(beside.order_by("id").values_list("id", flat=True))
    known = Customer.objects.filter(integration_id__in=ids).count()
    if known and not into_existing:
        raise NothingToReconcileError(
            f"There are customers already ({known}), so this database was not lost. To find what "
            "is missing: velvetrope reconcile. To rebuild all the same: --into-existing"
        )
    return _run(ids, actor, is_rebuild=True)


def _run(integration_ids: Sequence[int], actor: str, *, is_rebuild: bool) -> Run:
    since = new_id()
    name, now = f"run:{since}", present()
    with transaction.atomic():
        rows = Integration.objects.filter(id__in=integration_ids, active=True)
        accounts = dict(rows.order_by("id").values_list("id", "stripe_account_id"))
        first = hosts()
        for account in sorted(set(accounts.values())):
            request_list(
                first_page(account, first[account], name, now, is_rebuild=is_rebuild, actor=actor)
            )
        for integration_id in () if is_rebuild else accounts:
            request_look(
                LookOrder(integration_id=integration_id, run=name, started_at=now, actor=actor)
            )
        for integration_id in accounts:
            record(
                actor,
                f"integration.{'rebuild' if is_rebuild else 'reconciliation'}_requested",
                subject="integration",
                subject_id=integration_id,
                integration_id=integration_id,
                after={"run": name},
            )
    if not accounts:
        raise NothingToReconcileError("There is no bot that is switched on.")
    # What is found may concern others who sell from the same account.
    beside = Integration.objects.filter(stripe_account__in=set(accounts.values()))
    return Run(name, since, tuple(beside.order_by("id").values_list("id", flat=True)))


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
