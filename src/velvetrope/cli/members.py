"""Customers, and access that is given by hand."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

from velvetrope.cli import records, stories
from velvetrope.cli.failures import CommandError, Exit
from velvetrope.cli.finding import find_bot, find_member, find_plan
from velvetrope.cli.opening import ACTOR
from velvetrope.cli.output import print_json, print_record, print_records
from velvetrope.cli.waiting import finish_job
from velvetrope.domain import validation
from velvetrope.domain.states import GIVEN
from velvetrope.store.clock import present
from velvetrope.store.models import Customer
from velvetrope.usecases import operations
from velvetrope.usecases.explaining import NEWEST, explain_customer
from velvetrope.usecases.operations.plans import MOST_DURATION_DAYS

if TYPE_CHECKING:
    import argparse


def list_some(options: argparse.Namespace) -> int:
    """List the newest customers that fit."""
    rows = Customer.objects.select_related("integration").order_by("-id")
    if options.bot:
        rows = rows.filter(integration=find_bot(options.bot))
    if options.holding:
        rows = rows.filter(entitlement__holds=True).distinct()
    found = [records.member(row) for row in rows[: options.limit]]
    print_records(found, as_json=options.json, empty="No member fits.")
    return Exit.DONE


def show(options: argparse.Namespace) -> int:
    row = find_member(options.member, options.bot)
    print_record(records.member_in_full(row), as_json=options.json)
    return Exit.DONE


def grant(options: argparse.Namespace) -> int:
    """Give a plan until a date, for days, or for ever; the person is told and let in."""
    row = find_member(options.member, options.bot)
    plan = find_plan(options.plan, row.integration_id)
    until = _until(options)
    number = operations.grant(row.pk, plan.pk, until, options.note, ACTOR)
    finish_job(options.settings, row.integration_id, f"grant:{number}", seconds=options.wait)
    print_record(records.member_in_full(row), as_json=options.json)
    return Exit.DONE


def revoke(options: argparse.Namespace) -> int:
    """End all grants and claims that the member holds; what was paid for ends in Stripe."""
    row = find_member(options.member, options.bot)
    held = row.entitlement_set.filter(kind__in=GIVEN, holds=True)
    if not held:
        raise CommandError(
            "This member holds no grant",
            where=f"member {row.pk}",
            remedy="What was paid for is cancelled or refunded in Stripe, and access follows",
        )
    for one in held:
        external_id = operations.revoke(one.pk, options.note, ACTOR)
        finish_job(options.settings, row.integration_id, external_id, seconds=options.wait)
    print_record(records.member_in_full(row), as_json=options.json)
    return Exit.DONE


def why(options: argparse.Namespace) -> int:
    """Say where a member should be and is, why, and how it came to that."""
    row = find_member(options.member, options.bot)
    story = explain_customer(row, present(), None if options.all else NEWEST)
    if options.json:
        print_json(stories.record(story))
    else:
        stories.print_story(story, row.integration.name)
    return Exit.DONE


def sync(options: argparse.Namespace) -> int:
    """Look at Stripe and Telegram again; what is found is acted on."""
    row = find_member(options.member, options.bot)
    return _carry_out(options, row, operations.sync(row.pk, ACTOR))


def reinvite(options: argparse.Namespace) -> int:
    """Show a member who holds a right the way in again; a ban is lifted."""
    row = find_member(options.member, options.bot)
    return _carry_out(options, row, operations.reinvite(row.pk, ACTOR))


def message(options: argparse.Namespace) -> int:
    """Send a member plain text through the bot."""
    row = find_member(options.member, options.bot)
    return _carry_out(options, row, operations.write_to(row.pk, options.text, ACTOR))


def _carry_out(options: argparse.Namespace, row: Customer, external_id: str) -> int:
    """Wait for the end of an order, and say what came of it."""
    job = finish_job(options.settings, row.integration_id, external_id, seconds=options.wait)
    row.refresh_from_db()
    stories.print_end(job, row, as_json=options.json)
    return Exit.FAILED if job.error_code else Exit.DONE


def _until(options: argparse.Namespace) -> datetime | None:
    """Read the end; None is for ever. A date without a time ends with that day (UTC)."""
    if options.until and options.days is not None:
        raise CommandError("Use --until or --days, not both", code=Exit.USAGE)
    if options.days is not None:
        if not 1 <= options.days <= MOST_DURATION_DAYS:
            raise CommandError(
                "So many days make no sense",
                where="--days",
                remedy=f"Use 1 to {MOST_DURATION_DAYS}, or leave it out for ever",
                code=Exit.USAGE,
            )
        return present() + timedelta(days=options.days)
    if not options.until:
        return None
    try:
        moment = datetime.fromisoformat(options.until)
    except ValueError:
        raise CommandError(
            "This is no date",
            where=validation.shown(options.until),
            remedy="Write it as 2027-01-31 or 2027-01-31T18:00",
            code=Exit.USAGE,
        ) from None
    if len(options.until) <= len("2027-01-31"):
        moment = datetime.combine(moment.date(), time.max)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
