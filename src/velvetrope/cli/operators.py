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
    """Make or mend an operator; a password that was generated is printed, once and never again."""
    if options.password and options.generate:
        raise CommandError("Use --password or --generate, not both", code=Exit.USAGE)
    if options.disable:
        return _disable(options)
    given = _read_password(options)
    make = operations.reset_operator if options.reset else operations.create_operator
    password = make(options.name, given, ACTOR)
    made = {"name": options.name} if given else {"name": options.name, "password": password}
    print_record(made, as_json=options.json)
    if not given:
        say("This password is shown once and kept nowhere in the clear.")
    return Exit.DONE


def _disable(options: argparse.Namespace) -> int:
    if options.reset or options.password or options.generate:
        raise CommandError("--disable takes no password and no --reset", code=Exit.USAGE)
    operations.disable_operator(options.name, ACTOR)
    print_record({"name": options.name, "active": False}, as_json=options.json)
    say("They are signed out and kept out; --reset lets them in again with a new password.")
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
