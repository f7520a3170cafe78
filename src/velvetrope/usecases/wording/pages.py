"""What is said when somebody asks about the bot itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from velvetrope.usecases.wording import parts
from velvetrope.usecases.wording.bot_profile import COMMANDS
from velvetrope.usecases.wording.outgoing import Button, Html, OutgoingMessage
from velvetrope.usecases.wording.texts import LANGUAGE_NAMES

if TYPE_CHECKING:
    from velvetrope.usecases.wording.words import Words

_CHOSEN: Final = "✓ "


def help_page(words: Words) -> OutgoingMessage:
    return words.once("help", lambda: _help(words))


def privacy(words: Words) -> OutgoingMessage:
    return words.once("privacy", lambda: _privacy(words))


def paysupport(words: Words) -> OutgoingMessage:
    """Tell where to ask about a payment, as Telegram demands of bots that sell."""
    contact = words.view.support_contact
    how = words.text("paysupport.contact", contact=contact) if contact else ""
    return OutgoingMessage(
        parts.paragraphs(words.text("paysupport.page"), how),
        (parts.action(words, "portal"), parts.action(words, "status")),
    )


def language_picker(words: Words) -> OutgoingMessage:
    row = tuple(
        Button(f"{_CHOSEN if code == words.language else ''}{name}", data=f"language:{code}")
        for code, name in LANGUAGE_NAMES.items()
    )
    return OutgoingMessage(words.text("language.choose"), (row,))


def language_chosen(words: Words, then: OutgoingMessage) -> OutgoingMessage:
    """Confirm in the new language, and go on with `then`."""
    return then.after(words.text("language.chosen"))


def unknown_text(words: Words) -> OutgoingMessage:
    return _at_a_loss(words, "unknown.text")


def unknown_command(words: Words) -> OutgoingMessage:
    return _at_a_loss(words, "unknown.command")


def outdated_button(words: Words) -> str:
    """Tell, above the chat for a moment, that a button leads nowhere any more."""
    return words.plain("toast.outdated")


def _at_a_loss(words: Words, key: str) -> OutgoingMessage:
    return OutgoingMessage(
        parts.paragraphs(words.text(key), _contact(words)),
        (parts.action(words, "plans"), parts.action(words, "status"), parts.action(words, "help")),
    )


def _contact(words: Words) -> Html:
    contact = words.view.support_contact
    return words.text("contact", contact=contact) if contact else Html()


def _help(words: Words) -> OutgoingMessage:
    commands = parts.lines(
        *(
            words.text("help.command", command=name, description=words.plain(f"command.{name}"))
            for name in COMMANDS
            if name != "help"
        )
    )
    chats = words.view.chats
    about = words.text("help.page", chats=words.chat_names(chats)) if chats else ""
    return OutgoingMessage(
        parts.paragraphs(about, commands, _contact(words)),
        (parts.action(words, "plans"), parts.action(words, "status")),
    )


def _privacy(words: Words) -> OutgoingMessage:
    url = words.view.privacy_url
    return OutgoingMessage(
        parts.paragraphs(
            words.text("privacy.page"),
            words.text("privacy.whole", url=url) if url else "",
            _contact(words),
        )
    )
