from __future__ import annotations

import re
from importlib import resources
from pathlib import Path

import pytest

from velvetrope.domain.validation import LANGUAGES
from velvetrope.store.models.integration import LANGUAGES as STORED_LANGUAGES
from velvetrope.usecases.wording import bot_profile
from velvetrope.usecases.wording.markup import mistake_in
from velvetrope.usecases.wording.outgoing import visible
from velvetrope.usecases.wording.texts import (
    LANGUAGE_NAMES,
    PLURAL_FORMS,
    REFERENCE,
    Texts,
    catalogue,
    is_plain,
    longest_text,
    placeholders,
)

OTHERS = [language for language in LANGUAGES if language != REFERENCE]
ALL_FORMS = frozenset(form for forms in PLURAL_FORMS.values() for form in forms)
#: Keys that are put together from a family and a name.
BUILT = re.compile(
    r"button\.(unnamed_\w+|\w+)|command\.\w+|status\.\w+|money\.(per|every)_\w+|bot\.\w+_general"
    r"|terms\.\w+\.question|terms\.paused\.\w+"
)


def base(key: str) -> str:
    head, _, last = key.rpartition(".")
    return head if last in ALL_FORMS else key


def meaning(language: str) -> dict[str, frozenset[str]]:
    """Give the placeholders of each text; forms of one text are taken together."""
    found: dict[str, frozenset[str]] = {}
    for key, text in catalogue(language).texts.items():
        found[base(key)] = found.get(base(key), frozenset()) | placeholders(text)
    return found


def test_all_parts_of_the_product_speak_of_the_same_languages() -> None:
    assert set(LANGUAGES) == set(LANGUAGE_NAMES) == set(dict(STORED_LANGUAGES)) == set(PLURAL_FORMS)
    assert dict(STORED_LANGUAGES) == LANGUAGE_NAMES


@pytest.mark.parametrize("language", OTHERS)
def test_a_language_lacks_no_text_and_has_no_other(language: str) -> None:
    assert set(meaning(language)) == set(meaning(REFERENCE))


@pytest.mark.parametrize("language", OTHERS)
def test_a_text_has_the_same_placeholders_in_each_language(language: str) -> None:
    ours, theirs = meaning(REFERENCE), meaning(language)
    assert {key: ours[key] ^ names for key, names in theirs.items() if names ^ ours[key]} in (
        {},
        # «first day free» and «1 day free» name their number in some languages only.
        {"plan.trial": frozenset({"count"})},
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_is_empty_unsure_or_too_long(language: str) -> None:
    own = catalogue(language)
    assert own.fuzzy == frozenset()
    assert [key for key, text in own.texts.items() if not text.strip()] == []
    assert [key for key, text in own.texts.items() if len(text) > longest_text(key)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_has_all_plural_forms_of_its_language(language: str) -> None:
    forms: dict[str, set[str]] = {}
    for key in catalogue(language).texts:
        if base(key) != key:
            forms.setdefault(base(key), set()).add(key.rpartition(".")[2])
    assert forms
    assert {key: found for key, found in forms.items() if found != {*PLURAL_FORMS[language]}} == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_html_is_well_formed_and_plain_texts_hold_none(language: str) -> None:
    for key, text in catalogue(language).texts.items():
        if is_plain(key):
            assert visible(text) == text, key
        else:
            assert mistake_in(text) is None, key


@pytest.mark.parametrize("language", LANGUAGES)
def test_typography_is_that_of_print(language: str) -> None:
    for key, text in catalogue(language).texts.items():
        seen = visible(text)
        assert not re.search(r"[\"'`]|\.\.\.|  | - ", seen), key
        assert seen == seen.strip(), key
        quotes = "“”" if language == "en" else "«»"
        assert set(re.findall("[“”„«»]", seen)) <= set(quotes), key


def test_ukrainian_and_russian_keep_to_their_own_letters() -> None:
    for key, text in catalogue("uk").texts.items():
        assert not re.search("[ыэъё]", text, re.IGNORECASE), key
    for key, text in catalogue("ru").texts.items():
        assert not re.search("[іїєґ]", text, re.IGNORECASE), key


def test_code_and_catalogue_know_the_same_texts() -> None:
    folder = Path(str(resources.files("velvetrope.usecases.wording")))
    code = "".join(path.read_text() for path in sorted(folder.glob("*.py")))
    named = set(re.findall(r"[\"']([a-z]+\.[a-z_]+)[\"']", code))
    families = {key.partition(".")[0] for key in catalogue(REFERENCE).texts}
    texts = set(meaning(REFERENCE))
    asked = {name for name in named if name.partition(".")[0] in families - {"locale"}}
    assert asked - texts == set()
    unused = {key for key in texts - asked if not BUILT.fullmatch(key)}
    assert {key for key in unused if f'"{key}"' not in code} == set()


def test_every_command_of_the_menu_has_its_description() -> None:
    described = {key for key in catalogue(REFERENCE).texts if key.startswith("command.")}
    assert described == {f"command.{name}" for name in bot_profile.COMMANDS}


@pytest.mark.parametrize(
    ("language", "forms"),
    [
        ("en", {1: "one", 0: "other", 2: "other", 11: "other", 21: "other"}),
        (
            "uk",
            {1: "one", 21: "one", 101: "one", 2: "few", 24: "few", 0: "many", 5: "many"}
            | {11: "many", 12: "many", 14: "many", 111: "many", 100: "many"},
        ),
        (
            "ru",
            {1: "one", 21: "one", 101: "one", 3: "few", 34: "few", 0: "many", 7: "many"}
            | {11: "many", 13: "many", 112: "many", 30: "many"},
        ),
    ],
)
def test_numbers_choose_their_form(language: str, forms: dict[int, str]) -> None:
    texts = Texts(language, {})
    assert {number: texts.form_of("x", number).removeprefix("x.") for number in forms} == forms


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", ["first day free", "first 2 days free", "first 5 days free", "first 21 days free"]),
        (
            "uk",
            [
                "1 день безкоштовно",
                "перші 2 дні безкоштовно",
                "перші 5 днів безкоштовно",
                "21 день безкоштовно",
            ],
        ),
        (
            "ru",
            [
                "1 день бесплатно",
                "первые 2 дня бесплатно",
                "первые 5 дней бесплатно",
                "21 день бесплатно",
            ],
        ),
    ],
)
def test_days_are_counted_as_the_language_does(language: str, said: list[str]) -> None:
    texts = Texts(language, {})
    assert [texts.count("plan.trial", number, {}) for number in (1, 2, 5, 21)] == said
