"""The console in a real browser: nothing refused, nothing wider than the screen, dark and light."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from tests.processes import Installation

PAGES = (
    "/admin/",
    "/admin/dead-letters/",
    "/admin/store/alert/",
    "/admin/store/integration/",
    "/admin/store/integration/add/",
    "/admin/store/customer/",
    "/admin/from-before/",
    "/admin/store/inboxevent/",
    "/admin/store/auditentry/",
    "/admin/store/textoverride/add/",
    "/admin/password_change/",
)

pytestmark = pytest.mark.browser


def _signed_in(page: Page, installation: Installation) -> None:
    password = installation.command("createoperator", "anna", "--json").json["password"]
    page.goto(f"{installation.url}/admin/")
    page.fill("#id_username", "anna")
    page.fill("#id_password", password)
    page.click("button[type=submit]")
    page.wait_for_url(f"{installation.url}/admin/")


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "light"), (390, "dark")])
def test_pages_fit_the_screen_and_the_browser_complains_of_nothing(
    chromium: Browser, server: Installation, width: int, scheme: str
) -> None:
    context = chromium.new_context(
        viewport={"width": width, "height": 844},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    _signed_in(page, server)
    for path in PAGES:
        page.goto(f"{server.url}{path}")
        page.wait_for_load_state("load")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        background = page.evaluate(
            "getComputedStyle(document.querySelector('#main')).backgroundColor"
        )
        assert (background != "rgb(255, 255, 255)") == (scheme == "dark"), path
    assert complaints == []
    context.close()


def test_the_menu_opens_on_a_phone_and_leads_on(chromium: Browser, server: Installation) -> None:
    context = chromium.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    _signed_in(page, server)
    page.locator("#header-inner .material-symbols-outlined").nth(1).click()
    page.get_by_role("link", name="Customers").first.click()
    page.wait_for_url("**/admin/store/customer/")
    context.close()
