"""Commands that hold things against Stripe, and look at what came in and what failed."""

from __future__ import annotations

from typing import Final

from velvetrope.cli.grammar import (
    JSON,
    LIMIT,
    LONG_WAIT,
    OF_BOT,
    WAIT,
    Command,
    option,
)

_CLI: Final = "velvetrope.cli"
_REFS: Final = option(
    "letters", nargs="*", metavar="LETTER", help="as listed: event:123 or item:456"
)
_ALL: Final = option("--all", action="store_true", help="all that the other options leave")
_CODE: Final = option("--code", default="", metavar="CODE", help="only with this error code")
_KIND: Final = option("--kind", choices=("event", "item"), help="only events, or only calls")

COMMANDS: Final = (
    Command(
        "reconcile",
        f"{_CLI}.reconcile:reconcile",
        "hold Stripe, the database and the chats against each other now",
        (
            option(
                "--dry-run",
                action="store_true",
                help="list who would enter, leave or be written to, and change nothing",
            ),
            OF_BOT,
            LONG_WAIT,
            JSON,
        ),
    ),
    Command(
        "backfill",
        f"{_CLI}.reconcile:backfill",
        "fetch events of Stripe's that never came",
        (
            option("--since", required=True, metavar="TIME", help="7d, 12h, or a date (UTC)"),
            option("--stripe-account", default="", metavar="NAME", help="only of this account"),
            WAIT,
            JSON,
        ),
    ),
    Command(
        "rebuild",
        f"{_CLI}.reconcile:rebuild",
        "rebuild customers, rights and places from what Stripe knows",
        (
            OF_BOT,
            option(
                "--into-existing", action="store_true", help="even if there are customers already"
            ),
            LONG_WAIT,
            JSON,
        ),
    ),
    Command(
        "events list",
        f"{_CLI}.events:list_some",
        "list events, the newest first",
        (
            OF_BOT,
            option("--source", choices=("telegram", "stripe", "job"), help="only from there"),
            option(
                "--state",
                choices=("pending", "claimed", "done", "dead", "discarded"),
                help="only in this state",
            ),
            option(
                "--outcome",
                choices=("handled", "ignored", "foreign", "unhandled"),
                help="only with this outcome",
            ),
            LIMIT,
            JSON,
        ),
    ),
    Command(
        "events show",
        f"{_CLI}.events:show",
        "show one event with its payload",
        (option("event", type=int, metavar="ID", help="as listed"), JSON),
    ),
    Command(
        "events replay",
        f"{_CLI}.events:replay",
        "try a dead event again",
        (option("event", type=int, metavar="ID", help="as listed"), WAIT, JSON),
    ),
    Command(
        "deadletters list",
        f"{_CLI}.deadletters:list_some",
        "list events and calls that failed for good",
        (OF_BOT, _KIND, _CODE, LIMIT, JSON),
    ),
    Command(
        "deadletters replay",
        f"{_CLI}.deadletters:replay",
        "try them again from the start",
        (_REFS, _ALL, OF_BOT, _KIND, _CODE, JSON),
    ),
    Command(
        "deadletters discard",
        f"{_CLI}.deadletters:discard",
        "give them up; they stay on record",
        (_REFS, _ALL, OF_BOT, _KIND, _CODE, JSON),
    ),
)
