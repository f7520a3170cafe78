"""The database brought up to date, and the installation judged without reaching out."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from django.core import checks
from django.core.management import call_command

from velvetrope.cli.failures import Exit
from velvetrope.cli.opening import pending_migrations
from velvetrope.cli.output import print_record, print_records, say

if TYPE_CHECKING:
    import argparse

    from velvetrope.cli.output import Record


def migrate(options: argparse.Namespace) -> int:
    """Apply what the database lacks; doing it again does nothing."""
    place = options.settings.database.place
    missing = pending_migrations()
    call_command("migrate", verbosity=0, interactive=False, stdout=io.StringIO())
    record: Record = {"database": place, "applied": [*missing]}
    if options.json:
        print_record(record, as_json=True)
    else:
        say(f"{place} is up to date ({len(missing)} migrations applied).")
    return Exit.DONE


def check(options: argparse.Namespace) -> int:
    """Say what is wrong with the settings and the database; fails if any of it is an error."""
    messages = checks.run_checks()
    found: list[Record] = [
        {
            "level": "error" if one.is_serious() else "warning",
            "id": one.id,
            "what": one.msg,
            "remedy": one.hint or "",
        }
        for one in messages
    ]
    missing = pending_migrations()
    if missing:
        what = f"The database lacks {len(missing)} migrations."
        found.append(
            {
                "level": "error",
                "id": "velvetrope.E005",
                "what": what,
                "remedy": "velvetrope migrate",
            }
        )
    print_records(found, as_json=options.json, empty="Nothing is wrong.")
    return Exit.FAILED if any(one["level"] == "error" for one in found) else Exit.DONE
