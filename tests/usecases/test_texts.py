from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from tests.usecases.wording import gallery
from velvetrope.domain.validation import LANGUAGES, Invalid
from velvetrope.usecases.wording import messages
from velvetrope.usecases.wording.language import language_of, words_for, words_for_stranger
from velvetrope.usecases.wording.outgoing import Html
from velvetrope.usecases.wording.texts import Texts, catalogue, check_override
from velvetrope.usecases.wording.words import Bookshelf, Words


@dataclass
class Person:
    chosen_language: str = ""
    telegram_language: str = ""


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_own_text_of_the_product_would_pass_as_an_override(language: str) -> None:
    for key, text in catalogue(language).texts.items():
        assert check_override(language, key, text) == text


@pytest.mark.parametrize(
    ("key", "text", "code"),
    [
        ("start.hello", "Hi", "text_key_unknown"),
        ("plan.trial.few", "Hi", "text_key_unknown"),
        ("start.greeting", "   ", "text_empty"),
        ("start.greeting", "<b></b>", "text_empty"),
        ("start.greeting", None, "text_empty"),
        ("start.greeting", "Hi {nmae}", "text_placeholder_unknown"),
        ("start.greeting", "Hi {plan} {name}", "text_placeholder_unknown"),
        ("start.greeting", "Hi", "text_placeholder_missing"),
        ("start.greeting", "Hi {name", "text_braces"),
        ("start.greeting", "Hi {name} {}", "text_braces"),
        ("start.greeting", "Hi {name.__class__}", "text_braces"),
        ("start.greeting", "Hi {name!r}", "text_braces"),
        ("start.greeting", "Hi <b>{name}", "text_markup"),
        ("start.greeting", "Hi <b>{name}</i>", "text_markup"),
        ("start.greeting", "Hi {name}</b>", "text_markup"),
        ("start.greeting", "Hi <h1>{name}</h1>", "text_markup"),
        ("start.greeting", "Hi {name}<br/>", "text_markup"),
        ("start.greeting", "Fish & chips for {name}", "text_markup"),
        ("start.greeting", "1 < 2, {name}", "text_markup"),
        ("start.greeting", '<a href="javascript:x">{name}</a>', "text_markup"),
        ("start.greeting", '<b class="x">{name}</b>', "text_markup"),
        ("start.greeting", "<!-- x -->{name}", "text_markup"),
        ("start.greeting", "{name}" + "x" * 1000, "text_too_long"),
        ("button.portal", "x" * 65, "text_too_long"),
        ("bot.short_description_general", "x" * 121, "text_too_long"),
    ],
)
def test_a_wording_that_would_not_work_is_refused_with_its_remedy(
    key: str, text: object, code: str
) -> None:
    with pytest.raises(Invalid) as caught:
        check_override("en", key, text)
    assert caught.value.code == code
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("start.greeting", "Hi <b>{name}</b>, {name}!"),
        ("start.greeting", '<a href="https://example.com/?a=1&amp;b=2">Hi</a> {name} &lt;3'),
        ("start.greeting", '<tg-spoiler>{name}</tg-spoiler> <a href="tg://user?id=1">x</a>'),
        ("plan.trial.one", "one day on the house"),
        ("plan.trial.other", "{count} days on the house"),
        ("button.portal", "Card & receipts < here"),
    ],
)
def test_a_wording_that_works_is_taken(key: str, text: str) -> None:
    assert check_override("en", key, f"  {text}\r\n") == text


def test_an_override_replaces_its_text_in_its_language_only() -> None:
    texts = {("en", "start.greeting"): "Ahoy, {name}!", ("en", "button.language"): "Tongue"}
    view = replace(gallery.FULL, texts=texts)
    english = messages.start(Words(view, "en", gallery.NOW), "Anna")
    assert english.text.startswith("Ahoy, Anna!")
    assert english.keyboard[-1][0].text == "Tongue"
    assert messages.start(Words(view, "uk", gallery.NOW), "Анна").text.startswith("Вітаю, Анна!")


def test_an_override_that_no_longer_fits_gives_way_to_the_products_text() -> None:
    texts = Texts("en", {("en", "start.greeting"): "Ahoy, {captain}!", ("en", "gone.key"): "x"})
    assert texts.text("start.greeting", {"name": "Anna"}) == "Hello, Anna! 👋"


def test_values_are_escaped_unless_they_are_html() -> None:
    texts = Texts("en", {})
    assert texts.text("name", {"name": '<&"'}) == "<b>&lt;&amp;&quot;</b>"
    assert texts.text("name", {"name": Html("<i>x</i>")}) == "<b><i>x</i></b>"
    assert texts.text("name", {"name": "{name}"}) == "<b>{name}</b>"
    assert texts.plain("button.pay", {"amount": "<9>"}) == "Pay <9>"


def test_a_text_without_its_value_fails_where_it_is_written() -> None:
    with pytest.raises(KeyError):
        Texts("en", {}).text("name", {})
    with pytest.raises(KeyError):
        Texts("en", {}).text("no.such_text", {})


@pytest.mark.parametrize(
    ("chosen", "telegram", "language"),
    [("uk", "ru", "uk"), ("", "ru", "ru"), ("", "", "en"), ("xx", "yy", "en")],
)
def test_the_chosen_language_wins_then_telegrams_then_the_integrations(
    chosen: str, telegram: str, language: str
) -> None:
    person = Person(chosen, telegram)
    assert language_of(person, gallery.FULL) == language
    assert words_for(person, gallery.FULL, gallery.NOW).language == language


@pytest.mark.parametrize(
    ("code", "language"),
    [("uk", "uk"), ("en-GB", "en"), ("RU", "ru"), ("be", "uk"), ("de", "uk"), (None, "uk")],
)
def test_a_stranger_is_addressed_in_their_own_language_or_the_integrations(
    code: str | None, language: str
) -> None:
    view = replace(gallery.FULL, language="uk")
    assert words_for_stranger(code, view, gallery.NOW).language == language


def test_what_is_the_same_for_all_readers_is_made_once() -> None:
    first, second = (Words(gallery.FULL, "en", gallery.NOW) for _ in range(2))
    assert messages.plans(first) is messages.plans(second)
    changed = replace(gallery.FULL, revision=2)
    assert messages.plans(Words(changed, "en", gallery.NOW)) is not messages.plans(first)


def test_the_bookshelf_keeps_the_books_that_were_used_last() -> None:
    shelf = Bookshelf(kept=2)
    views = [replace(gallery.FULL, id=number) for number in range(3)]
    first, second = shelf.book(views[0], "en"), shelf.book(views[1], "en")
    assert shelf.book(views[0], "en") is first
    shelf.book(views[2], "en")
    assert shelf.book(views[0], "en") is first
    assert shelf.book(views[1], "en") is not second
