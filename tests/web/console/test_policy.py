"""The page of an integration's access policy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.urls import reverse

from tests.web.console.forms import post, said
from velvetrope.domain.policy import RULES
from velvetrope.store.models import AuditEntry, Entitlement, InboxEvent, Integration

if TYPE_CHECKING:
    from django.test import Client

    from tests.web.console.rows import World

DEFAULTS = {
    rule.name: {True: "yes", False: "no"}[rule.default]
    if isinstance(rule.default, bool)
    else str(rule.default)
    for rule in RULES
}


@pytest.fixture
def page(world: World) -> str:
    return reverse("admin:store_integration_policy", args=[world.integration.pk])


def test_every_value_is_shown_with_its_meaning_and_default(browser: Client, page: str) -> None:
    words = said(browser, browser.get(page))
    for rule in RULES:
        assert rule.label in words
        assert rule.meaning in words
    assert "default: 7 days" in words


def test_the_integrations_page_leads_to_its_policy(
    browser: Client, world: World, page: str
) -> None:
    address = reverse("admin:store_integration_change", args=[world.integration.pk])
    assert page in browser.get(address).content.decode()


def test_a_change_is_asked_about_with_whom_it_concerns_and_stored_then(
    browser: Client, world: World, page: str
) -> None:
    Entitlement.objects.filter(id=world.entitlement.id).update(
        holds=True, reason="active", status="active", refund="partial"
    )
    fields = {**DEFAULTS, "partial_refund_ends": "yes", "grace_days": "3"}
    asked = said(browser, post(browser, page, page, fields))
    assert "Grace after a failed payment: 7 days → 3 days" in asked
    assert "Partial refund: out: no → yes" in asked
    assert "1 member would lose access" in asked
    assert Integration.objects.get(id=world.integration.id).policy == {}
    done = post(browser, page, page, {**fields, "confirmed": "yes"})
    assert "The policy is changed" in said(browser, done)
    stored = Integration.objects.get(id=world.integration.id).policy
    assert stored == {"grace_days": 3, "partial_refund_ends": True}
    entry = AuditEntry.objects.get(action="policy.changed")
    assert (entry.actor, entry.after) == ("operator:anna", stored)
    assert InboxEvent.objects.filter(kind="review").count() == 1


def test_a_bad_value_is_shown_again_with_its_remedy(
    browser: Client, world: World, page: str
) -> None:
    fields = {**DEFAULTS, "grace_days": "<b>900</b>", "refund_ends": "perhaps"}
    answer = post(browser, page, page, {**fields, "confirmed": "yes"})
    assert "from 0 to 90" in said(browser, answer)
    assert "Use yes or no." in said(browser, answer)
    assert "<b>900" not in answer.content.decode()
    assert Integration.objects.get(id=world.integration.id).policy == {}


def test_nothing_is_asked_if_nothing_changes(browser: Client, page: str) -> None:
    assert "Nothing was changed." in said(browser, post(browser, page, page, DEFAULTS))


def test_a_stranger_is_asked_to_sign_in(stranger: Client, page: str) -> None:
    assert stranger.get(page).status_code == 302
