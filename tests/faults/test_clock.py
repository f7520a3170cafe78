"""The product's clock jumps while Stripe's and Telegram's go on.

Ids keep to the system's clock, which tests can't move: this is about every time that is compared.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.faults.scene import Scene

HOUR = 3600.0


class Shift:
    """How far the product's clock is ahead of the system's, as the sandbox's file tells it."""

    def __init__(self, scene: Scene) -> None:
        self._file = Path(scene.fleet.env["VELVETROPE_CLOCK_FILE"])
        self.right = float(self._file.read_text())

    def put(self, seconds: float) -> None:
        self._file.write_text(f"{self.right + seconds:.3f}\n")


@asynccontextmanager
async def wrong_clock(scene: Scene, seconds: float) -> AsyncIterator[None]:
    """Let the product live at another moment until people were served there."""
    shift = Shift(scene)
    try:
        shift.put(seconds)
        await scene.has_an_answer()
        await scene.has_an_answer()
        yield
    finally:
        shift.put(0)


# Much more ahead, Stripe refuses the sessions of Checkout, whose end it bounds to a day.
@pytest.mark.parametrize(("name", "seconds"), [("an hour ahead", HOUR), ("an hour back", -HOUR)])
async def test_the_clock_jumps_and_comes_back(scene: Scene, name: str, seconds: float) -> None:
    await scene.play(f"clock {name}", wrong_clock(scene, seconds), moves_clock=True)
    # Stripe's signatures are too old or too new meanwhile; Stripe comes again.
    assert {one.status for one in scene.meanwhile} <= {200, 400}
