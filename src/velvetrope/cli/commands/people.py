"""Commands about customers: what they hold, where they are, who is to leave."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from velvetrope.cli.grammar import (
    JSON,
    LIMIT,
    NOTE,
    OF_BOT,
    WAIT,
    Command,
    option,
    seconds,
)

_CLI: Final = "velvetrope.cli"
_MEMBER: Final = option(
    "member", metavar="MEMBER", help="id of the customer; with --bot the Telegram user id"
)
_OF_MEMBER: Final = option("--bot", metavar="BOT", help="the bot whose user is meant")
_BOT_OF_CHAT: Final = option(
    "--bot", required=True, metavar="BOT", help="id, name or @username of the integration"
)
_CHAT: Final = option(
    "--chat", required=True, type=int, metavar="ID", help="Telegram id of the chat"
)

COMMANDS: Final = (
    Command(
        "members list",
        f"{_CLI}.members:list_some",
        "list customers, the newest first",
        (
            OF_BOT,
            option("--holding", action="store_true", help="only who holds access now"),
            LIMIT,
            JSON,
        ),
    ),
    Command(
        "members show",
        f"{_CLI}.members:show",
        "show one with entitlements and access",
        (_MEMBER, _OF_MEMBER, JSON),
    ),
    Command(
        "members why",
        f"{_CLI}.members:why",
        "explain one: where they should be and are, why, and what happened",
        (
            _MEMBER,
            _OF_MEMBER,
            option("--all", action="store_true", help="the whole history, not the newest 200"),
            JSON,
        ),
    ),
    Command(
        "members sync",
        f"{_CLI}.members:sync",
        "ask Stripe and Telegram about one now",
        (_MEMBER, _OF_MEMBER, WAIT, JSON),
    ),
    Command(
        "members reinvite",
        f"{_CLI}.members:reinvite",
        "show one who holds access the way in again",
        (_MEMBER, _OF_MEMBER, WAIT, JSON),
    ),
    Command(
        "members message",
        f"{_CLI}.members:message",
        "write to one through the bot",
        (
            _MEMBER,
            option("text", metavar="TEXT", help="plain text of 1 to 4096 characters"),
            _OF_MEMBER,
            WAIT,
            JSON,
        ),
    ),
    Command(
        "members grant",
        f"{_CLI}.members:grant",
        "give access by hand",
        (
            _MEMBER,
            _OF_MEMBER,
            option("--plan", required=True, metavar="PLAN", help="id of the plan, or its price"),
            option("--until", metavar="DATE", help="2027-01-31, or with a time (UTC)"),
            option("--days", type=int, metavar="N", help="so many days from now"),
            NOTE,
            WAIT,
            JSON,
        ),
    ),
    Command(
        "members revoke",
        f"{_CLI}.members:revoke",
        "end access that was given by hand",
        (_MEMBER, _OF_MEMBER, NOTE, WAIT, JSON),
    ),
    Command(
        "members import",
        f"{_CLI}.adoption:import_list",
        "adopt members from before, from a list",
        (
            option("file", type=Path, metavar="FILE", help="CSV with user_id, until, note, plan"),
            option("--bot", required=True, metavar="BOT", help="the bot whose members they are"),
            option(
                "--chat",
                action="append",
                default=[],
                metavar="ID",
                help="where they are (repeatable); else every chat that the plan opens",
            ),
            option("--plan", required=True, metavar="PLAN", help="id of the plan, or its price"),
            option("--deadline", metavar="DATE", help="until when: 2027-12-31, or 30d"),
            option("--comp", action="store_true", help="friends: for ever, without paying"),
            option("--skip-bad", action="store_true", help="leave lines with mistakes out"),
            option("--dry-run", action="store_true", help="look and tell; nobody is touched"),
            option("--yes", action="store_true", help="adopt without asking"),
            option(
                "--wait",
                type=seconds,
                default=600.0,
                metavar="SECONDS",
                help="how long to wait for each of the two steps (600)",
            ),
            JSON,
        ),
    ),
    Command(
        "removals list",
        f"{_CLI}.removals:list_some",
        "list who is to leave and waits for an operator's word",
        (OF_BOT, JSON),
    ),
    Command(
        "removals confirm",
        f"{_CLI}.removals:confirm",
        "let them leave; each is looked up at Stripe once more first",
        (
            option("members", nargs="*", metavar="MEMBER", help="as listed"),
            _BOT_OF_CHAT,
            _CHAT,
            option("--all", action="store_true", help="all who wait to leave the chat"),
            JSON,
        ),
    ),
    Command(
        "removals recheck",
        f"{_CLI}.removals:recheck",
        "look up again who waits; who pays leaves the list",
        (_BOT_OF_CHAT, _CHAT, JSON),
    ),
)
