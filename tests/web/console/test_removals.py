"""The page of removals that wait for an operator."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest
from django.urls import reverse

from tests.web.console.forms import post, said
from tests.web.console.rows import NOW
from velvetrope.store.models import Access, AuditEntry, Chat, Entitlement, InboxEvent
from velvetrope.usecases.leaving.orders import HELD, REMOVE, RemoveOrder

if TYPE_CHECKING:
    from django.test import Client

    from tests.web.console.rows import World


@pytest.fixture
def page(world: World) -> str:
    """Have the world's customer wait to leave."""
    Access.objects.filter(id=world.access.id).update(
        desired=False,
        desired_at=NOW,
        observed="inside",
        let_in_at=NOW,
        action="remove",
        problem=HELD,
    )
    Entitlement.objects.filter(id=world.entitlement.id).update(holds=False, reason="ended")
    Chat.objects.filter(id=world.chat.id).update(brake_at=NOW)
    return reverse("admin:removals")


def jobs(kind: str) -> list[InboxEvent]:
    return list(InboxEvent.objects.filter(source="job", kind=kind))


def test_the_page_says_that_nobody_waits(browser: Client, world: World) -> None:  # noqa: ARG001  rows
    assert "Nobody waits" in said(browser, browser.get(reverse("admin:removals")))


def test_who_waits_is_shown_with_what_ended(browser: Client, world: World, page: str) -> None:
    words = said(browser, browser.get(page))
    assert str(world.chat) in words
    assert world.customer.first_name in words
    assert f"«{world.plan}» has ended" in words
    menu = said(browser, browser.get(reverse("admin:index")))
    assert "Removals 1" in menu


def test_a_confirmed_removal_is_asked_twice_and_then_ordered(
    browser: Client, world: World, page: str
) -> None:
    fields = {"chat": world.chat.pk, "verb": "confirm", "access": world.access.pk}
    asked = post(browser, page, page, fields)
    assert "Take 1 person out" in said(browser, asked)
    assert jobs(REMOVE) == []
    done = post(browser, page, page, {**fields, "confirmed": "yes"})
    assert "1 person is taken out, unless Stripe says otherwise" in said(browser, done)
    [job] = jobs(REMOVE)
    order = msgspec.json.decode(bytes(job.payload), type=RemoveOrder)
    assert (order.telegram_user_id, order.confirmed) == (world.customer.telegram_user_id, True)
    assert Chat.objects.get(id=world.chat.id).brake_at is None
    assert AuditEntry.objects.get(action="removals.confirmed").actor == "operator:anna"


def test_all_of_a_chat_are_confirmed_at_once(browser: Client, world: World, page: str) -> None:
    fields = {"chat": world.chat.pk, "verb": "confirm-all"}
    assert "Take 1 person out" in said(browser, post(browser, page, page, fields))
    post(browser, page, page, {**fields, "confirmed": "yes"})
    assert len(jobs(REMOVE)) == 1


def test_who_waits_is_looked_up_again_without_a_question(
    browser: Client, world: World, page: str
) -> None:
    done = post(browser, page, page, {"chat": world.chat.pk, "verb": "recheck"})
    assert "1 person is looked up at Stripe again" in said(browser, done)
    assert len(jobs("recheck")) == 1
    assert Access.objects.get(id=world.access.id).problem == HELD


@pytest.mark.parametrize(
    "fields", [{}, {"verb": "confirm"}, {"chat": "x", "verb": "confirm"}, {"verb": "confirm-all"}]
)
def test_an_order_without_a_chat_does_nothing(
    browser: Client, page: str, fields: dict[str, str]
) -> None:
    assert "Choose a chat, and what to do" in said(browser, post(browser, page, page, fields))
    assert jobs(REMOVE) == []


def test_an_order_without_people_does_nothing(browser: Client, world: World, page: str) -> None:
    fields = {"chat": world.chat.pk, "verb": "confirm", "access": "999"}
    assert "Choose at least one person" in said(browser, post(browser, page, page, fields))
    assert jobs(REMOVE) == []
