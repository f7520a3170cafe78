"""The phone's page as it is served: alone, strict, and honest about what it is."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest

import velvetrope.sandbox.phone

if TYPE_CHECKING:
    from tests.processes import Sandbox

FOLDER = Path(velvetrope.sandbox.phone.__file__).parent
SCRIPTS = sorted(FOLDER.glob("js/*.js"))
STRIPE = {"Authorization": "Bearer sk_test_sandbox"}


class Parts(HTMLParser):
    """Collects what a page loads and what it says by itself."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.inline: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in {"script", "img"} or (tag == "link" and given.get("rel") != "canonical"):
            self.loaded.append(given.get("src") or given.get("href") or "inline")
        self.inline += [name for name in given if name == "style" or name.startswith("on")]


@pytest.mark.parametrize("path", ["/", "/phone", "/phone/follow"])
def test_the_page_loads_only_its_own_parts(sandbox: Sandbox, path: str) -> None:
    answer = sandbox.telegram.get(path)
    parts = Parts(answer.text)
    assert parts.inline == []
    assert parts.loaded
    for part in parts.loaded:
        assert part.startswith("/phone/")
        assert sandbox.telegram.get(part).status_code == 200
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert f"frame-src 'self' {sandbox.stripe_url};" in policy


def test_the_page_says_that_it_is_not_telegram(sandbox: Sandbox) -> None:
    assert "<title>Velvet Rope sandbox — not Telegram</title>" in sandbox.telegram.get("/").text


def test_nothing_is_read_as_html_and_every_import_exists() -> None:
    for script in SCRIPTS:
        text = script.read_text()
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", text)
        for name in re.findall(r'from "\./([\w.]+)"', text):
            assert (script.parent / name).exists(), f"{script.name}: {name}"


def test_every_language_of_the_phone_has_every_word() -> None:
    text = (FOLDER / "js" / "labels.js").read_text()
    blocks = re.findall(r"^  (en|uk|ru): \{\n(.*?)^  \},", text, re.DOTALL | re.MULTILINE)
    words = {
        language: {
            key: sorted(set(re.findall(r"\{(\w+)\}", value)))
            for key, value in re.findall(r"^    (\w+): (.*),$", block, re.MULTILINE)
        }
        for language, block in blocks
    }
    assert set(words) == {"en", "uk", "ru"}
    assert words["en"] == words["uk"] == words["ru"]
    used = set(re.findall(r'label\("(\w+)"', " ".join(s.read_text() for s in SCRIPTS)))
    assert used <= set(words["en"])


def test_stripes_pages_lead_back_to_the_phone_and_never_to_telegram(sandbox: Sandbox) -> None:
    price = sandbox.stripe.post(
        "/control/catalog", json={"products": [{"name": "x", "prices": [{"amount": 900}]}]}
    ).json()["products"][0]["prices"][0]["id"]
    session = sandbox.stripe.post(
        "/v1/checkout/sessions",
        headers=STRIPE,
        data={
            "mode": "payment",
            "line_items[0][price]": price,
            "line_items[0][quantity]": "1",
            "success_url": "https://t.me/some_bot?start=paid",
        },
    ).json()
    page = sandbox.stripe.get(f"/checkout/{session['id']}")
    policy = page.headers["Content-Security-Policy"]
    assert f"frame-ancestors {sandbox.telegram_url}" in policy
    paid = sandbox.stripe.post(
        f"/checkout/{session['id']}/pay", data={"email": "ann@example.com", "card": "good"}
    )
    expected = f"{sandbox.telegram_url}/phone/follow#url=https://t.me/some_bot?start=paid"
    assert paid.status_code == 303
    assert unquote(paid.headers["Location"]) == expected
    closed = sandbox.stripe.get(f"/checkout/{session['id']}").text
    assert 'href="https://t.me' not in closed
    assert f'href="{sandbox.telegram_url}/phone/follow#url=https%3A%2F%2Ft.me' in closed
