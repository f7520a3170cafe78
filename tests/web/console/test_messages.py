"""The page of an integration's messages: what is sent, when, and what it looks like."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from tests.web.console.forms import post, said, words
from velvetrope.domain.messages import RULES, MessageKind, MessageSettings, days_setting
from velvetrope.store.models import AuditEntry, Chat, Integration, Plan

if TYPE_CHECKING:
    from tests.web.console.rows import World


def page(world: World) -> str:
    return reverse("admin:messages", args=[world.integration.pk])


def settings(world: World) -> MessageSettings:
    row = Integration.objects.get(pk=world.integration.pk)
    return MessageSettings.from_differences(row.reminders)


def test_the_page_shows_every_kind_with_an_example_in_each_language(
    browser: Client, world: World
) -> None:
    for language, receipt in {"en": "Receipt", "uk": "Квитанція", "ru": "Квитанция"}.items():
        text = words(browser.get(f"{page(world)}?language={language}"))
        assert [rule.title for rule in RULES.values() if rule.title not in text] == []
        assert receipt in text
        assert world.plan.product_name in text


def test_the_page_of_an_integration_leads_there(browser: Client, world: World) -> None:
    found = browser.get(reverse("admin:store_integration_change", args=[world.integration.pk]))
    assert page(world) in found.content.decode()


def test_examples_are_shown_before_there_is_a_plan_or_a_chat(browser: Client, world: World) -> None:
    empty = Integration.objects.exclude(pk=world.integration.pk).first()
    if empty is None:
        world.integration.pk = None
        world.integration.name, world.integration.bot_id = "bare", 999
        world.integration.webhook_secret_hash = "bare"
        world.integration.save()
        empty = world.integration
    assert not Plan.objects.filter(integration=empty).exists()
    assert not Chat.objects.filter(integration=empty).exists()
    assert browser.get(reverse("admin:messages", args=[empty.pk])).status_code == 200


def fields(**changes: object) -> dict[str, object]:
    return {"on": [kind.value for kind in MessageKind if RULES[kind].is_on], **changes}


def test_switches_days_and_hours_are_saved_and_on_record(browser: Client, world: World) -> None:
    on = [kind.value for kind in MessageKind if kind is not MessageKind.TRIAL_ENDS]
    name = days_setting(MessageKind.ACCESS_ENDS)
    answer = post(browser, page(world), page(world), {"on": on, name: "7 2", "hour_to": "20"})
    assert "planned anew" in said(browser, answer)
    saved = settings(world)
    assert not saved.is_on(MessageKind.TRIAL_ENDS)
    assert saved.is_on(MessageKind.RENEWED)
    assert (saved.days_of(MessageKind.ACCESS_ENDS), saved.hour_to) == ((7, 2), 20)
    entry = AuditEntry.objects.get(action="messages.changed")
    assert (entry.before, entry.actor) == ({}, "operator:anna")
    answer = post(browser, page(world), page(world), {"on": on, name: "7 2", "hour_to": "20"})
    assert "Nothing was different" in said(browser, answer)


def test_what_is_out_of_bounds_is_refused_and_stays_to_be_mended(
    browser: Client, world: World
) -> None:
    name = days_setting(MessageKind.ACCESS_ENDS)
    answer = post(browser, page(world), page(world), fields(**{name: "90"}))
    assert "from 1 to 60" in words(answer)
    assert 'value="90"' in answer.content.decode()
    assert settings(world).differences() == {}


def test_a_refusal_names_the_field_as_the_page_does(browser: Client, world: World) -> None:
    answer = words(post(browser, page(world), page(world), fields(hour_from="soon")))
    assert "Reminders are sent from this hour on: Give a whole number" in answer
    name = days_setting(MessageKind.ACCESS_ENDS)
    answer = words(post(browser, page(world), page(world), fields(**{name: "90"})))
    assert "Access ends: Give a whole number" in answer


def test_whoever_may_only_look_changes_nothing(world: World) -> None:
    user = get_user_model().objects.create_user("watcher", password="x", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_integration"))
    client = Client(headers={"host": "127.0.0.1"})
    client.force_login(user)
    assert client.get(page(world)).status_code == 200
    assert client.post(page(world), fields()).status_code == 403
    user.user_permissions.clear()
    stranger = Client(headers={"host": "127.0.0.1"})
    stranger.force_login(get_user_model().objects.get(pk=user.pk))
    assert stranger.get(page(world)).status_code == 403


def test_there_is_no_page_for_an_integration_that_there_is_not(browser: Client) -> None:
    assert browser.get(reverse("admin:messages", args=[404])).status_code == 404
