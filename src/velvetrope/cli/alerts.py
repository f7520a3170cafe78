"""Alerts: what needs an operator, and whom the bots tell of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from velvetrope.cli import records
from velvetrope.cli.failures import CommandError, Exit
from velvetrope.cli.finding import find_bot
from velvetrope.cli.opening import ACTOR
from velvetrope.cli.output import print_record, print_records, say
from velvetrope.store.clock import present
from velvetrope.usecases import alert_hearers, operations

if TYPE_CHECKING:
    import argparse


def list_some(options: argparse.Namespace) -> int:
    """List open alerts, with --all those that are over too."""
    found = operations.list_alerts(
        is_open=None if options.all else True,
        integration_id=find_bot(options.bot).pk if options.bot else None,
        limit=options.limit,
    )
    rows = [records.alert(one) for one in found]
    print_records(rows, as_json=options.json, empty="Nothing needs you.")
    return Exit.DONE


def hear(options: argparse.Namespace) -> int:
    """Name whom a bot tells of alerts, or show who it is and how to link oneself."""
    row = find_bot(options.bot)
    if options.to is not None and options.off:
        raise CommandError("Give --to or --off, not both", code=Exit.USAGE)
    now = present()
    if options.to is not None or options.off:
        alert_hearers.hear(row.pk, None if options.off else options.to, ACTOR, now)
        row.refresh_from_db()
    record = {
        "bot": row.name,
        "alerts_to": row.alerts_to,
        "link": alert_hearers.link_address(row, now),
        "say": f"/alerts {alert_hearers.link_code(row, now)}",
    }
    print_record(record, as_json=options.json)
    if options.to is None and not options.off:
        say(
            "To hear of alerts, open the link in Telegram within a quarter of an hour and press "
            "Start, or send the bot the words above."
        )
    elif options.to is not None:
        say("A person hears the bot only after pressing Start in it.")
    return Exit.DONE
