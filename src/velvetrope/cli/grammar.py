"""The command line's grammar; what a command needs is imported only when it runs."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Opens(Enum):
    NOTHING = "nothing"  # it reads its settings itself, or needs none
    NEW = "new"  # settings, log and Django; the database is made if there is none
    DATABASE = "database"  # the same, of a database that there is
    MIGRATED = "migrated"  # and the database must be up to date


#: So many records fit in memory, however long they are.
MOST_RECORDS: Final = 100_000
#: A day.
LONGEST_WAIT: Final = 86_400


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument or option: what `add_argument` is given."""

    flags: tuple[str, ...]
    help: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Command:
    """One command: its words, the `module:function` that runs it, and what it takes."""

    words: str
    run: str
    help: str
    arguments: tuple[Argument, ...] = ()
    #: What is set up before its module is imported, so that it may import the models.
    opens: Opens = Opens.MIGRATED


def option(*flags: str, help: str, **options: Any) -> Argument:  # noqa: A002  argparse's word
    return Argument(flags, help, options)


def records(text: str) -> int:
    """Read how many records to show; argparse tells what else it may be."""
    number = int(text) if text.isdecimal() and len(text) <= len(str(MOST_RECORDS)) else 0
    if not 1 <= number <= MOST_RECORDS:
        raise argparse.ArgumentTypeError(f"use a whole number from 1 to {MOST_RECORDS}")
    return number


def seconds(text: str) -> float:
    """Read how long to wait; argparse tells what else it may be."""
    try:
        length = float(text)
    except ValueError:
        length = -1.0
    if not 0 <= length <= LONGEST_WAIT:  # refuses nan, too
        raise argparse.ArgumentTypeError(f"use 0 to {LONGEST_WAIT} seconds")
    return length


def pair(text: str) -> tuple[str, str]:
    """Read a name and its value; argparse tells how else to write them."""
    name, sign, value = text.partition("=")
    if not sign:
        raise argparse.ArgumentTypeError("a change is a name and a value, as in grace_days=3")
    return name.strip().replace("-", "_"), value


JSON: Final = option("--json", action="store_true", help="print JSON for programs")
BOT: Final = option("bot", metavar="BOT", help="id, name or @username of the integration")
OF_BOT: Final = option("--bot", metavar="BOT", help="only of this integration: id, name, @username")
LIMIT: Final = option("--limit", type=records, default=50, metavar="N", help="at most so many (50)")
WAIT: Final = option(
    "--wait",
    type=seconds,
    default=60.0,
    metavar="SECONDS",
    help="how long to wait for the end (60)",
)
LONG_WAIT: Final = option(
    "--wait",
    type=seconds,
    default=3600.0,
    metavar="SECONDS",
    help="how long to wait for the end (3600)",
)
NOTE: Final = option("--note", default="", metavar="TEXT", help="why, for the audit log")

GROUPS: Final[Mapping[str, str]] = {
    "alerts": "what needs an operator",
    "bots": "the integrations: bots with their chats and plans",
    "plans": "what is sold",
    "events": "what came in from Telegram and Stripe, and the product's own jobs",
    "deadletters": "what failed for good",
    "members": "customers, and access given by hand",
    "removals": "who is to leave and waits for you, since there are too many at once",
}


class _ShowVersion(argparse.Action):
    """Looks the version up only for who asks: reading packages' metadata takes its time."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version  # noqa: PLC0415  see above

        print(version("velvetrope"))
        parser.exit()


def build_parser(commands: Iterable[Command]) -> argparse.ArgumentParser:
    """Make the parser; parsed arguments carry the command's `run` and `opens`."""
    parser = argparse.ArgumentParser(
        prog="velvetrope",
        description="The paid door to a Telegram channel.",
        epilog="Exit codes: 0 done, 1 failed, 2 wrong usage or settings.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action=_ShowVersion, nargs=0, help="show the version")
    top = parser.add_subparsers(metavar="COMMAND", required=True)
    groups: dict[str, argparse._SubParsersAction[argparse.ArgumentParser]] = {}
    for command in commands:
        group, _, word = command.words.rpartition(" ")
        if group and group not in groups:
            inner = top.add_parser(group, help=GROUPS[group], allow_abbrev=False)
            groups[group] = inner.add_subparsers(metavar="ACTION", required=True)
        place = groups[group] if group else top
        one = place.add_parser(
            word, help=command.help, description=command.help, allow_abbrev=False
        )
        for argument in command.arguments:
            one.add_argument(*argument.flags, help=argument.help, **argument.options)
        one.set_defaults(run=command.run, command=command.words, opens=command.opens)
    return parser
