"""The phone in a real browser, with a test in the place of the product."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import NARROW, WIDE
from tests.sandbox.telegram.place import Place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.processes import Sandbox

pytestmark = pytest.mark.browser


@pytest.fixture
def place(sandbox: Sandbox) -> Iterator[Place]:
    yield Place(sandbox.telegram)
    sandbox.telegram.post("/control/faults", json={"reset": True})


@pytest.fixture
def open_phone(chromium: Browser, sandbox: Sandbox, place: Place) -> Iterator[Callable[..., Page]]:
    """Open the phone of a person (by default Ann's) at the bot; fails on any error in the page."""
    contexts = []
    said: list[str] = []

    def note(message: Any) -> None:
        if message.type in {"error", "warning"}:
            said.append(message.text)

    def begin(
        person: int | None = None,
        chat: int | None = None,
        *,
        size: dict[str, int] = WIDE,
        **how: Any,
    ) -> Page:
        context = chromium.new_context(viewport=size, **how)  # type: ignore[arg-type]  # a plain dict
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("console", note)
        opened = place.bot_id if chat is None else chat
        page.goto(f"{sandbox.telegram_url}/#person={person or place.ann}&chat={opened}")
        expect(page.locator(".dialog h1")).to_be_visible()
        return page

    yield begin
    for context in contexts:
        context.close()
    assert said == []


def test_start_is_a_button_and_answers_appear_by_themselves(
    place: Place, open_phone: Callable[..., Page]
) -> None:
    page = open_phone()
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.locator(".message.mine")).to_contain_text("/start")
    place.call("sendMessage", chat_id=place.ann, text="Hello <b>Ann</b>", parse_mode="HTML")
    answer = page.locator(".message:not(.mine)")
    expect(answer.locator("b")).to_have_text("Ann")
    expect(page.locator(".entry.call").first).to_contain_text("sendMessage → Ann")


def test_markup_in_a_text_is_shown_as_text(place: Place, open_phone: Callable[..., Page]) -> None:
    place.start()
    page = open_phone()
    text = "<img src=x onerror=alert(1)> <script>alert(2)</script>"
    place.call("sendMessage", chat_id=place.ann, text=text)
    expect(page.locator(".message:not(.mine) .text")).to_have_text(text)
    assert page.locator(".message img, .message script").count() == 0


def test_a_pressed_key_waits_for_the_answer_and_shows_it(
    place: Place, open_phone: Callable[..., Page]
) -> None:
    place.start()
    page = open_phone()
    markup = {"inline_keyboard": [[{"text": "Monthly", "callback_data": "plan:1"}]]}
    place.call("sendMessage", chat_id=place.ann, text="Plans", reply_markup=markup)
    with page.expect_request("**/callbacks") as asked:
        page.get_by_role("button", name="Monthly").click()
    assert '"data":"plan:1"' in (asked.value.post_data or "")
    expect(page.get_by_role("button", name="Monthly")).to_have_attribute("aria-busy", "true")
    answer_next_press(place, "Chosen")
    expect(page.locator(".toast")).to_have_text("Chosen")
    expect(page.locator(".key[aria-busy]")).to_have_count(0)


def answer_next_press(place: Place, text: str) -> None:
    """Answer the latest press, whose id only the webhook would know, by trying the next ids."""
    probe = place.do(
        place.ann,
        "callbacks",
        bot=place.username,
        message_id=place.dialog(place.ann)["messages"][-1]["id"],
        data="probe",
        wait=0,
    )
    place.call("answerCallbackQuery", callback_query_id=str(int(probe["id"]) - 1), text=text)


def test_the_door_shows_the_request_until_the_person_is_in(
    place: Place, open_phone: Callable[..., Page]
) -> None:
    place.start()
    place.control("POST", f"chats/{place.chat}/posts", text="The secret is out")
    page = open_phone()
    markup = {"inline_keyboard": [[{"text": "Get in", "url": place.join_link()}]]}
    place.call("sendMessage", chat_id=place.ann, text="Paid", reply_markup=markup)
    page.get_by_role("button", name="Get in").click()
    expect(page.locator(".door h2")).to_have_text("Back room")
    page.get_by_role("button", name="Request to join").click()
    expect(page.locator(".door .state")).to_have_text("Request sent")
    place.call("declineChatJoinRequest", chat_id=place.chat, user_id=place.ann)
    expect(page.locator(".door .state")).to_have_text("Request declined")
    page.get_by_role("button", name="Request to join").click()
    expect(page.locator(".door .state")).to_have_text("Request sent")
    place.call("approveChatJoinRequest", chat_id=place.chat, user_id=place.ann)
    expect(page.locator(".message")).to_contain_text("The secret is out")
    expect(page.locator(".foot-note")).to_have_text("Only administrators post here")
    place.call("unbanChatMember", chat_id=place.chat, user_id=place.ann)
    expect(page.locator(".door .state")).to_have_text("You are no longer in this chat")


def test_checkout_opens_in_a_sheet_and_comes_back_to_the_bot(
    sandbox: Sandbox, place: Place, open_phone: Callable[..., Page]
) -> None:
    product = {"name": "The Back Room", "prices": [{"amount": 900, "interval": "month"}]}
    made = sandbox.stripe.post("/control/catalog", json={"products": [product]}).json()
    session = sandbox.stripe.post(
        "/v1/checkout/sessions",
        headers={"Authorization": "Bearer sk_test_sandbox"},
        data={
            "mode": "subscription",
            "line_items[0][price]": made["products"][0]["prices"][0]["id"],
            "line_items[0][quantity]": "1",
            "success_url": f"https://t.me/{place.username}?start=paid",
        },
    ).json()
    place.start()
    page = open_phone()
    markup = {"inline_keyboard": [[{"text": "Pay", "url": session["url"]}]]}
    place.call("sendMessage", chat_id=place.ann, text="€9", reply_markup=markup)
    page.get_by_role("button", name="Pay").click()
    sheet = page.frame_locator("dialog.page iframe")
    sheet.get_by_label("E-mail").fill("ann@example.com")
    sheet.get_by_label("Name").fill("Ann")
    sheet.get_by_role("button", name="Pay €9.00").click()
    expect(page.locator("dialog.page")).to_have_count(0)
    expect(page.locator(".message.mine").last).to_contain_text("/start paid")


def test_typing_is_shown_until_it_is_over(place: Place, open_phone: Callable[..., Page]) -> None:
    place.start()
    page = open_phone()
    place.call("sendChatAction", chat_id=place.ann, action="typing")
    expect(page.locator(".dialog-name")).to_contain_text("typing…")
    expect(page.locator(".dialog-name")).not_to_contain_text("typing…", timeout=10_000)


def test_what_came_to_a_closed_chat_is_counted_until_it_is_read(
    place: Place, open_phone: Callable[..., Page]
) -> None:
    place.start()
    place.put_member(place.ann, status="member")
    page = open_phone()
    for text in ("one", "two"):
        place.control("POST", f"chats/{place.chat}/posts", text=text)
    expect(page.locator(".badge")).to_have_text("2")
    page.locator(".chat", has_text="Back room").click()
    expect(page.locator(".badge")).to_have_count(0)
    page.reload()
    expect(page.locator(".message")).to_have_count(2)
    expect(page.locator(".chat", has_text="Back room").locator(".badge")).to_have_count(0)


def test_time_moves_for_everybody(open_phone: Callable[..., Page], sandbox: Sandbox) -> None:
    before = sandbox.telegram.get("/control/state").json()["offset"]
    page = open_phone()
    page.locator("#time").click()
    page.get_by_role("menuitem", name="7 days").click()
    expect(page.locator(".toast")).to_contain_text("It is now")
    after = sandbox.telegram.get("/control/state").json()["offset"]
    assert after - before == pytest.approx(7 * 86_400, abs=1)


def test_the_bot_can_be_blocked_and_restarted(
    place: Place, open_phone: Callable[..., Page]
) -> None:
    place.start()
    page = open_phone()
    page.get_by_role("button", name="Options").click()
    page.get_by_role("menuitem", name="Block bot").click()
    page.get_by_role("button", name="Restart bot").click()
    expect(page.locator(".message.mine")).to_have_count(2)
    expect(page.get_by_role("textbox", name="Message")).to_be_visible()


def test_commands_are_offered_and_chosen_by_keyboard(
    place: Place, open_phone: Callable[..., Page]
) -> None:
    commands = [("start", "Plans"), ("status", "Your access"), ("help", "Help")]
    place.call("setMyCommands", commands=[{"command": c, "description": d} for c, d in commands])
    place.start()
    page = open_phone()
    field = page.get_by_role("textbox", name="Message")
    field.press_sequentially("/st")
    expect(page.get_by_role("option")).to_have_count(2)
    field.press("ArrowDown")
    expect(page.get_by_role("option", selected=True)).to_contain_text("/status")
    field.press("Enter")
    expect(page.locator(".message.mine").last).to_contain_text("/status")


@pytest.mark.parametrize(
    ("language", "start", "banner", "panel"),
    [
        ("en", "Start", "not Telegram", "What the product did"),
        ("uk", "Почати", "це не Telegram", "Що зробив продукт"),
        ("ru", "Начать", "это не Telegram", "Что сделал продукт"),
    ],
)
def test_the_phone_speaks_the_persons_language(
    place: Place,
    open_phone: Callable[..., Page],
    language: str,
    start: str,
    banner: str,
    panel: str,
) -> None:
    page = open_phone(place.new_person("Sasha", language))
    expect(page.get_by_role("button", name=start, exact=True)).to_be_visible()
    expect(page.locator(".banner")).to_contain_text(banner)
    expect(page.get_by_role("complementary", name=panel)).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", language)


def test_another_phone_is_taken_and_a_new_person_made(open_phone: Callable[..., Page]) -> None:
    page = open_phone()
    page.locator("#person").click()
    page.get_by_label("Name").fill("Тарас")
    page.get_by_label("Language", exact=True).first.select_option("uk")
    page.get_by_role("button", name="Take this phone").click()
    expect(page.locator("#person")).to_contain_text("Тарас")
    expect(page.get_by_role("heading", name="Чати")).to_be_visible()
    page.locator("#person").click()
    page.locator("dialog.people li button", has_text="Ann").first.click()
    expect(page.get_by_role("heading", name="Chats")).to_be_visible()


def test_a_narrow_phone_shows_one_pane_at_a_time(
    place: Place, open_phone: Callable[..., Page]
) -> None:
    place.start()
    page = open_phone(size=NARROW)
    expect(page.locator(".chats")).to_be_hidden()
    page.get_by_role("button", name="Back to chats").click()
    expect(page.locator(".dialog")).to_be_hidden()
    page.get_by_role("button", name="What the product did").click()
    expect(page.locator(".product")).to_be_visible()
    expect(page.locator(".phone")).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]


def test_colours_follow_the_system_until_one_chooses(open_phone: Callable[..., Page]) -> None:
    page = open_phone(color_scheme="dark")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.get_by_role("button", name="Light colours").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "light")


def test_every_control_has_a_name(place: Place, open_phone: Callable[..., Page]) -> None:
    place.start()
    page = open_phone()
    nameless = page.evaluate(
        """[...document.querySelectorAll("button, a, input, textarea, select, iframe")]
        .filter((e) => !(e.textContent.trim() || e.getAttribute("aria-label") || e.title))
        .map((e) => e.outerHTML)"""
    )
    assert nameless == []
