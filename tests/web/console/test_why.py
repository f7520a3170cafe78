"""The customer's page explains: sentences on top, the timeline below, and buttons that act."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.urls import reverse

from tests.web.console.forms import post, said, words
from tests.web.console.rows import NOW, make_event, make_item
from velvetrope.store.models import Access, AuditEntry, Customer, Entitlement, InboxEvent
from velvetrope.usecases import operations

if TYPE_CHECKING:
    from django.http import HttpResponse
    from django.test import Client

    from tests.web.console.rows import World


def _page(world: World) -> str:
    return reverse("admin:store_customer_change", args=[world.customer.pk])


def _do(browser: Client, world: World, action: str, **values: object) -> str:
    url = reverse("admin:store_customer_do", args=[world.customer.pk, action])
    answer: HttpResponse = post(browser, _page(world), url, values)
    return said(browser, answer)


def test_the_answer_to_why_am_i_not_in_stands_before_everything_else(
    browser: Client, world: World
) -> None:
    Access.objects.update(observed="outside", let_in_at=None)
    shown = words(browser.get(_page(world)))
    sentence = "Should be in, because the monthly subscription to «Yoga every morning» is paid"
    assert "is still outside: they have not asked to enter." in shown
    assert shown.index(sentence) < shown.index("Sync now") < shown.index("What happened")


def test_the_timeline_can_be_narrowed_down_to_what_the_bot_said(
    browser: Client, world: World
) -> None:
    make_event(world.integration, 7, kind="chat_member")
    make_item(world.customer, occasion="opened:sub_1Yoga")
    told = "Told: «payment received, here is the way in»."
    everything = words(browser.get(_page(world)))
    assert told in everything
    assert "The bot met this person for the first time" in everything
    messages = words(browser.get(_page(world), {"show": "messages"}))
    assert told in messages
    assert "The bot met this person for the first time" not in messages


def test_a_long_history_is_shown_from_its_newest_end(browser: Client, world: World) -> None:
    for number in range(210):
        make_item(
            world.customer,
            occasion=f"pending:{number}",
            created_at=NOW - timedelta(minutes=number),
            finished_at=NOW - timedelta(minutes=number),
        )
    shown = words(browser.get(_page(world)))
    assert shown.count("the payment is on its way") in range(190, 201)
    assert "Show everything, however long ago" in shown
    whole = words(browser.get(_page(world), {"all": "yes"}))
    assert whole.count("the payment is on its way") == 210
    assert "Show everything" not in whole


def test_nothing_of_a_message_but_its_occasion_is_shown(browser: Client, world: World) -> None:
    shown = browser.get(_page(world)).content.decode()
    assert "за завтра" not in shown
    assert "a private word" not in shown


def test_a_sync_is_ordered_and_the_page_says_what_came_of_it(browser: Client, world: World) -> None:
    assert "are being asked" in _do(browser, world, "sync")
    job = InboxEvent.objects.get(kind="sync")
    assert AuditEntry.objects.get(action="member.sync_ordered").actor == "operator:anna"
    ordered = "Operator anna had Stripe and Telegram asked again"
    assert f"{ordered} – it is under way." in words(browser.get(_page(world)))
    InboxEvent.objects.filter(pk=job.pk).update(state="done", outcome="handled")
    shown = words(browser.get(_page(world)))
    assert f"{ordered} – done, and nothing had to be changed." in shown


def test_a_person_is_invited_again_after_a_question(browser: Client, world: World) -> None:
    url = reverse("admin:store_customer_do", args=[world.customer.pk, "reinvite"])
    asked = post(browser, _page(world), url, {})
    assert "the ban is lifted" in words(asked)
    assert not InboxEvent.objects.filter(kind="reinvite").exists()
    assert "is being sent" in _do(browser, world, "reinvite", confirmed="yes")
    assert InboxEvent.objects.filter(kind="reinvite").count() == 1


def test_only_who_holds_a_right_can_be_invited_again(browser: Client, world: World) -> None:
    assert "Invite again" in words(browser.get(_page(world)))
    Entitlement.objects.update(holds=False)
    assert "Invite again" not in words(browser.get(_page(world)))
    assert "can't be done any more" in _do(browser, world, "reinvite", confirmed="yes")
    assert not InboxEvent.objects.filter(kind="reinvite").exists()


def test_a_message_is_written_and_who_can_not_be_reached_is_told(
    browser: Client, world: World
) -> None:
    assert "on its way" in _do(browser, world, "message", text="Welcome <back>")
    job = InboxEvent.objects.get(kind="message_member")
    assert b"Welcome <back>" in bytes(job.payload)
    shown = browser.get(_page(world)).content.decode()
    assert "Operator anna wrote to the person through the bot" in shown
    assert "Welcome" not in shown
    assert "There is nothing to send" in _do(browser, world, "message", text="  ")
    Customer.objects.update(blocked_at=NOW)
    assert "blocks the bot" in _do(browser, world, "message", text="Hello?")
    assert InboxEvent.objects.filter(kind="message_member").count() == 1


def test_where_paid_access_is_ended_is_said(browser: Client, world: World) -> None:
    shown = browser.get(_page(world)).content.decode()
    assert "cancelled or given back at Stripe" in shown
    assert "https://dashboard.stripe.com/test/customers/cus_42" in shown


@pytest.mark.usefixtures("stranger")
def test_entries_of_tables_that_an_operator_may_not_see_are_left_out(
    stranger: Client, world: World
) -> None:
    from django.contrib.auth.models import Permission, User  # noqa: PLC0415  Django is set up

    watcher = User.objects.create_user("watcher", password="x", is_staff=True)
    watcher.user_permissions.add(Permission.objects.get(codename="view_customer"))
    stranger.force_login(watcher)
    operations.sync(world.customer.pk, "operator:anna")
    make_item(world.customer, occasion="opened:sub_1Yoga")
    shown = words(stranger.get(_page(world)))
    assert "Should be in, because" in shown
    assert "Told:" not in shown
    assert "Operator anna" not in shown
