"""An integration's access policy, shown and changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from velvetrope.cli.failures import Exit
from velvetrope.cli.finding import find_bot
from velvetrope.cli.opening import ACTOR
from velvetrope.cli.output import print_records, say
from velvetrope.domain.policy import RULES, Policy
from velvetrope.store.clock import present
from velvetrope.usecases import operations

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from velvetrope.cli.output import Value


def policy(options: argparse.Namespace) -> int:
    """Show the policy as it is now, or as it would be; what it changes for whom is said."""
    row = find_bot(options.bot)
    shown = operations.policy_of(row)
    if options.set or options.reset:
        values = dict(options.set)
        wanted = shown.changed(values, options.reset)
        say(_effect(operations.foresee(row.pk, wanted, present())))
        if not options.dry_run:
            operations.change_policy(row.pk, values, options.reset, ACTOR)
        shown = wanted
    print_records(_records(shown), as_json=options.json, empty="")
    return Exit.DONE


def _effect(effect: operations.Effect) -> str:
    if effect == operations.Effect():
        return "Nobody's access changes by that now."
    return (
        f"By what Stripe said last: {effect.losing} would lose a chat, {effect.gaining} would gain "
        "one. Stripe is asked again before anybody leaves."
    )


def _records(shown: Policy) -> Sequence[dict[str, Value]]:
    return [
        {
            "name": rule.name,
            "value": shown.values[rule.name],
            "default": rule.default,
            "allowed": rule.allowed,
            "meaning": rule.meaning,
        }
        for rule in RULES
    ]
