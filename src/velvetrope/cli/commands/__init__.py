"""Every command with what it takes; docs/commands.md describes the same ones."""

from typing import Final

from velvetrope.cli.commands import bots, people, running, upkeep

COMMANDS: Final = (
    *running.COMMANDS,
    *bots.COMMANDS,
    *upkeep.COMMANDS,
    *people.COMMANDS,
)
