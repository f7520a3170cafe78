"""The hosted pages: honest about what they are, safe, and usable in three languages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox.stripe.shop import DAY
from velvetrope.sandbox.stripe.pages.wording import TEXTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.sandbox.stripe.shop import Json, Shop

SIZES = ((1100, 800), (360, 740))


def page(shop: Shop, path: str, language: str = "en") -> str:
    return shop.http.get(path, headers={"Accept-Language": language}).text


@pytest.mark.parametrize(
    ("accept", "locale", "words"),
    [
        ("en-GB", None, "Pay €9.90"),
        ("uk-UA,uk;q=0.9,en;q=0.5", None, "Сплатити 9,90"),
        ("ru", None, "Заплатить 9,90"),
        ("fr", None, "Pay €9.90"),
        ("en", "ru", "Заплатить 9,90"),
        ("uk", "auto", "Сплатити 9,90"),
    ],
)
def test_the_page_speaks_the_sessions_language_else_the_browsers(
    shop: Shop, accept: str, locale: str | None, words: str
) -> None:
    session = shop.checkout(**({"locale": locale} if locale else {}))
    shown = page(shop, f"/checkout/{session['id']}", accept).replace("\xa0", " ")
    assert words in shown


def test_every_page_says_what_it_is_and_runs_nothing(shop: Shop) -> None:
    subscription = shop.subscribe()
    portal = shop.post("billing_portal/sessions", customer=subscription["customer"])
    invoice = subscription["latest_invoice"]
    for path in (
        f"/checkout/{shop.checkout()['id']}",
        f"/portal/{portal['id']}",
        f"/invoice/{invoice}",
        "/checkout/cs_test_unknown",
    ):
        answer = shop.http.get(path)
        assert "Velvet Rope sandbox — not Stripe" in answer.text
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "<script" not in answer.text
        assert "style=" not in answer.text


def test_names_are_shown_as_text(shop: Shop) -> None:
    shop.control(f"products/{shop.product}", name="<b>VIP</b> & {friends}")
    shown = page(shop, f"/checkout/{shop.checkout()['id']}")
    assert "&lt;b&gt;VIP&lt;/b&gt; &amp; {friends}" in shown
    assert "<b>VIP" not in shown


def test_another_site_cannot_send_the_forms(shop: Shop) -> None:
    path = f"/checkout/{shop.checkout()['id']}/pay"
    for origin in ("https://evil.example", "null"):
        answer = shop.http.post(path, data={"email": "a@b.co"}, headers={"Origin": origin})
        assert answer.status_code == 403


def test_every_text_has_all_languages_and_the_same_placeholders() -> None:
    for key, texts in TEXTS.items():
        assert all(texts), key
        marks = [sorted(part.split("}")[0] for part in text.split("{")[1:]) for text in texts]
        assert marks[0] == marks[1] == marks[2], key


def test_amounts_follow_the_currencys_places(shop: Shop) -> None:
    for currency, amount, shown in (("jpy", 1500, "¥1,500"), ("kwd", 12345, "12.345")):
        price = {"product": shop.product, "currency": currency, "unit_amount": str(amount)}
        made = shop.post("prices", **price, **{"recurring[interval]": "year"})
        text = page(shop, f"/checkout/{shop.checkout(made['id'])['id']}").replace("\xa0", " ")
        assert shown in text
        assert "per year" in text


@pytest.fixture
def tab(chromium: Any) -> Iterator[Any]:
    context = chromium.new_context(locale="en-GB")
    shown = context.new_page()
    said: list[str] = []
    shown.on("pageerror", lambda error: said.append(str(error)))
    yield shown
    context.close()
    assert not said


def here(shop: Shop, path: str) -> str:
    return str(shop.http.base_url.join(path))


def fill_in(tab: Any, card: str) -> None:
    tab.fill("#email", "anna@example.com")
    tab.fill("#name", "Anna")
    tab.check(f"input[value={card}]")
    tab.click("form[action$='/pay'] button[type=submit]")


@pytest.mark.browser
def test_a_person_pays_after_a_declined_card_and_with_a_code(shop: Shop, tab: Any) -> None:
    thanks = here(shop, "/control/clock") + "?session={CHECKOUT_SESSION_ID}"
    session = shop.checkout(success_url=thanks, allow_promotion_codes="true")
    tab.goto(session["url"])
    fill_in(tab, "declined")
    assert "declined" in tab.inner_text("[role=alert]")
    tab.click("summary")
    tab.fill("#code", "sandbox20")
    tab.click("text=Apply")
    assert "€7.92" in tab.inner_text(".totals")
    fill_in(tab, "good")
    tab.wait_for_url(f"**/control/clock?session={session['id']}")
    found = shop.get(f"checkout/sessions/{session['id']}")
    assert (found["payment_status"], found["amount_total"]) == ("paid", 792)


def portal_of(shop: Shop, subscription: Json) -> str:
    made = shop.post(
        "billing_portal/sessions",
        customer=subscription["customer"],
        return_url="https://shop.example/",
    )
    return str(made["url"])


@pytest.mark.browser
def test_a_person_cancels_both_ways_keeps_and_ends_a_subscription(shop: Shop, tab: Any) -> None:
    subscription = shop.subscribe()
    path = f"subscriptions/{subscription['id']}"
    tab.goto(portal_of(shop, subscription))
    for button, flag in (("at_period_end", True), ("cancel_at", False)):
        tab.click("text=Cancel the subscription")
        tab.click(f"button[value={button}]")
        assert "Ends on" in tab.inner_text(".subscription")
        found = shop.get(path)
        assert found["cancel_at_period_end"] is flag
        assert found["cancel_at"] == found["items"]["data"][0]["current_period_end"]
        tab.click("text=Keep the subscription")
        assert "Renews on" in tab.inner_text(".subscription")
        assert shop.get(path)["cancel_at"] is None
    tab.click("text=Cancel the subscription")
    tab.click("button[value=now]")
    assert "Ended on" in tab.inner_text(".subscription")
    assert shop.get(path)["status"] == "canceled"


@pytest.mark.browser
def test_a_person_changes_the_card_and_pays_what_is_open(shop: Shop, tab: Any) -> None:
    subscription = shop.subscribe()
    tab.goto(portal_of(shop, subscription))
    tab.click("text=Use another card")
    tab.check("input[value=declines_later]")
    tab.click("text=Save this card")
    assert "0341" in tab.inner_text(".onfile")
    shop.advance(32 * DAY)
    tab.goto(portal_of(shop, subscription))
    assert "Payment overdue" in tab.inner_text(".subscription")
    tab.click("button:text('Pay')")
    assert "declined" in tab.inner_text(".problem")
    tab.check("input[value=good]")
    tab.click("text=Save this card")
    tab.click("button:text('Pay')")
    assert "Active" in tab.inner_text(".subscription")
    assert shop.get(f"subscriptions/{subscription['id']}")["status"] == "active"


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_wider_than_the_screen(shop: Shop, chromium: Any, scheme: str) -> None:
    subscription = shop.subscribe()
    shop.control(f"products/{shop.product}", name="Averylongproductname" * 4)
    paths = [
        shop.checkout(allow_promotion_codes="true")["url"],
        portal_of(shop, subscription),
        here(shop, f"/invoice/{subscription['latest_invoice']}"),
    ]
    for width, height in SIZES:
        size = {"width": width, "height": height}
        for locale in ("en-GB", "uk-UA", "ru-RU"):
            context = chromium.new_context(viewport=size, color_scheme=scheme, locale=locale)
            tab = context.new_page()
            for path in paths:
                tab.goto(path)
                assert tab.evaluate("document.documentElement.scrollWidth") <= width, path
            context.close()
