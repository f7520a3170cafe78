from __future__ import annotations

import pytest

from velvetrope.sandbox.telegram.entities import add_detected, parse_html, trim, utf16_length
from velvetrope.sandbox.telegram.errors import ApiError
from velvetrope.sandbox.telegram.wire import Entity


def spans(source: str) -> tuple[str, list[tuple[str, str]]]:
    """Give the text and each entity's kind with the words that it covers."""
    text, entities = parse_html(source)
    units = text.encode("utf-16-le")
    return text, [
        (e.type, units[2 * e.offset : 2 * (e.offset + e.length)].decode("utf-16-le"))
        for e in entities
    ]


@pytest.mark.parametrize(
    ("source", "text", "expected"),
    [
        ("plain", "plain", []),
        ("<b>a</b><strong>b</strong>", "ab", [("bold", "a"), ("bold", "b")]),
        ("<i>a <u>b</u></i>", "a b", [("italic", "a b"), ("underline", "b")]),
        ("👋 <b>🎩 hat</b>", "👋 🎩 hat", [("bold", "🎩 hat")]),
        ("1 &lt; 2 &amp;&amp; &quot;x&quot; &#39; &#x41;", '1 < 2 && "x" \' A', []),
        ("a & b &nbsp;", "a & b &nbsp;", []),
        ('<a href="https://e.org/?a=1&amp;b=2">x</a>', "x", [("text_link", "x")]),
        ('<a href="nonsense">x</a>', "x", []),
        ('<span class="tg-spoiler">x</span>', "x", [("spoiler", "x")]),
        ("<blockquote expandable>x</blockquote>", "x", [("expandable_blockquote", "x")]),
        ('<pre><code class="language-python">x</code></pre>', "x", [("pre", "x")]),
        ("<b></b>x", "x", []),
    ],
)
def test_html_becomes_text_and_entities(
    source: str, text: str, expected: list[tuple[str, str]]
) -> None:
    assert spans(source) == (text, expected)


def test_a_links_address_is_unescaped() -> None:
    _, (link,) = parse_html('<a href="https://e.org/?a=1&amp;b=2">x</a>')
    assert link.url == "https://e.org/?a=1&b=2"


def test_a_code_blocks_language_is_kept() -> None:
    _, (block,) = parse_html('<pre><code class="language-python">x</code></pre>')
    assert block.language == "python"


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("<b>x", 'Can\'t find end tag corresponding to start tag "b"'),
        ("x</b>", "Unexpected end tag at byte offset 1"),
        ("<b>x</i>", 'Unmatched end tag at byte offset 4, expected "</b>", found "</i>"'),
        ("<h1>x</h1>", 'Unsupported start tag "h1" at byte offset 0'),
        ("é<br>", 'Unsupported start tag "br" at byte offset 2'),
        ("<script>", 'Unsupported start tag "script" at byte offset 0'),
        ("a < b", "Unclosed start tag at byte offset 2"),
        ("<span>x</span>", 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
    ],
)
def test_what_cant_be_parsed_is_refused(source: str, complaint: str) -> None:
    with pytest.raises(ApiError) as caught:
        parse_html(source)
    assert caught.value.status == 400
    assert caught.value.description == f"Bad Request: can't parse entities: {complaint}"


def test_white_space_around_a_text_is_cut_and_entities_move_along() -> None:
    text, entities = trim(*parse_html("  \n <b> bold</b>  "))
    assert text == "bold"
    assert [(e.offset, e.length) for e in entities] == [(0, 4)]


def test_lengths_count_utf16_units() -> None:
    assert utf16_length("aé🎩") == 4


def test_addresses_are_found_outside_of_links_and_code() -> None:
    given = [Entity(type="code", offset=0, length=14)]
    found = add_detected("https://a.org/ and https://b.org/.", given, commands=False)
    assert [(e.type, e.offset, e.length) for e in found] == [("code", 0, 14), ("url", 19, 14)]


def test_commands_are_found_where_they_stand_alone() -> None:
    found = add_detected("/start x /help@bot a/b https://e.org/x", [], commands=True)
    assert [(e.type, e.offset, e.length) for e in found] == [
        ("bot_command", 0, 6),
        ("bot_command", 9, 9),
        ("url", 23, 15),
    ]
