"""What a look at everybody would change, printed and not done."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from velvetrope.cli.failures import Exit
from velvetrope.cli.finding import find_bots
from velvetrope.cli.output import print_records, say
from velvetrope.cli.vendors import with_vendors
from velvetrope.store.clock import present
from velvetrope.store.models import Customer
from velvetrope.usecases.explaining.terms import Terms, name_of
from velvetrope.usecases.rehearsing import words
from velvetrope.usecases.rehearsing.running import count, find_changes

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from velvetrope.bootstrap import Application
    from velvetrope.cli.output import Record
    from velvetrope.settings import Settings
    from velvetrope.store.models import Integration
    from velvetrope.usecases.rehearsing.rehearsal import Change


def run(options: argparse.Namespace) -> int:
    """List who would enter, leave or be written to, and why; nothing is changed."""
    rows: list[Record] = []
    for bot in find_bots(options.bot):
        looked_at, changes = _look(options.settings, bot.pk)
        terms = Terms(bot, present())
        rows += _rows(bot, changes, terms)
        say(f"{bot.name}: looked at {looked_at}, nothing was changed.")
        for one in words.find_exoduses(count(changes), terms):
            say(
                f"{one.chat}: {one.leaving} would leave; after {one.at_most} the rest would wait"
                " for your word."
            )
    print_records(rows, as_json=options.json, empty="Everything is as it should be.")
    return Exit.DONE


def _look(settings: Settings, integration_id: int) -> tuple[int, list[Change]]:
    async def look(application: Application) -> tuple[int, list[Change]]:
        people = 0
        changes: list[Change] = []
        async for page in find_changes(application.services, integration_id):
            people += page.people
            changes += page.changes
        return people, changes

    return with_vendors(settings, look)


def _rows(bot: Integration, changes: Sequence[Change], terms: Terms) -> list[Record]:
    names = _names(changes)
    told = [words.tell(one, terms) for one in changes]
    return [
        {
            "bot": bot.name,
            "member": one.customer_id,
            "name": names.get(one.customer_id, ""),
            "effect": one.effect.value,
            "what": one.what,
            "because": one.why,
        }
        for one in told
    ]


def _names(changes: Sequence[Change]) -> dict[int, str]:
    ids = list(Counter(one.customer_id for one in changes))
    names: dict[int, str] = {}
    for place in range(0, len(ids), 500):
        rows = Customer.objects.filter(id__in=ids[place : place + 500])
        names |= {row.pk: name_of(row) for row in rows}
    return names
