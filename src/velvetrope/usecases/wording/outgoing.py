"""What is sent to a person: a text of Telegram's HTML and the buttons below it."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, replace
from typing import Final

#: Bot API: a text has 1-4096 characters after its tags and entities have been read.
LONGEST_TEXT: Final = 4096
_TAG = re.compile(r"<[^>]*>")


class Html(str):
    """Text that is HTML already: its values are escaped, so it goes into other texts as it is."""

    __slots__ = ()


def escape(text: str) -> Html:
    return text if isinstance(text, Html) else Html(html.escape(text, quote=True))


@dataclass(frozen=True, slots=True)
class Button:
    """One button, which opens `url` or sends `data` (1-64 bytes) back to the bot."""

    text: str
    url: str = ""
    data: str = ""

    def as_param(self) -> dict[str, str]:
        if self.url:
            return {"text": self.text, "url": self.url}
        return {"text": self.text, "callback_data": self.data}


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """A message for one person; `keyboard` holds rows of buttons.

    A button's URL may be `invite:<chat pk>`, which delivery turns into the chat's link.
    """

    text: Html
    keyboard: tuple[tuple[Button, ...], ...] = ()

    def after(self, introduction: Html) -> OutgoingMessage:
        """Say `introduction` first, in a paragraph of its own."""
        return replace(self, text=Html(f"{introduction}\n\n{self.text}"))

    def params(self, chat_id: int) -> dict[str, object]:
        """Give the parameters of `sendMessage`."""
        params: dict[str, object] = {
            "chat_id": chat_id,
            "text": _fitting(self.text),
            "parse_mode": "HTML",
            "link_preview_options": {"is_disabled": True},
        }
        if self.keyboard:
            params["reply_markup"] = {
                "inline_keyboard": [[button.as_param() for button in row] for row in self.keyboard]
            }
        return params

    def edit_params(self, chat_id: int, message_id: int) -> dict[str, object]:
        """Give the parameters of `editMessageText`, which takes the buttons away if none follow."""
        return {**self.params(chat_id), "message_id": message_id}


def visible(text: str) -> str:
    """Give what a reader sees of a text of HTML."""
    return html.unescape(_TAG.sub("", text))


def _fitting(text: str) -> str:
    """Cut a text that would be refused; only an operator's own wording can become that long."""
    if len(text) <= LONGEST_TEXT or len(seen := visible(text)) <= LONGEST_TEXT:
        return str(text)  # the outbox's JSON knows no subclasses
    return html.escape(seen[: LONGEST_TEXT - 1] + "…", quote=True)
