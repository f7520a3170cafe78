"""The page of dry runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest
from django.urls import reverse

from tests.web.console.forms import post, said
from tests.web.console.rows import NOW
from velvetrope.store.models import DryRun, InboxEvent
from velvetrope.usecases.explaining.rights import Ground
from velvetrope.usecases.rehearsing.rehearsal import Change, Effect

if TYPE_CHECKING:
    from django.test import Client

    from tests.web.console.rows import World


@pytest.fixture
def page(world: World) -> str:
    return reverse("admin:dry_run", args=[world.integration.pk])


def found(world: World, *changes: Change, **fields: object) -> DryRun:
    counts: dict[str, int] = {}
    for one in changes:
        for name in (one.effect.value, f"{one.effect.value}:{one.chat_id}"):
            counts[name] = counts.get(name, 0) + 1
    values = {"finished_at": NOW, "looked_at": 1, **fields}
    return DryRun.objects.create(
        integration=world.integration,
        asked_by="operator:anna",
        asked_at=NOW,
        changes=msgspec.to_builtins(list(changes)),
        counts=counts,
        **values,
    )


def leaving(world: World) -> Change:
    ground = Ground(
        plan_id=world.plan.pk,
        kind="subscription",
        status="unpaid",
        reason="ended",
        holds=False,
        until=None,
        refund="none",
        dispute="none",
        collection_paused=False,
    )
    return Change(world.customer.pk, Effect.LEAVE, world.chat.pk, grounds=(ground,))


def test_one_is_asked_for_by_a_button(browser: Client, page: str) -> None:
    assert "No dry run yet" in said(browser, browser.get(page))
    assert "Everybody is being looked at" in said(browser, post(browser, page, page))
    assert InboxEvent.objects.filter(kind="dry_run").count() == 1
    assert "going on" in said(browser, browser.get(page))


def test_who_would_leave_is_shown_with_the_reason_in_words(
    browser: Client, world: World, page: str
) -> None:
    found(world, leaving(world), Change(world.customer.pk, Effect.MESSAGE, occasion="ended"))
    words = said(browser, browser.get(page))
    assert "Would leave: 1" in words
    assert f"would be taken out of «{world.chat}»" in words
    assert "was not paid, and Stripe has given up asking" in words
    assert "would be told: «access has ended»" in words
    assert world.customer.first_name in words


def test_too_many_who_would_leave_are_said_first(browser: Client, world: World, page: str) -> None:
    found(world, *[leaving(world)] * 6)
    assert "6 would leave" in said(browser, browser.get(page))
    assert "After 5 of them the rest would wait" in said(browser, browser.get(page))


def test_a_dry_run_that_ended_early_says_why(browser: Client, world: World, page: str) -> None:
    found(world, error_code="stripe_key_invalid")
    words = said(browser, browser.get(page))
    assert "It ended early" in words
    assert "Everything is as it should be" not in words


def test_that_nothing_would_change_is_said(browser: Client, world: World, page: str) -> None:
    found(world)
    assert "Everything is as it should be" in said(browser, browser.get(page))


def test_an_unknown_integration_has_no_page(browser: Client, world: World) -> None:  # noqa: ARG001  rows
    assert browser.get(reverse("admin:dry_run", args=[999])).status_code == 404


def test_the_page_is_linked_from_the_integration(browser: Client, world: World, page: str) -> None:
    there = reverse("admin:store_integration_change", args=[world.integration.pk])
    assert page in browser.get(there).content.decode()
