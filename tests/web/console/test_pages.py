"""Every page of the console answers, to operators only, and shows no secret."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.urls import reverse

from tests.web.console.rows import SECRETS

if TYPE_CHECKING:
    from django.test import Client

    from tests.web.console.rows import World

ROWS = {
    "stripeaccount": "account",
    "integration": "integration",
    "chat": "chat",
    "plan": "plan",
    "textoverride": "text",
    "customer": "customer",
    "entitlement": "entitlement",
    "access": "access",
    "checkout": "checkout",
    "inboxevent": "dead_event",
    "outboxitem": "dead_item",
    "lane": "lane",
}
LISTS = (*ROWS, "auditentry")
ADDED = ("stripeaccount", "integration", "textoverride")


TERMS = (
    *("42", "@olena_42", "cus_42", "sub_1Yoga", "evt_1", "9" * 30, "x:y", "-5", "tg:1:42"),
    *("\x00", "%", "' OR 1=1", "grant:1", "integration:1", "²", "٤٢"),
)


def _pages(world: World) -> list[str]:
    lists = [reverse(f"admin:store_{model}_changelist") for model in LISTS]
    rows = [
        reverse(f"admin:store_{model}_change", args=[getattr(world, name).pk])
        for model, name in ROWS.items()
    ]
    forms = [reverse(f"admin:store_{model}_add") for model in ADDED]
    own = ["index", "dead_letters", "password_change"]
    members = reverse("admin:from_before_of", args=[world.integration.pk])
    return [*lists, *rows, *forms, *(reverse(f"admin:{name}") for name in own), members]


def test_every_page_renders_for_an_operator(browser: Client, world: World) -> None:
    for page in _pages(world):
        response = browser.get(page)
        assert response.status_code == 200, page
        assert "Velvet Rope" in response.content.decode(), page


def test_every_page_asks_strangers_to_sign_in(stranger: Client, world: World) -> None:
    for page in _pages(world):
        for response in (stranger.get(page), stranger.post(page)):
            assert response.status_code in {302, 403}, page
            if response.status_code == 302:
                assert response["location"].startswith(reverse("admin:login")), page


def test_no_page_shows_a_secret(browser: Client, world: World) -> None:
    for page in _pages(world):
        text = browser.get(page).content.decode()
        assert [secret for secret in SECRETS if secret in text] == [], page


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("model", LISTS)
def test_searching_anything_anywhere_answers(browser: Client, model: str) -> None:
    page = reverse(f"admin:store_{model}_changelist")
    for term in TERMS:
        response = browser.get(page, {"q": term})
        assert response.status_code in {200, 302}, (model, term)


def test_pages_of_rows_that_are_not_there_say_so(browser: Client) -> None:
    for model in ROWS:
        for key in ("999999", "x", "9" * 30):
            page = reverse(f"admin:store_{model}_change", args=[key])
            assert browser.get(page).status_code in {302, 404}, page
