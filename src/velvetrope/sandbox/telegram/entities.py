"""Reads the Bot API's HTML into a text and its entities, as strict as the vendor's reader."""

from __future__ import annotations

import re
from typing import NamedTuple

from velvetrope.sandbox.telegram.errors import bad_request
from velvetrope.sandbox.telegram.wire import Entity

_KINDS = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "tg-spoiler": "spoiler",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
    "a": "text_link",
    "span": "spoiler",
    "tg-emoji": "custom_emoji",
}
_NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
#: Every code point but the surrogates.
_LETTERS = (range(1, 0xD800), range(0xE000, 0x110000))
_STEP = re.compile(r"[<&]")
_TAG = re.compile(
    r"<(/?)([A-Za-z][\w-]*)((?:\s+[\w-]+(?:\s*=\s*(?:\"[^\"]*\"|'[^']*'|[\w.-]+))?)*)\s*>"
)
_ATTRIBUTE = re.compile(r"([\w-]+)(?:\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([\w.-]+)))?")
_REFERENCE = re.compile(r"&(?:#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6})|([a-z]+));?")
_LINK = re.compile(
    r"(?:https?://|tg://|mailto:|tel:)\S+$|(?:[\w-]+\.)+[a-z]{2,}(?:[/?#]\S*)?$", re.IGNORECASE
)
_COMMAND = re.compile(r"(?<![\w/@])/[A-Za-z0-9_]{1,32}(?:@\w{3,32})?")
_ADDRESS = re.compile(r"https?://[^\s<>\"]+[^\s<>\".,;:!?)»]")


class _Open(NamedTuple):
    tag: str
    start: int
    attributes: dict[str, str]


def utf16_length(text: str) -> int:
    """Count UTF-16 code units, the measure of the Bot API."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2


def parse_html(source: str) -> tuple[str, list[Entity]]:
    """Read HTML into text and entities; ApiError 400 for what the vendor can't parse."""
    if "<" not in source and "&" not in source:
        return source, []
    return _Reader(source).read()


class _Reader:
    def __init__(self, source: str) -> None:
        self._source = source
        self._parts: list[str] = []
        self._length = 0
        self._open: list[_Open] = []
        self._entities: list[Entity] = []

    def read(self) -> tuple[str, list[Entity]]:
        position = 0
        while (step := _STEP.search(self._source, position)) is not None:
            self._write(self._source[position : step.start()])
            position = self._reference(step.start()) if step[0] == "&" else self._tag(step.start())
        self._write(self._source[position:])
        if self._open:
            raise self._error(
                f'Can\'t find end tag corresponding to start tag "{self._open[-1].tag}"'
            )
        self._entities.sort(key=lambda entity: (entity.offset, -entity.length))
        return "".join(self._parts), self._entities

    def _write(self, text: str) -> None:
        if text:
            self._parts.append(text)
            self._length += utf16_length(text)

    def _reference(self, position: int) -> int:
        found = _REFERENCE.match(self._source, position)
        if found is not None:
            decimal, hexadecimal, name = found.groups()
            if name is None:
                code = int(decimal) if decimal else int(hexadecimal, 16)
                letter = chr(code) if any(code in letters for letters in _LETTERS) else None
            else:
                letter = _NAMED.get(name)
            if letter is not None:
                self._write(letter)
                return found.end()
        self._write("&")
        return position + 1

    def _tag(self, position: int) -> int:
        found = _TAG.match(self._source, position)
        offset = len(self._source[:position].encode())
        if found is None:
            closed = self._source.find(">", position)
            what = "Unclosed start tag" if closed < 0 else "Unexpected start or end tag"
            raise self._error(f"{what} at byte offset {offset}")
        tag = found[2].lower()
        if found[1]:
            self._close(tag, offset)
        else:
            self._start(tag, found[3], offset)
        return found.end()

    def _start(self, tag: str, attributes: str, offset: int) -> None:
        if tag not in _KINDS:
            raise self._error(f'Unsupported start tag "{tag}" at byte offset {offset}')
        given = {
            name.lower(): parse_attribute(double or single or bare)
            for name, double, single, bare in _ATTRIBUTE.findall(attributes)
        }
        if tag == "span" and given.get("class") != "tg-spoiler":
            raise self._error(f'Tag "span" must have class "tg-spoiler" at byte offset {offset}')
        if tag == "tg-emoji" and not given.get("emoji-id", "").isdigit():
            raise self._error("Invalid custom emoji identifier specified")
        self._open.append(_Open(tag, self._length, given))

    def _close(self, tag: str, offset: int) -> None:
        if not self._open:
            raise self._error(f"Unexpected end tag at byte offset {offset}")
        opened = self._open.pop()
        if opened.tag != tag:
            raise self._error(
                f"Unmatched end tag at byte offset {offset}, "
                f'expected "</{opened.tag}>", found "</{tag}>"'
            )
        length = self._length - opened.start
        if length:
            self._keep(opened, length)

    def _keep(self, opened: _Open, length: int) -> None:
        entity = Entity(type=_KINDS[opened.tag], offset=opened.start, length=length)
        language = opened.attributes.get("class", "")
        if opened.tag == "a":
            entity.url = opened.attributes.get("href") or self._written(opened.start, length)
            if not _LINK.match(entity.url):
                return
        elif opened.tag == "tg-emoji":
            entity.custom_emoji_id = opened.attributes["emoji-id"]
        elif opened.tag == "blockquote" and "expandable" in opened.attributes:
            entity.type = "expandable_blockquote"
        elif opened.tag == "code" and language.startswith("language-"):
            entity.language = language.removeprefix("language-")
        elif opened.tag == "pre":
            inner = self._entities[-1] if self._entities else None
            if inner is not None and inner.type == "code" and inner.offset == entity.offset:
                entity.language = inner.language
                self._entities.pop()
        self._entities.append(entity)

    def _written(self, start: int, length: int) -> str:
        units = "".join(self._parts).encode("utf-16-le")
        return units[2 * start : 2 * (start + length)].decode("utf-16-le")

    @staticmethod
    def _error(what: str) -> Exception:
        return bad_request(f"can't parse entities: {what}")


def parse_attribute(value: str) -> str:
    """Resolve the character references in an attribute's value."""
    if "&" not in value:
        return value
    for name, letter in (("lt", "<"), ("gt", ">"), ("quot", '"'), ("amp", "&")):
        value = value.replace(f"&{name};", letter)
    return value


def trim(text: str, entities: list[Entity]) -> tuple[str, list[Entity]]:
    """Cut the white space around a text and move its entities along."""
    left = len(text) - len(text.lstrip())
    cut = text.strip()
    if len(cut) == len(text):
        return text, entities
    length = utf16_length(cut)
    kept = []
    for entity in entities:
        start = max(entity.offset - left, 0)
        end = min(entity.offset + entity.length - left, length)
        if end > start:
            entity.offset, entity.length = start, end - start
            kept.append(entity)
    return cut, kept


def detect(text: str, *, commands: bool) -> list[Entity]:
    """Find web addresses and, if asked, bot commands in a plain text."""
    found: list[Entity] = []
    patterns = [("url", _ADDRESS)] if "://" in text else []
    if commands and "/" in text:
        patterns.append(("bot_command", _COMMAND))
    for kind, pattern in patterns:
        for match in pattern.finditer(text):
            offset = utf16_length(text[: match.start()])
            entity = Entity(type=kind, offset=offset, length=utf16_length(match[0]))
            if not any(_overlap(entity, other) for other in found):
                found.append(entity)
    return sorted(found, key=lambda entity: entity.offset)


def _overlap(one: Entity, other: Entity) -> bool:
    return one.offset < other.offset + other.length and other.offset < one.offset + one.length


def add_detected(text: str, given: list[Entity], *, commands: bool) -> list[Entity]:
    """Add what is detected outside of links and code to the entities that were given."""
    taken = [entity for entity in given if entity.type in {"text_link", "code", "pre"}]
    detected = [
        one
        for one in detect(text, commands=commands)
        if not any(_overlap(one, other) for other in taken)
    ]
    return sorted([*given, *detected], key=lambda e: (e.offset, -e.length)) if detected else given
