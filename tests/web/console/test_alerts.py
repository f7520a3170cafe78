"""Alerts in the console: on top while they are open, kept afterwards, with who hears of them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from django.urls import reverse

from tests.web.console.forms import csrf_token
from velvetrope.store.models import AuditEntry, Chat, Integration
from velvetrope.usecases import alert_hearers
from velvetrope.usecases.alerts import close_alert, open_alert
from velvetrope.web.console import moments

if TYPE_CHECKING:
    from django.test import Client

    from tests.web.console.rows import World

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)


def opened(world: World, code: str = "missing_rights") -> str:
    chat = Chat.objects.get()
    subject = f"chat:{chat.pk}"
    data = {"chat": chat.telegram_id, "rights": "can_invite_users"}
    open_alert(code, NOW, integration_id=world.integration.pk, subject=subject, data=data)
    return subject


def page(browser: Client, address: str) -> str:
    answer = browser.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def test_open_alerts_are_on_top_of_the_overview_with_the_way_to_mend_them(
    browser: Client, world: World
) -> None:
    subject = opened(world)
    text = page(browser, reverse("admin:index"))
    assert "«Invite users via link»" in text
    assert reverse("admin:store_chat_change", args=[subject.partition(":")[2]]) in text
    assert "not told yet" in text
    close_alert("missing_rights", NOW, integration_id=world.integration.pk, subject=subject)
    assert "not told yet" not in page(browser, reverse("admin:index"))


def test_the_list_holds_what_is_open_and_what_is_over(browser: Client, world: World) -> None:
    subject = opened(world)
    close_alert("missing_rights", NOW, integration_id=world.integration.pk, subject=subject)
    address = reverse("admin:store_alert_changelist")
    assert "lacks rights" in page(browser, address)
    assert "lacks rights" in page(browser, f"{address}?state=over")
    assert "lacks rights" not in page(browser, f"{address}?state=open")


def test_a_page_of_an_alert_tells_how_it_ends(browser: Client, world: World) -> None:
    opened(world)
    open_alert("dead_letters", NOW, stripe_account_id=world.account.pk, data={"number": 3})
    for link in ("missing_rights", "dead_letters"):
        row = world.integration.alert_set.first() or world.account.alert_set.first()
        assert row is not None, link
        text = page(browser, reverse("admin:store_alert_change", args=[row.pk]))
        assert "within minutes" in text


def test_an_operator_names_who_hears_of_alerts(browser: Client, world: World) -> None:
    key = world.integration.pk
    address = reverse("admin:store_integration_change", args=[key])
    code = alert_hearers.link_code(world.integration, moments.now())
    assert f"/alerts {code}" in page(browser, address)
    hear = reverse("admin:store_integration_do", args=[key, "hear"])
    token = csrf_token(browser, address)
    for given, kept in (("abc", None), ("501", 501), ("-1001", -1001)):
        browser.post(hear, {"alerts_to": given, "csrfmiddlewaretoken": token})
        assert Integration.objects.get(pk=key).alerts_to == kept
    nobody = reverse("admin:store_integration_do", args=[key, "hear-nobody"])
    browser.post(nobody, {"csrfmiddlewaretoken": token})
    assert Integration.objects.get(pk=key).alerts_to is None
    assert AuditEntry.objects.filter(action="integration.alerts_to_changed").count() == 3


def test_a_chat_is_replaced_after_a_question(browser: Client, world: World) -> None:
    chat = world.integration.chats.first()
    assert chat is not None
    address = reverse("admin:store_chat_change", args=[chat.pk])
    assert "The chat was deleted?" in page(browser, address)
    do = reverse("admin:store_chat_do", args=[chat.pk, "replace"])
    token = csrf_token(browser, address)
    asked = browser.post(do, {"new_id": "-1009876543210", "csrfmiddlewaretoken": token})
    assert "Replace the chat?" in asked.content.decode()
    confirmed = {"new_id": "-1009876543210", "csrfmiddlewaretoken": token, "confirmed": "yes"}
    browser.post(do, confirmed)
    chat.refresh_from_db()
    assert chat.telegram_id == -1009876543210
