"""Which language a person is written to in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from velvetrope.domain.validation import LANGUAGES, find_language
from velvetrope.usecases.wording.words import Words

if TYPE_CHECKING:
    from datetime import datetime

    from velvetrope.store.catalogue import IntegrationView


class Reader(Protocol):
    """The part of a customer that says how to address them."""

    @property
    def chosen_language(self) -> str: ...
    @property
    def telegram_language(self) -> str: ...


def language_of(reader: Reader, view: IntegrationView) -> str:
    """Give the chosen language, else Telegram's, else the integration's.

    Telegram's language counts only if it is one of the product's: no other language is taken for
    a neighbour of one, since its speaker and the operator know better.
    """
    for language in (reader.chosen_language, reader.telegram_language, view.language):
        if language in LANGUAGES:
            return language
    return LANGUAGES[0]


def words_for(reader: Reader, view: IntegrationView, now: datetime) -> Words:
    return Words(view, language_of(reader, view), now)


def words_for_stranger(language_code: str | None, view: IntegrationView, now: datetime) -> Words:
    """Address a person who is no customer yet, by the language tag that Telegram sent."""
    return Words(view, find_language(language_code) or view.language, now)
