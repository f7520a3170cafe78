"""Whether a text is HTML that the Bot API accepts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Final
from urllib.parse import urlsplit

from velvetrope.domain.validation import shown

#: Bot API, «HTML style», without those that a text of this product has no use for.
TAGS: Final = frozenset(
    {
        "b",
        "strong",
        "i",
        "em",
        "u",
        "ins",
        "s",
        "strike",
        "del",
        "a",
        "code",
        "blockquote",
        "tg-spoiler",
    }
)
_LINK_SCHEMES: Final = frozenset({"http", "https", "tg", "mailto"})
_BARE_AMPERSAND = re.compile(r"&(?!(?:amp|lt|gt|quot|#\d{1,7}|#x[0-9a-fA-F]{1,6});)")
_PLACEHOLDER_ONLY = re.compile(r"\{[a-z_]+\}")


@dataclass(frozen=True, slots=True)
class Mistake:
    where: str
    remedy: str


def mistake_in(text: str) -> Mistake | None:
    """Find the first thing that Telegram would refuse or show wrongly."""
    if (bare := _BARE_AMPERSAND.search(text)) is not None:
        return Mistake(shown(text[bare.start() : bare.start() + 20]), "Write & as &amp;.")
    reader = _Reader()
    reader.feed(text)
    reader.close()
    if reader.mistake is None and reader.open:
        tag = reader.open[-1]
        return Mistake(f"<{tag}>", f"Close it with </{tag}>.")
    return reader.mistake


class _Reader(HTMLParser):
    """Keeps the tags that are open, and the first mistake."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.open: list[str] = []
        self.mistake: Mistake | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in TAGS:
            listed = ", ".join(sorted(TAGS))
            self._blame(f"<{tag}>", f"Telegram shows these tags: {listed}. Write < as &lt;.")
        elif tag == "a":
            if [name for name, _ in attrs] != ["href"] or not _is_link(attrs[0][1] or ""):
                self._blame("<a>", 'Write a link as <a href="https://…">…</a>.')
        elif attrs:
            self._blame(f"<{tag}>", "Remove what stands in the tag beside its name.")
        self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self._blame(f"<{tag}/>", f"Close it with </{tag}>, and start new lines by typing them.")

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open[-1] != tag:
            expected = f" </{self.open[-1]}> is expected here." if self.open else ""
            self._blame(f"</{tag}>", f"This closes what is not open.{expected}")
        else:
            self.open.pop()

    def handle_data(self, data: str) -> None:
        if "<" in data:
            self._blame(shown(data), "Write < as &lt;.")

    def handle_comment(self, data: str) -> None:
        self._blame(f"<!--{shown(data)}-->", "Telegram knows no comments: remove it.")

    def handle_decl(self, decl: str) -> None:
        self._blame(shown(decl), "Write < as &lt;.")

    def handle_pi(self, data: str) -> None:
        self._blame(shown(data), "Write < as &lt;.")

    def unknown_decl(self, data: str) -> None:
        self._blame(shown(data), "Write < as &lt;.")

    def _blame(self, where: str, remedy: str) -> None:
        if self.mistake is None:
            self.mistake = Mistake(where, remedy)


def _is_link(address: str) -> bool:
    if _PLACEHOLDER_ONLY.fullmatch(address):
        return True
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return parts.scheme in _LINK_SCHEMES and bool(parts.netloc or parts.path)
