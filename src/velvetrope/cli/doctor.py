"""A look at everything, vendors included, with what to mend."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Final

from django.core import checks
from django.db import connection

from velvetrope.cli.failures import Exit
from velvetrope.cli.looking import Finding, look_at, of_error
from velvetrope.cli.opening import pending_migrations
from velvetrope.cli.output import print_records
from velvetrope.cli.vendors import with_vendors
from velvetrope.cli.waiting import server_pid
from velvetrope.domain.errors import VelvetError
from velvetrope.domain.states import EventState, ItemState
from velvetrope.store.encryption import UnreadableSecretError
from velvetrope.store.models import InboxEvent, Integration, OutboxItem, StripeAccount
from velvetrope.usecases import operations

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from velvetrope.bootstrap import Application
    from velvetrope.settings import Settings

_ENOUGH_ROOM: Final = 512 * 1024 * 1024


def doctor(options: argparse.Namespace) -> int:
    """Print one finding a line; fails if one of them is an error."""
    settings: Settings = options.settings
    found = [*_settings(), *_database(settings)]
    if not any(one.level == "error" and one.subject == "database" for one in found):
        found += [*_secrets(), *_work()]
        found += with_vendors(settings, _vendors)
    print_records([one.record for one in found], as_json=options.json, empty="Nothing to look at.")
    return Exit.FAILED if any(one.level == "error" for one in found) else Exit.DONE


def _settings() -> Iterator[Finding]:
    messages = checks.run_checks()
    for one in messages:
        yield Finding(
            "settings", "error" if one.is_serious() else "warning", str(one.msg), one.hint or ""
        )
    if not messages:
        yield Finding("settings", "ok", "The settings make sense.")


def _database(settings: Settings) -> Iterator[Finding]:
    missing = pending_migrations()
    if missing:
        what = f"{len(missing)} migrations are missing."
        yield Finding("database", "error", what, "Run: velvetrope migrate")
        return
    if connection.vendor == "sqlite":
        yield from _sqlite_file(settings)
    yield Finding("database", "ok", f"{settings.database.place} is whole and up to date.")


def _sqlite_file(settings: Settings) -> Iterator[Finding]:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA quick_check(1)")
        said = cursor.fetchone()[0]
    if said != "ok":
        fix = "Stop the server, keep a copy of the file, and restore a backup."
        yield Finding("database", "error", f"The file is damaged: {said}.", fix)
    room = shutil.disk_usage(settings.data_dir).free
    if room < _ENOUGH_ROOM:
        what = f"Only {room // 2**20} MiB are free on its disk."
        yield Finding("database", "warning", what, "Make room: a full disk stops everything.")


def _secrets() -> Iterator[Finding]:
    """Open every stored secret once: a lost key is found here and not at the next payment."""
    secrets = [
        *(
            secret
            for row in Integration.objects.all()
            for secret in (row.token, row.webhook_secret)
        ),
        *(row.api_key for row in StripeAccount.objects.all()),
        *(row.webhook_secrets for row in StripeAccount.objects.all()),
    ]
    unreadable = 0
    for secret in secrets:
        try:
            if secret is not None:
                secret.reveal()
        except UnreadableSecretError:
            unreadable += 1
    if unreadable:
        fix = "Put the old key back into VELVETROPE_ENCRYPTION_KEYS, behind the first."
        yield Finding("secrets", "error", f"{unreadable} stored secrets cannot be read.", fix)
    else:
        yield Finding("secrets", "ok", "Every stored secret can be read.")


def _work() -> Iterator[Finding]:
    pid = server_pid()
    if pid is None:
        fix = "Start it: velvetrope serve. What comes in meanwhile is delivered again later."
        yield Finding("server", "warning", "No server runs on this database.", fix)
    else:
        yield Finding("server", "ok", f"Process {pid} serves.")
    dead = operations.count_dead()
    if dead:
        fix = "Look at them: velvetrope deadletters list"
        yield Finding("work", "warning", f"{dead} dead letters wait for a decision.", fix)
    suspended = OutboxItem.objects.filter(state=ItemState.SUSPENDED).count()
    if suspended:
        fix = "Mend what is said of the bot, then: velvetrope bots register"
        yield Finding("work", "warning", f"{suspended} calls wait for an operator.", fix)
    waiting = InboxEvent.objects.filter(state=EventState.PENDING).count()
    if not (dead or suspended):
        yield Finding("work", "ok", f"Nothing has failed for good; {waiting} events wait.")


async def _vendors(application: Application) -> list[Finding]:
    accounts = await application.db.read(lambda: list(StripeAccount.objects.order_by("id")))
    found = [await _stripe(application, account) for account in accounts]
    if not accounts:
        fix = "Set VELVETROPE_STRIPE_API_KEY, or add an account in the console."
        found.append(Finding("stripe", "warning", "No Stripe account is known.", fix))
    ids = await application.db.read(lambda: list(Integration.objects.values_list("id", flat=True)))
    for key in ids:
        view = await application.services.view(key)
        if view is not None:
            found += await look_at(application, view)
    if not ids:
        found.append(Finding("bots", "warning", "No bot is connected.", "velvetrope bots add"))
    return found


async def _stripe(application: Application, account: StripeAccount) -> Finding:
    subject = f"stripe {account.name}"
    try:
        gateway = await application.stripe.gateway(account.pk)
        seen = await gateway.fetch_account()
    except VelvetError as error:
        return of_error(subject, error, application.settings)
    mode = "live" if seen.livemode else "test"
    if application.settings.production and not seen.livemode:
        fix = "Use a live key: with a test key nobody really pays."
        return Finding(subject, "warning", f"{seen.name} is used in test mode.", fix)
    return Finding(subject, "ok", f"{seen.name or seen.id} answers ({mode} mode).")
