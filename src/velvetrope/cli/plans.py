"""What is sold, and its copy of what Stripe says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from velvetrope.cli import records
from velvetrope.cli.failures import CommandError, Exit
from velvetrope.cli.finding import find_bots
from velvetrope.cli.opening import ACTOR
from velvetrope.cli.output import print_records
from velvetrope.cli.waiting import finish_job
from velvetrope.domain.states import EventState
from velvetrope.store.models import Plan
from velvetrope.usecases import operations

if TYPE_CHECKING:
    import argparse


def list_all(options: argparse.Namespace) -> int:
    """List the plans as they were when Stripe was last asked."""
    rows = Plan.objects.select_related("integration").filter(integration__in=find_bots(options.bot))
    found = [records.plan(row) for row in rows.order_by("integration_id", "position", "id")]
    print_records(found, as_json=options.json, empty="No plan yet.")
    return Exit.DONE


def sync(options: argparse.Namespace) -> int:
    """Ask Stripe again, then list; fails if a bot's prices could not be fetched."""
    failed: list[str] = []
    for row in find_bots(options.bot):
        job = operations.sync_plans(row.pk, ACTOR)
        done = finish_job(options.settings, row.pk, job, seconds=options.wait)
        if done.state != EventState.DONE:
            failed.append(f"{row.name} ({done.error_code})")
    list_all(options)
    if failed:
        raise CommandError(
            "Stripe could not be asked",
            where=", ".join(failed),
            remedy="Look closer with: velvetrope doctor",
        )
    return Exit.DONE
