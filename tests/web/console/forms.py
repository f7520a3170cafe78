"""Forms as browsers send them: with the token of the page that they stand on."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.test import Client

_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
_TAGS = re.compile(r"<[^>]+>")


def csrf_token(browser: Client, page: str) -> str:
    found = _TOKEN.search(browser.get(page).content.decode())
    assert found is not None, page
    return found[1]


def post(browser: Client, page: str, url: str, fields: Mapping[str, object] | None = None) -> Any:
    return browser.post(url, {"csrfmiddlewaretoken": csrf_token(browser, page), **(fields or {})})


def said(browser: Client, answer: Any) -> str:
    """Give the words of the page that an answer leads to."""
    if answer.status_code == 302:
        answer = browser.get(answer["location"])
    return words(answer)


def words(answer: Any) -> str:
    text = html.unescape(_TAGS.sub(" ", answer.content.decode()))
    return " ".join(text.split())
