"""Signing in and out, what it leaves on record, and what browsers are told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.contrib.auth import get_user_model
from django.urls import reverse

from tests.web.console.forms import post, words
from velvetrope.store.models import AuditEntry

if TYPE_CHECKING:
    from django.test import Client


def test_an_operator_signs_in_with_the_printed_password(
    stranger: Client, operator_password: str
) -> None:
    page = reverse("admin:login")
    answer = post(stranger, page, page, {"username": "anna", "password": operator_password})
    assert answer.status_code == 302
    assert stranger.get(reverse("admin:index")).status_code == 200
    assert AuditEntry.objects.filter(actor="operator:anna", action="operator.signed_in").exists()


@pytest.mark.usefixtures("operator_password")
def test_a_wrong_password_says_nothing_about_names(stranger: Client) -> None:
    page = reverse("admin:login")
    answers = [
        words(post(stranger, page, page, {"username": name, "password": "wrong"}))
        for name in ("anna", "nobody")
    ]
    assert "correct username and password" in answers[0]
    assert answers[0] == answers[1].replace("nobody", "anna")
    assert not AuditEntry.objects.filter(action="operator.signed_in").exists()


@pytest.mark.usefixtures("database")
def test_somebody_who_is_no_operator_stays_outside(stranger: Client) -> None:
    get_user_model().objects.create_user("guest", password="a-long-enough-password")
    page = reverse("admin:login")
    post(stranger, page, page, {"username": "guest", "password": "a-long-enough-password"})
    assert stranger.get(reverse("admin:index")).status_code == 302


def test_signing_in_needs_the_token(stranger: Client, operator_password: str) -> None:
    fields = {"username": "anna", "password": operator_password}
    assert stranger.post(reverse("admin:login"), fields).status_code == 403


def test_signing_in_leads_to_pages_of_the_console_only(
    stranger: Client, operator_password: str
) -> None:
    page = f"{reverse('admin:login')}?next=https://evil.example/"
    fields = {"username": "anna", "password": operator_password, "next": "https://evil.example/"}
    answer = post(stranger, page, page, fields)
    assert not answer["location"].startswith("https:")


def test_signing_out_ends_the_session_and_is_on_record(browser: Client) -> None:
    post(browser, reverse("admin:password_change"), reverse("admin:logout"))
    assert browser.get(reverse("admin:index")).status_code == 302
    assert AuditEntry.objects.filter(action="operator.signed_out").exists()


def test_an_operator_changes_the_password(browser: Client, operator_password: str) -> None:
    page = reverse("admin:password_change")
    new = "another-long-sentence-of-words"
    fields = {"old_password": operator_password, "new_password1": new, "new_password2": new}
    assert post(browser, page, page, fields).status_code == 302
    assert get_user_model().objects.get(username="anna").check_password(new)


def test_pages_stay_out_of_caches_and_frames(browser: Client, stranger: Client) -> None:
    for answer in (browser.get(reverse("admin:index")), stranger.get(reverse("admin:login"))):
        assert "no-store" in answer["cache-control"]
        assert answer["x-frame-options"] == "DENY"
        assert "frame-ancestors 'none'" in answer["content-security-policy"]
        assert answer["x-content-type-options"] == "nosniff"
        assert answer["referrer-policy"] == "same-origin"


def test_no_page_has_an_inline_script(browser: Client, stranger: Client) -> None:
    for answer in (browser.get(reverse("admin:index")), stranger.get(reverse("admin:login"))):
        text = answer.content.decode()
        assert [tag for tag in text.split("<script")[1:] if "src=" not in tag.split(">")[0]] == []
        assert " onclick=" not in text
