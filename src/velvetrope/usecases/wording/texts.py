"""The texts of one language: gettext catalogues keyed by stable names, and operators' own words.

`locale/<language>/LC_MESSAGES/velvetrope.po` holds them. A text has named placeholders such as
`{plan}`. Keys of the families in `PLAIN` are shown where HTML means nothing; all others are HTML.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Final

from babel import Locale
from babel.messages.pofile import read_po

from velvetrope.domain.validation import Invalid, shown
from velvetrope.usecases.wording.markup import mistake_in
from velvetrope.usecases.wording.outgoing import Html, escape, visible

if TYPE_CHECKING:
    from collections.abc import Mapping

LANGUAGE_NAMES: Final = {"en": "English", "uk": "Українська", "ru": "Русский"}
DOMAIN: Final = "velvetrope"

#: The language that the others are measured by: its keys and placeholders are what there is.
REFERENCE: Final = "en"
#: The names of a language's plural forms (CLDR), in the order of its catalogue.
PLURAL_FORMS: Final = {
    "en": ("one", "other"),
    "uk": ("one", "few", "many"),
    "ru": ("one", "few", "many"),
}

#: Families of keys that are shown as they are, with the longest text that fits there.
PLAIN: Final = {
    "button": 64,
    "toast": 200,
    "command": 100,
    "date": 64,
    "money": 64,
    "bot": 512,
    "post": 1000,
}
#: Bot API, setMyShortDescription.
_LONGEST_SHORT_DESCRIPTION: Final = 120
#: A message may be made of several texts, and has room for 4096 characters.
LONGEST_HTML: Final = 1000

_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All texts of a language; a text with plural forms is found under `<key>.<form>`."""

    language: str
    texts: Mapping[str, str]
    #: What translators have marked as unsure.
    fuzzy: frozenset[str]

    @property
    def keys(self) -> frozenset[str]:
        return frozenset(self.texts)


@cache
def catalogue(language: str) -> Catalogue:
    """Read a language's catalogue, once."""
    path = resources.files("velvetrope") / "locale" / language / "LC_MESSAGES" / f"{DOMAIN}.po"
    texts: dict[str, str] = {}
    fuzzy: set[str] = set()
    with path.open("rb") as file:
        messages = read_po(file, locale=language, abort_invalid=True)
    for message in messages:
        if not message.id:  # the header
            continue
        if isinstance(message.id, str):
            found = {message.id: str(message.string)}
        else:
            forms = (f"{message.id[0]}.{form}" for form in PLURAL_FORMS[language])
            found = dict(zip(forms, message.string or (), strict=True))
        texts.update(found)
        if message.fuzzy:
            fuzzy.update(found)
    return Catalogue(language, texts, frozenset(fuzzy))


def is_plain(key: str) -> bool:
    return key.partition(".")[0] in PLAIN


def longest_text(key: str) -> int:
    """Tell how many characters an own wording of a text may have."""
    if key.startswith("bot.short_description"):
        return _LONGEST_SHORT_DESCRIPTION
    return PLAIN.get(key.partition(".")[0], LONGEST_HTML)


def placeholders(text: str) -> frozenset[str]:
    return frozenset(_PLACEHOLDER.findall(text))


def check_override(language: str, key: str, text: object) -> str:
    """Check an operator's own wording of one text; returns it cleaned or raises `Invalid`."""
    own = catalogue(language).texts.get(key)
    if own is None:
        remedy = "Choose one of the texts of this language from the list."
        raise Invalid("text_key_unknown", "key", shown(key), remedy)
    cleaned = text.strip().replace("\r\n", "\n") if isinstance(text, str) else ""
    if not visible(cleaned).strip():
        remedy = "Write a text, or remove this entry to use the product's own."
        raise Invalid("text_empty", "text", "", remedy)
    _check_placeholders(cleaned, own, key)
    longest = longest_text(key)
    if len(cleaned) > longest:
        raise Invalid("text_too_long", "text", "", f"Use at most {longest} characters.")
    if not is_plain(key) and (mistake := mistake_in(cleaned)) is not None:
        raise Invalid("text_markup", "text", mistake.where, mistake.remedy)
    return cleaned


def _check_placeholders(text: str, own: str, key: str) -> None:
    expected = placeholders(own)
    if key.rpartition(".")[2] in PLURAL_FORMS["uk"] + PLURAL_FORMS["en"]:
        expected |= {"count"}  # every form may name its number, and none has to
    listed = ", ".join(f"{{{name}}}" for name in sorted(expected)) or "none"
    if unknown := sorted(placeholders(text) - expected):
        remedy = f"This text knows these placeholders: {listed}."
        raise Invalid("text_placeholder_unknown", "text", f"{{{unknown[0]}}}", remedy)
    rest = _PLACEHOLDER.sub("", text)
    if "{" in rest or "}" in rest:
        remedy = f"Braces are for placeholders only; this text knows: {listed}."
        raise Invalid("text_braces", "text", "", remedy)
    if missing := sorted(expected - placeholders(text) - {"count"}):
        remedy = f"Keep the placeholder {{{missing[0]}}}: the product fills it in."
        raise Invalid("text_placeholder_missing", "text", f"{{{missing[0]}}}", remedy)


class Texts:
    """The texts of a language with an integration's own wordings in place of some."""

    __slots__ = ("_overrides", "_plural_form", "_texts", "language", "locale")

    def __init__(self, language: str, overrides: Mapping[tuple[str, str], str]) -> None:
        self.language = language
        self.locale = _locale(language)
        self._texts = catalogue(language).texts
        self._overrides = _usable(language, overrides)
        self._plural_form = self.locale.plural_form

    def text(self, key: str, values: Mapping[str, str | int]) -> Html:
        """Fill a text in; values are escaped unless they are HTML."""
        parts = _parts(self._overrides.get(key) or self._texts[key])
        if len(parts) == 1:
            return Html(parts[0])
        filled = list(parts)
        for index in range(1, len(parts), 2):
            value = values[parts[index]]
            filled[index] = escape(value) if isinstance(value, str) else str(value)
        return Html("".join(filled))

    def plain(self, key: str, values: Mapping[str, str | int]) -> str:
        """Fill in a text that is shown as it is."""
        parts = list(_parts(self._overrides.get(key) or self._texts[key]))
        for index in range(1, len(parts), 2):
            parts[index] = str(values[parts[index]])
        return "".join(parts)

    def count(self, key: str, number: int, values: Mapping[str, str | int]) -> Html:
        return self.text(self.form_of(key, number), {"count": number, **values})

    def plain_count(self, key: str, number: int, values: Mapping[str, str | int]) -> str:
        return self.plain(self.form_of(key, number), {"count": number, **values})

    def form_of(self, key: str, number: int) -> str:
        """Give the key of the plural form that goes with a whole number."""
        return f"{key}.{self._plural_form(number)}"


@cache
def _locale(language: str) -> Locale:
    return Locale.parse(language)


@lru_cache(maxsize=4096)
def _parts(text: str) -> tuple[str, ...]:
    """Split a text into literals (even places) and names of placeholders (odd places)."""
    return tuple(_PLACEHOLDER.split(text))


def _usable(language: str, overrides: Mapping[tuple[str, str], str]) -> dict[str, str]:
    """Take a language's overrides; one that no longer fits its text gives way to it.

    Texts change with the product's versions, and a person who waits must not be left without an
    answer because of a wording that was right last year.
    """
    usable: dict[str, str] = {}
    for (its_language, key), text in overrides.items():
        if its_language == language:
            try:
                usable[key] = check_override(language, key, text)
            except Invalid:
                continue
    return usable
