"""Holding Stripe, the database and the chats against each other now."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from velvetrope.cli import dry_run
from velvetrope.cli.failures import CommandError, Exit
from velvetrope.cli.finding import find_bots
from velvetrope.cli.opening import ACTOR
from velvetrope.cli.output import print_records
from velvetrope.cli.runs import finish_run, told
from velvetrope.cli.waiting import finish_job
from velvetrope.domain import validation
from velvetrope.domain.states import EventState
from velvetrope.store.clock import present
from velvetrope.store.models import AuditEntry, Integration, StripeAccount
from velvetrope.usecases import operations
from velvetrope.usecases.reconciling.backfilling import BACKFILLED

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from velvetrope.cli.output import Record
    from velvetrope.usecases.operations import Run

#: Further back than any list of events goes.
_LONG_AGO: Final = timedelta(days=3650)
_AGE: Final = re.compile(r"([1-9][0-9]{0,8})([dh])")


def reconcile(options: argparse.Namespace) -> int:
    """Hold everything against Stripe and Telegram now, and settle what differs, or list it."""
    if options.dry_run:
        return dry_run.run(options)
    ids = [row.pk for row in find_bots(options.bot)]
    return _finished(options, operations.reconcile, ids)


def rebuild(options: argparse.Namespace) -> int:
    """Rebuild customers, rights and places from what Stripe's metadata tell; says nothing."""
    ids = [row.pk for row in find_bots(options.bot)]
    order = partial(operations.rebuild, into_existing=options.into_existing)
    return _finished(options, order, ids)


def _finished(
    options: argparse.Namespace, order: Callable[[Sequence[int], str], Run], ids: Sequence[int]
) -> int:
    try:
        run = order(ids, ACTOR)
    except operations.NothingToReconcileError as error:
        raise CommandError(str(error), code=Exit.USAGE) from None
    finish_run(options.settings, run, seconds=options.wait)
    print_records(told(run), as_json=options.json, empty="Nothing was found.")
    return Exit.DONE


def backfill(options: argparse.Namespace) -> int:
    """Fetch the events that Stripe has made since and that aren't here; they are handled next."""
    since = _since(options.since)
    found: list[Record] = []
    failed: list[str] = []
    for account in _accounts(options.stripe_account):
        try:
            host, job = operations.backfill(account.pk, since, ACTOR)
        except operations.NothingToReconcileError as error:
            raise CommandError(str(error), where=account.name, code=Exit.USAGE) from None
        done = finish_job(options.settings, host, job, seconds=options.wait)
        if done.state != EventState.DONE:
            failed.append(f"{account.name} ({done.error_code})")
            continue
        after = _entry(BACKFILLED, str(account.pk), job)
        names = ("found", "known", "new")
        found.append({"account": account.name, "since": since, **{n: after[n] for n in names}})
    if failed:
        raise CommandError(
            "Stripe could not be asked",
            where=", ".join(failed),
            remedy="Look closer with: velvetrope doctor",
        )
    print_records(found, as_json=options.json, empty="No bot sells from a Stripe account yet.")
    return Exit.DONE


def _accounts(name: str) -> list[StripeAccount]:
    """Give the account that is named, or all that somebody sells from."""
    if not name:
        used = Integration.objects.values("stripe_account")
        return list(StripeAccount.objects.filter(id__in=used).order_by("id"))
    account = StripeAccount.objects.filter(name=name).first()
    if account is None:
        raise CommandError(
            "There is no such Stripe account",
            where=validation.shown(name),
            remedy="Their names stand in the console, under Stripe accounts",
            code=Exit.USAGE,
        )
    return [account]


def _since(text: str) -> datetime:
    """Read «7d», «12h» or a date; CommandError for anything else, and for what is to come."""
    now = present()
    if age := _AGE.fullmatch(text):
        unit = timedelta(days=1) if age[2] == "d" else timedelta(hours=1)
        return now - min(int(age[1]) * unit, _LONG_AGO)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise CommandError(
            "This is no time",
            where=validation.shown(text),
            remedy="Write it as 7d, 12h, 2027-01-31 or 2027-01-31T18:00",
            code=Exit.USAGE,
        ) from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if moment >= now:
        raise CommandError("This is yet to come", where=validation.shown(text), code=Exit.USAGE)
    return moment


def _entry(action: str, subject_id: str, job: str) -> dict[str, int]:
    """Give the figures that a job has left on record."""
    entries = AuditEntry.objects.filter(action=action, subject_id=subject_id).order_by("-id")
    for entry in entries[:50]:
        if isinstance(entry.after, dict) and entry.after.get("job") == job:
            return dict(entry.after)
    raise CommandError("It left no record", where=job, remedy="See: velvetrope events list")
