"""What people and operators see: the phone, the pages that take money, the console."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import NARROW, WIDE
from tests.processes import eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.e2e.house import House
    from tests.processes import Installation, Sandbox

pytestmark = pytest.mark.browser

#: How the button that leads to Stripe begins.
PAY = {"en": "^Pay", "uk": "^Сплатити", "ru": "^Оплатить"}


@pytest.fixture
def open_page(built: House, chromium: Browser) -> Iterator[Callable[..., Page]]:
    """Open pages that fail the test if anything is wrong in their console."""
    assert built.id  # before the browser: both want an event loop to themselves
    said: list[str] = []
    contexts = []

    def begin(url: str, **how: Any) -> Page:
        context = chromium.new_context(**{"viewport": WIDE, **how})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("console", lambda one: said.append(one.text) if one.type == "error" else None)
        page.goto(url)
        return page

    yield begin
    for context in contexts:
        context.close()
    assert said == []


def person(sandbox: Sandbox, language: str) -> int:
    made = sandbox.telegram.post(
        "/control/users", json={"first_name": "Ann", "language_code": language}
    )
    return int(made.json()["id"])


def bot_id(sandbox: Sandbox, house: House) -> int:
    bots = sandbox.telegram.get("/control/state").json()["bots"]
    return int(next(bot["id"] for bot in bots if bot["username"] == house.bot))


@pytest.mark.parametrize(
    ("language", "size", "scheme"),
    [("en", WIDE, "light"), ("uk", NARROW, "dark"), ("ru", NARROW, "light")],
)
def test_a_person_gets_from_start_into_the_channel_by_touch_alone(
    open_page: Callable[..., Page],
    built: House,
    sandbox: Sandbox,
    language: str,
    size: dict[str, int],
    scheme: str,
) -> None:
    ann = person(sandbox, language)
    page = open_page(
        f"{sandbox.telegram_url}/#person={ann}&chat={bot_id(sandbox, built)}",
        viewport=size,
        color_scheme=scheme,
    )
    page.locator(".foot-action button").click()
    page.locator(".key", has_text="Plan 1").click()
    page.locator(".key", has_text=re.compile(PAY[language])).click()
    till = page.frame_locator("iframe")
    till.locator("form[action$='/pay'] button[type=submit]").click()
    # The till leads back into the conversation before the person goes on.
    expect(page.locator(".message.mine").last).to_contain_text("back")
    page.locator(".key", has_text="Back Room 1").click()
    page.locator(".door button").click()
    expect(page.locator(".foot-note")).to_be_visible()
    members = sandbox.telegram.get(f"/control/chats/{built.chat}").json()["members"]
    assert ann in {one["id"] for one in members if one["is_in"]}


def test_an_operator_signs_in_and_finds_everything(
    open_page: Callable[..., Page], built: House, served: Installation
) -> None:
    made = served.command("createoperator", "browser", "--json").json
    page = open_page(f"{served.url}/admin/")
    page.fill("input[name=username]", "browser")
    page.fill("input[name=password]", made["password"])
    page.keyboard.press("Enter")
    expect(page.get_by_text("dead letters").first).to_be_visible()
    page.get_by_role("link", name="Integrations").first.click()
    page.get_by_role("link", name=built.bot).first.click()
    expect(page.get_by_text("registered", exact=False).first).to_be_visible()
    assert built.token.partition(":")[2] not in page.content()


@pytest.mark.parametrize(("size", "scheme"), [(WIDE, "light"), (NARROW, "dark")])
def test_why_somebody_is_not_in_is_read_without_scrolling(
    open_page: Callable[..., Page],
    built: House,
    sandbox: Sandbox,
    served: Installation,
    size: dict[str, int],
    scheme: str,
) -> None:
    ann = person(sandbox, "en")
    phone = f"/control/users/{ann}"
    sandbox.telegram.post(f"{phone}/messages", json={"bot": built.bot, "text": "/start"})
    whom = ("--bot", str(built.id))
    found = eventually(
        lambda: [
            one
            for one in served.command("members", "list", *whom, "--json").json
            if one["telegram_user"] == ann
        ]
    )
    made = served.command("createoperator", f"helper{size['width']}", "--json").json
    page = open_page(
        f"{served.url}/admin/store/customer/{found[0]['id']}/change/",
        viewport=size,
        color_scheme=scheme,
    )
    page.fill("input[name=username]", f"helper{size['width']}")
    page.fill("input[name=password]", made["password"])
    page.keyboard.press("Enter")
    answer = page.locator(".vr-place").first
    expect(answer).to_contain_text("nothing that opens this chat was ever paid for or given")
    box = answer.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] < size["height"]
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("link", name="Messages").click()
    expect(page.locator(".vr-entry").first).to_contain_text("The bot answered")
    page.locator("summary", has_text="Write to this person").click()
    page.locator("textarea").fill("Hello from the people behind the bot")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("The message is on its way")).to_be_visible()

    def arrived() -> bool:
        page.reload()
        return "it has arrived" in page.locator(".vr-why").inner_text()

    assert eventually(arrived)
