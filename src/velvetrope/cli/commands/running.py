"""Commands that set up and run an installation."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from velvetrope.cli.grammar import (
    JSON,
    Command,
    Opens,
    option,
)

_CLI: Final = "velvetrope.cli"

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
            option(
                "--database",
                default="",
                metavar="URL",
                help="an empty PostgreSQL database (a SQLite file in the folder)",
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
                help="part of the work: all of it (all); SQLite knows no other",
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
        "copy",
        f"{_CLI}.copying:copy",
        "copy everything into another database, to move to PostgreSQL",
        (
            option("--to", metavar="URL", required=True, help="the other one, migrated and empty"),
            JSON,
        ),
        opens=Opens.MIGRATED,
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
)
