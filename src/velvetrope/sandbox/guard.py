"""Keeps the sandbox out of production."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class NotInProduction(RuntimeError):  # noqa: N818  reads as what is said
    """The sandbox doesn't run with VELVETROPE_ENV=production: unset it, or use the real thing."""


def refuse_production(environ: Mapping[str, str]) -> None:
    """Raise NotInProduction if this environment serves real people."""
    if environ.get("VELVETROPE_ENV", "").strip().lower() == "production":
        raise NotInProduction(str(NotInProduction.__doc__))
