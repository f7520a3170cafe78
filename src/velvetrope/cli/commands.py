"""Every command with what it takes; docs/commands.md describes the same ones."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from velvetrope.cli.grammar import (
    BOT,
    JSON,
    LIMIT,
    LONG_WAIT,
    NOTE,
    OF_BOT,
    WAIT,
    Command,
    Opens,
    option,
)

_CLI: Final = "velvetrope.cli"
_MEMBER: Final = option(
    "member", metavar="MEMBER", help="id of the customer; with --bot the Telegram user id"
)
_OF_MEMBER: Final = option("--bot", metavar="BOT", help="the bot whose user is meant")
_REFS: Final = option(
    "letters", nargs="*", metavar="LETTER", help="as listed: event:123 or item:456"
)
_ALL: Final = option("--all", action="store_true", help="all that the other options leave")
_CODE: Final = option("--code", default="", metavar="CODE", help="only with this error code")
_KIND: Final = option("--kind", choices=("event", "item"), help="only events, or only calls")
_BOT_OF_CHAT: Final = option(
    "--bot", required=True, metavar="BOT", help="id, name or @username of the integration"
)
_CHAT: Final = option(
    "--chat", required=True, type=int, metavar="ID", help="Telegram id of the chat"
)

COMMANDS: Final = (
    Command(
        "demo",
        f"{_CLI}.demo:demo",
        "show the whole product with a pretended Telegram and Stripe",
        (
            option("--script", action="store_true", help="play the journey without a browser"),
            option("--port", type=int, default=8000, help="of the product (8000); 0: a free one"),
            option("--phone-port", type=int, default=8001, help="of the phone (8001)"),
            option("--stripe-port", type=int, default=8002, help="of the pretended Stripe (8002)"),
            option(
                "--folder",
                type=Path,
                default=None,
                help="for its data, emptied first (data/demo; for the script a temporary one)",
            ),
        ),
        opens=Opens.NOTHING,
    ),
    Command(
        "serve",
        f"{_CLI}.serve:serve",
        "serve webhooks, console, health and metrics",
        (
            option("--host", default="127.0.0.1", help="address to listen at (127.0.0.1)"),
            option("--port", type=int, default=8000, help="0 takes a free one (8000)"),
            option(
                "--role",
                choices=("all", "web", "worker"),
                default="all",
                help="part of the work; SQLite knows only all",
            ),
            JSON,
        ),
        opens=Opens.NOTHING,
    ),
    Command(
        "migrate",
        f"{_CLI}.installation:migrate",
        "make the database, or bring it up to date",
        (JSON,),
        opens=Opens.NEW,
    ),
    Command(
        "check",
        f"{_CLI}.installation:check",
        "judge settings and database without reaching out",
        (JSON,),
        opens=Opens.DATABASE,
    ),
    Command(
        "doctor",
        f"{_CLI}.doctor:doctor",
        "look at everything, vendors included, and say what to mend",
        (JSON,),
        opens=Opens.DATABASE,
    ),
    Command(
        "createoperator",
        f"{_CLI}.operators:create",
        "let a person sign in to the console",
        (
            option("name", nargs="?", default="operator", help="name to sign in with (operator)"),
            option(
                "--password",
                metavar="-",
                choices=("-",),
                help="- reads it from standard input; else it is asked for or generated",
            ),
            option("--generate", action="store_true", help="generate it without asking"),
            option(
                "--reset",
                action="store_true",
                help="a new password for an operator who exists; ends their sessions",
            ),
            option(
                "--disable",
                action="store_true",
                help="sign an operator out and keep them out, until --reset",
            ),
            JSON,
        ),
    ),
    Command(
        "bots add",
        f"{_CLI}.bots:add",
        "connect a bot: verify it, store it, register its webhook",
        (
            option(
                "--token",
                metavar="TOKEN",
                help="from @BotFather; - reads standard input, else TELEGRAM_BOT_TOKEN is used",
            ),
            option(
                "--chat",
                action="append",
                default=[],
                metavar="ID",
                help="channel or supergroup that it opens (repeatable)",
            ),
            option(
                "--price",
                action="append",
                default=[],
                metavar="ID",
                help="Stripe price that it sells (repeatable)",
            ),
            option("--name", default="", help="its name here; else the bot's own"),
            option("--language", default="en", help="en, uk or ru, for who has not chosen (en)"),
            option("--time-zone", default="UTC", metavar="ZONE", help="of dates in messages (UTC)"),
            option(
                "--stripe-account",
                default="",
                metavar="NAME",
                help="account of the console; else the one of the environment",
            ),
            option("--terms-url", default="", metavar="URL", help="shown before paying"),
            option("--privacy-url", default="", metavar="URL", help="shown by /privacy"),
            option("--support", default="", metavar="TEXT", help="contact shown by /paysupport"),
            WAIT,
            JSON,
        ),
    ),
    Command("bots list", f"{_CLI}.bots:list_all", "list the integrations", (JSON,)),
    Command("bots show", f"{_CLI}.bots:show", "show one with its chats and problems", (BOT, JSON)),
    Command(
        "bots verify",
        f"{_CLI}.bots:verify",
        "look at the bot, its rights and prices; changes nothing",
        (BOT, JSON),
    ),
    Command(
        "bots register",
        f"{_CLI}.bots:register",
        "verify, then point the bot's webhook here again",
        (BOT, WAIT, JSON),
    ),
    Command(
        "bots policy",
        f"{_CLI}.policy:policy",
        "show or change what each fact about a payment means for access",
        (
            BOT,
            option(
                "--set",
                action="append",
                default=[],
                metavar="NAME=VALUE",
                help="change one value (repeatable)",
            ),
            option(
                "--reset",
                action="append",
                default=[],
                metavar="NAME",
                help="back to the default (repeatable)",
            ),
            option("--dry-run", action="store_true", help="only tell what the change would do"),
            JSON,
        ),
    ),
    Command(
        "bots messages",
        f"{_CLI}.messages:messages",
        "show or change which messages its customers get, and when",
        (
            BOT,
            option(
                "--off", action="append", default=[], metavar="KIND", help="switch off (repeatable)"
            ),
            option(
                "--on", action="append", default=[], metavar="KIND", help="switch on (repeatable)"
            ),
            option(
                "--set",
                action="append",
                default=[],
                metavar="NAME=VALUE",
                help="days before, or hours (repeatable)",
            ),
            JSON,
        ),
    ),
    Command(
        "bots rotate-secret",
        f"{_CLI}.bots:rotate_secret",
        "replace the webhook's secret and register it",
        (BOT, WAIT, JSON),
    ),
    Command(
        "bots disable",
        f"{_CLI}.bots:disable",
        "acknowledge its updates and do nothing about them",
        (BOT, JSON),
    ),
    Command("bots enable", f"{_CLI}.bots:enable", "let it work again", (BOT, WAIT, JSON)),
    Command(
        "bots set-token",
        f"{_CLI}.bots:set_token",
        "give a bot its new token after the old one was revoked",
        (
            BOT,
            option(
                "--token",
                metavar="TOKEN",
                help="from @BotFather; - reads standard input, else TELEGRAM_BOT_TOKEN is used",
            ),
            WAIT,
            JSON,
        ),
    ),
    Command(
        "bots replace-chat",
        f"{_CLI}.bots:replace_chat",
        "put a new chat in the place of one that was deleted",
        (
            BOT,
            option("--old", type=int, required=True, metavar="ID", help="the chat that is gone"),
            option("--new", type=int, required=True, metavar="ID", help="the one made instead"),
            WAIT,
            JSON,
        ),
    ),
    Command(
        "bots alerts",
        f"{_CLI}.alerts:hear",
        "name whom the bot tells of alerts, or show how to link oneself",
        (
            BOT,
            option("--to", type=int, metavar="ID", help="Telegram id of the person or chat"),
            option("--off", action="store_true", help="tell nobody"),
            JSON,
        ),
    ),
    Command(
        "bots claim",
        f"{_CLI}.adoption:claim",
        "open or close the link for members from before",
        (
            BOT,
            option("--until", metavar="DATE", help="open until then: 2027-12-31, or 30d"),
            option("--close", action="store_true", help="the link leads to the plans again"),
            option("--dry-run", action="store_true", help="show whom it concerns; changes nothing"),
            WAIT,
            JSON,
        ),
    ),
    Command(
        "alerts list",
        f"{_CLI}.alerts:list_some",
        "list what needs an operator, with the fix",
        (
            OF_BOT,
            option("--all", action="store_true", help="those that are over, too"),
            LIMIT,
            JSON,
        ),
    ),
    Command("plans list", f"{_CLI}.plans:list_all", "list the plans", (OF_BOT, JSON)),
    Command(
        "plans sync",
        f"{_CLI}.plans:sync",
        "copy names, amounts and states from Stripe again",
        (OF_BOT, WAIT, JSON),
    ),
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
                type=float,
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
