"""People who may sign in to the console."""

from __future__ import annotations

import getpass
import sys
from typing import TYPE_CHECKING

from velvetrope.cli.failures import CommandError, Exit
from velvetrope.cli.opening import ACTOR
from velvetrope.cli.output import print_record, say
from velvetrope.usecases import operations

if TYPE_CHECKING:
    import argparse


def create(options: argparse.Namespace) -> int:
    """Make an operator; a password that was generated is printed, once and never again."""
    if options.password and options.generate:
        raise CommandError("Use --password or --generate, not both", code=Exit.USAGE)
    given = _read_password(options)
    password = operations.create_operator(options.name, given, ACTOR)
    made = {"name": options.name} if given else {"name": options.name, "password": password}
    print_record(made, as_json=options.json)
    if not given:
        say("This password is shown once and kept nowhere in the clear.")
    return Exit.DONE


def _read_password(options: argparse.Namespace) -> str | None:
    """Read it from where the options say; None to have it generated."""
    if options.password:
        text = sys.stdin.readline().rstrip("\n")
        if not text:
            raise CommandError("Standard input held no password", code=Exit.USAGE)
        return text
    if options.generate or not sys.stdin.isatty():
        return None
    text = getpass.getpass("Password (empty: generate one): ")
    if text and text != getpass.getpass("The same again: "):
        raise CommandError("The two passwords differ", remedy="Try again", code=Exit.USAGE)
    return text or None
