"""Checks the keyboards that bots put under their messages."""

from __future__ import annotations

from urllib.parse import urlsplit

import msgspec

from velvetrope.sandbox.telegram.errors import bad_request
from velvetrope.sandbox.telegram.wire import Button, Keyboard

_DATA_LIMIT = 64
_BUTTONS_LIMIT = 100
_OTHER_KEYBOARDS = ("keyboard", "remove_keyboard", "force_reply")
_STYLES = {None, "danger", "success", "primary"}


def read_keyboard(markup: dict[str, object] | None, *, inline_only: bool) -> Keyboard | None:
    """Check a reply markup and give its inline keyboard; ApiError 400 for what can't be shown."""
    if not markup:
        return None
    if not inline_only and any(name in markup for name in _OTHER_KEYBOARDS):
        return None
    try:
        keyboard = msgspec.convert(markup, Keyboard)
    except msgspec.ValidationError as error:
        raise bad_request(f"can't parse inline keyboard button: {error}") from None
    keyboard.inline_keyboard = [row for row in keyboard.inline_keyboard if row]
    if sum(map(len, keyboard.inline_keyboard)) > _BUTTONS_LIMIT:
        raise bad_request("reply markup is too long")
    for row in keyboard.inline_keyboard:
        for button in row:
            _check(button)
    return keyboard if keyboard.inline_keyboard else None


def _check(button: Button) -> None:
    actions = [button.url, button.callback_data, button.copy_text]
    if not button.text.strip():
        raise bad_request("can't parse inline keyboard button: Text must be non-empty")
    if button.style not in _STYLES:
        raise bad_request("can't parse inline keyboard button: Invalid button style specified")
    if sum(action is not None for action in actions) != 1:
        raise bad_request(
            "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard"
        )
    if button.callback_data is not None:
        if not 1 <= len(button.callback_data.encode()) <= _DATA_LIMIT:
            raise bad_request("BUTTON_DATA_INVALID")
    elif button.url is not None:
        problem = find_url_problem(button.url)
        if problem:
            raise bad_request(f"inline keyboard button URL '{button.url}' is invalid: {problem}")


def find_url_problem(url: str) -> str | None:
    """Say why an address can't stand behind a button; None if it can."""
    try:
        parts = urlsplit(url if "://" in url or ":" in url else f"http://{url}")
        host = parts.hostname or ""
        _ = parts.port
    except ValueError:
        return "Wrong HTTP URL"
    if parts.scheme == "tg":
        return None
    if parts.scheme not in {"http", "https"}:
        return "Unsupported URL protocol"
    if any(letter.isspace() for letter in url) or not host:
        return "Wrong HTTP URL"
    return None if "." in host.strip(".") or ":" in host else "Wrong HTTP URL"
