"""What every method of the Bot API works on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from velvetrope.sandbox.telegram.delivery import Courier
    from velvetrope.sandbox.telegram.pace import Pace
    from velvetrope.sandbox.telegram.state import Bot
    from velvetrope.sandbox.telegram.world import TelegramKnobs, World


@dataclass(slots=True, frozen=True)
class Context:
    """The world and the bot that calls."""

    world: World
    bot: Bot
    courier: Courier
    pace: Pace
    knobs: TelegramKnobs
