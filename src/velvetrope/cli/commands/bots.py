"""Commands about integrations: what they are, sell and tell, and what is wrong with them."""

from __future__ import annotations

from typing import Final

from velvetrope.cli.grammar import (
    BOT,
    JSON,
    LIMIT,
    OF_BOT,
    WAIT,
    Command,
    option,
    pair,
)

_CLI: Final = "velvetrope.cli"

COMMANDS: Final = (
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
                type=pair,
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
                type=pair,
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
)
