"""The `velvetrope` command: parses, runs, and turns every failure into a line and an exit code."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING

from velvetrope.cli.commands import COMMANDS
from velvetrope.cli.failures import CommandError, Exit
from velvetrope.cli.grammar import Opens, build_parser

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; gives its exit code. argparse itself exits with 2 for wrong usage."""
    options = build_parser(COMMANDS).parse_args(arguments)
    try:
        if options.opens is not Opens.NOTHING:
            from velvetrope.cli.opening import open_installation  # noqa: PLC0415  help is quick

            options.settings = open_installation(options.opens)
        code = _load(options.run)(options)
        sys.stdout.flush()
    except CommandError as error:
        return _fail(options, str(error), error.code)
    except BrokenPipeError:
        # Whoever read the output has seen enough; Python would complain while it closes it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.DONE
    except KeyboardInterrupt:
        return _fail(options, "Interrupted.", Exit.FAILED)
    except Exception as error:  # noqa: BLE001  the last place that can say it without a secret
        return _explain(options, error)
    return code


def _load(path: str) -> Callable[[argparse.Namespace], int]:
    module, _, name = path.partition(":")
    run: Callable[[argparse.Namespace], int] = getattr(import_module(module), name)
    return run


def _explain(options: argparse.Namespace, error: Exception) -> int:
    from velvetrope.cli import explaining  # noqa: PLC0415  needed for failures only

    settings = getattr(options, "settings", None)  # None where the command opens nothing itself
    return _fail(options, explaining.explain(error, settings), explaining.exit_code(error))


def _fail(options: argparse.Namespace, text: str, code: Exit) -> int:
    for line in text.splitlines():
        print(f"velvetrope {options.command}: {line}", file=sys.stderr)
    return code
