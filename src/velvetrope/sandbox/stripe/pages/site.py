"""The hosted pages' addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.routing import Route

    from velvetrope.sandbox.stripe.simulator import Simulator


def routes(_simulator: Simulator) -> list[Route]:
    """Make the pages' routes."""
    return []
