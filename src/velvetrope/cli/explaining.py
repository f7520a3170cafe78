"""Errors in words: what is wrong, where, and what to do about it."""

from __future__ import annotations

import sys
import traceback
from typing import TYPE_CHECKING, Final

from velvetrope.cli.failures import Exit
from velvetrope.domain.errors import VelvetError
from velvetrope.domain.secrecy import scrub
from velvetrope.domain.validation import Invalid
from velvetrope.settings import SettingsError

if TYPE_CHECKING:
    from velvetrope.settings import Settings

_DEVELOPMENT: Final = "To try it out on this machine, set VELVETROPE_ENV=development."
_UNEXPECTED: Final = "This should not have happened; please report it with the lines above."


def exit_code(error: Exception) -> Exit:
    return Exit.USAGE if isinstance(error, SettingsError | Invalid) else Exit.FAILED


def explain(error: Exception, settings: Settings | None = None) -> str:
    """Give one or more lines, free of secrets; what nobody foresaw is told with its trace first."""
    if isinstance(error, SettingsError):
        return _settings(error)
    if isinstance(error, Invalid):
        return str(error)
    if isinstance(error, VelvetError):
        return _vendor(error, settings)
    known = _from_inside(error)
    if known is not None:
        return known
    print(scrub("".join(traceback.format_exception(error))), end="", file=sys.stderr)
    return _UNEXPECTED


def _settings(error: SettingsError) -> str:
    lines = [str(problem) for problem in error.problems]
    missing = [problem for problem in error.problems if problem.what == "missing"]
    return "\n".join([*lines, _DEVELOPMENT] if missing else lines)


def _vendor(error: VelvetError, settings: Settings | None) -> str:
    from velvetrope.cli.vendor_words import explain_here  # noqa: PLC0415  rare
    from velvetrope.usecases.wording import problems  # noqa: PLC0415  rare

    problem = {"code": error.code, "data": dict(error.data)}
    said = explain_here(problem, settings) if settings else problems.explain(problem)
    details = f" ({scrub(said.details)})" if said.details else ""
    return f"{said.code}: {said.what}{details} {said.fix}"


def _from_inside(error: Exception) -> str | None:
    """Put those errors of the store and the use cases into words that a person can cause."""
    from django.apps import apps  # noqa: PLC0415  help is quick

    if not apps.ready:
        return None
    from velvetrope.cli import inner_errors  # noqa: PLC0415  imports the models

    return inner_errors.explain(error)
