"""Dry runs: who would enter, leave or be written to by a look at everybody."""

from __future__ import annotations

from django.db import transaction

from velvetrope.pipeline import jobs
from velvetrope.store.clock import present
from velvetrope.store.models import DryRun, Integration
from velvetrope.usecases.audit import record
from velvetrope.usecases.rehearsing.running import DRY_RUN, DryRunOrder, lane_of

#: Older ones are dropped when another one is asked for.
KEPT = 5


def request_dry_run(integration_id: int, actor: str) -> DryRun:
    """Have a dry run done by the server, unless one goes on; gives it either way.

    DoesNotExist for an unknown integration.
    """
    with transaction.atomic():
        integration = Integration.objects.get(id=integration_id)
        runs = DryRun.objects.filter(integration=integration).order_by("-id")
        going_on = runs.filter(finished_at=None).first()
        if going_on is not None:
            return going_on
        run = DryRun.objects.create(
            integration=integration, asked_by=actor[:160], asked_at=present()
        )
        kept = list(runs.values_list("id", flat=True)[:KEPT])
        DryRun.objects.filter(integration=integration).exclude(id__in=kept).delete()
        jobs.enqueue(
            DRY_RUN,
            DryRunOrder(run.id, integration.id),
            account=integration.id,
            lane=lane_of(run.id),
            external_id=f"{DRY_RUN}:{run.id}:0",
        )
        record(
            actor,
            "dry_run.asked",
            subject="integration",
            subject_id=integration.id,
            integration_id=integration.id,
        )
    return run


def find_dry_run(integration_id: int) -> DryRun | None:
    """Find the newest one of an integration."""
    return DryRun.objects.filter(integration_id=integration_id).order_by("-id").first()
