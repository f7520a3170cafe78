"""Vendors' failures in a command's words: nobody tries again for who waits at a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from velvetrope.usecases.wording.problems import explain

if TYPE_CHECKING:
    from velvetrope.settings import Settings
    from velvetrope.usecases.wording.problems import Explanation

_UNREACHED: Final = frozenset(
    {"telegram_unavailable", "telegram_timeout", "stripe_unavailable", "stripe_timeout"}
)
_HURRIED: Final = frozenset({"too_many_requests", "stripe_rate_limited"})


def explain_here(problem: object, settings: Settings) -> Explanation:
    """Put a problem into words as the console does, but for what a job would try again.

    Those commands that ask vendors themselves do so before they store anything.
    """
    said = explain(problem)
    if said.code in _HURRIED:
        fix = "Nothing was stored or changed. Wait a minute, then run the command again."
        return replace(said, fix=fix, details="")
    if said.code in _UNREACHED:
        fix = (
            "Nothing was stored or changed. Check this machine's connection to "
            f"{_host(said.code, settings)}, then run the command again."
        )
        return replace(said, fix=fix, details=_status(problem))
    return said


def _host(code: str, settings: Settings) -> str:
    """Give host and port, without the name and password that an address may hold."""
    stripe = code.startswith("stripe_")
    address = settings.stripe_api_url if stripe else settings.telegram_api_url
    return urlsplit(address).netloc.rpartition("@")[2]


def _status(problem: object) -> str:
    """Give the HTTP status, if it got that far; the rest of the data is for the pipeline."""
    data = problem.get("data") if isinstance(problem, Mapping) else None
    if not isinstance(data, Mapping):
        return ""
    reason = str(data.get("reason", ""))
    status = reason.removeprefix("http_") if reason.startswith("http_") else data.get("status")
    return f"HTTP {status}" if status else ""
