"""How a bot presents itself: its menu of commands and its descriptions, in one language."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from velvetrope.gateways.telegram.records import BotCommand
from velvetrope.usecases.wording.outgoing import visible

if TYPE_CHECKING:
    from velvetrope.usecases.wording.words import Words

#: In the order of the menu. /start is known to everybody and needs no line.
COMMANDS: Final = (
    "plans",
    "status",
    "language",
    "help",
    "terms",
    "privacy",
    "paysupport",
)
LONGEST_DESCRIPTION: Final = 512
LONGEST_SHORT_DESCRIPTION: Final = 120


def commands(words: Words) -> tuple[BotCommand, ...]:
    return tuple(
        BotCommand(command=name, description=words.plain(f"command.{name}")) for name in COMMANDS
    )


def description(words: Words) -> str:
    """Give the text of an empty chat, at most 512 characters."""
    return _with_chats(words, "bot.description", LONGEST_DESCRIPTION)


def short_description(words: Words) -> str:
    """Give the text of the bot's profile, at most 120 characters."""
    return _with_chats(words, "bot.short_description", LONGEST_SHORT_DESCRIPTION)


def _with_chats(words: Words, key: str, longest: int) -> str:
    """Name the chats, or speak of them in general if their names are too long or unknown."""
    named = [chat for chat in words.view.chats if chat.title]
    if named:
        text = words.plain(key, chats=visible(words.chat_names(named)))
        if len(text) <= longest:
            return text
    return words.plain(f"{key}_general")[:longest]
