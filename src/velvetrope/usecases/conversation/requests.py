"""What a person wants, read from an update; everything that is no person's private word is None."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from velvetrope.usecases.alert_hearers import PAYLOAD

if TYPE_CHECKING:
    from velvetrope.gateways.telegram.updates import CallbackQuery, Message, Update, User


class Wish(StrEnum):
    START = "start"  # the argument is the deep link's payload
    STATUS = "status"
    PLANS = "plans"
    LANGUAGE = "language"  # the argument is the language, empty to be asked for one
    HELP = "help"
    TERMS = "terms"
    PRIVACY = "privacy"
    PAYSUPPORT = "paysupport"
    PLAN = "plan"  # the argument is the plan's id
    PORTAL = "portal"
    ENTER = "enter"
    ALERTS = "alerts"  # an operator's; the argument is the code of the console
    TALK = "talk"  # a text that is no command
    SILENT = "silent"  # a picture, a sticker: no text at all
    UNKNOWN_COMMAND = "unknown_command"
    OUTDATED = "outdated"  # a button of another version


#: Commands, which are also the data of buttons.
_COMMANDS: Final = {
    wish.value: wish
    for wish in (
        Wish.START,
        Wish.STATUS,
        Wish.PLANS,
        Wish.LANGUAGE,
        Wish.HELP,
        Wish.TERMS,
        Wish.PRIVACY,
        Wish.PAYSUPPORT,
    )
}
_BUTTONS: Final = {
    **_COMMANDS,
    **{wish.value: wish for wish in (Wish.PLAN, Wish.PORTAL, Wish.ENTER)},
}
#: Commands that no button sends.
_SAID: Final = {**_COMMANDS, Wish.ALERTS.value: Wish.ALERTS}
_COMMAND = re.compile(r"/([A-Za-z0-9_]{1,32})(?:@([A-Za-z0-9_]{1,64}))?(?:\s+(.*))?", re.DOTALL)
#: One more than a deep link's payload may have, so that a longer one stays recognisable.
_LONGEST_ARGUMENT: Final = 65


@dataclass(frozen=True, slots=True)
class Request:
    """One wish of one person.

    `addressee` is the bot that a command names, if any. `callback_id` is set for a button, and
    `message_id` then names the message that holds it if that can still be edited. `sent_at` is in
    seconds since 1970; None for buttons, whose updates carry no time.
    """

    user: User
    wish: Wish
    argument: str = ""
    addressee: str = ""
    callback_id: str | None = None
    message_id: int | None = None
    sent_at: int | None = None


def read_request(update: Update) -> Request | None:
    if update.message is not None:
        return _of_message(update.message)
    if update.callback_query is not None:
        return _of_button(update.callback_query)
    return None


def _of_message(message: Message) -> Request | None:
    user = message.from_
    if user is None or not message.is_from_person or not message.chat.is_private:
        return None
    if message.successful_payment is not None:
        return None
    if message.text is None:
        return Request(user, Wish.SILENT, sent_at=message.date)
    command = _COMMAND.fullmatch(message.text.strip())
    if command is None:
        return Request(user, Wish.TALK, sent_at=message.date)
    name, addressee, argument = command.groups(default="")
    wish = _SAID.get(name.lower(), Wish.UNKNOWN_COMMAND)
    argument = argument.strip()[:_LONGEST_ARGUMENT]
    if wish is Wish.START and argument.startswith(PAYLOAD):
        wish, argument = Wish.ALERTS, argument.removeprefix(PAYLOAD)
    return Request(user, wish, argument, addressee, sent_at=message.date)


def _of_button(query: CallbackQuery) -> Request | None:
    message = query.message
    if query.from_.is_bot or (message is not None and not message.chat.is_private):
        return None
    name, _, argument = (query.data or "").partition(":")
    editable = message is not None and message.date > 0
    return Request(
        query.from_,
        _BUTTONS.get(name, Wish.OUTDATED),
        argument,
        callback_id=query.id,
        message_id=message.message_id if message is not None and editable else None,
    )
