"""Members from before: the link opened and closed, lists looked at and confirmed, by permission."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from tests.web.console.forms import post, said
from velvetrope.store.models import (
    Adoption,
    AdoptionRow,
    AuditEntry,
    Chat,
    InboxEvent,
    Integration,
)
from velvetrope.usecases.adoption.numbers import count_found
from velvetrope.web.console import from_before_page

if TYPE_CHECKING:
    from django.http import HttpResponse

    from tests.web.console.rows import World

DAY = (datetime.now(UTC) + timedelta(days=40)).date().isoformat()


@pytest.fixture
def page(world: World) -> str:
    return reverse("admin:from_before_of", args=[world.integration.pk])


def upload(browser: Client, page: str, world: World, text: str, **fields: object) -> HttpResponse:
    file = BytesIO(text.encode())
    file.name = "members.csv"
    values = {"verb": "upload", "plan": world.plan.pk, "until": DAY, "file": file} | fields
    answer: HttpResponse = post(browser, page, page, values)
    return answer


def ready(adoption: Adoption, place: str = "inside") -> None:
    """Have everybody of a list looked for, as the jobs do."""
    AdoptionRow.objects.filter(adoption=adoption).update(place=place)
    adoption.state, adoption.numbers = "ready", dict(count_found(adoption))
    adoption.save()


def words_of(browser: Client, page: str) -> str:
    return said(browser, browser.get(page))


def test_the_page_tells_whom_it_concerns(browser: Client, world: World, page: str) -> None:
    Chat.objects.filter(pk=world.chat.pk).update(member_count=812, counted_at=datetime.now(UTC))
    shown = words_of(browser, page)
    assert "812" in shown
    assert "about 811" in shown
    chat = words_of(browser, reverse("admin:store_chat_change", args=[world.chat.pk]))
    assert "1 known here; 812 at Telegram, about 811 of them from before (counted " in chat
    assert browser.get(reverse("admin:from_before"))["location"] == page


def test_the_link_is_opened_with_texts_to_post_and_closed(
    browser: Client, world: World, page: str
) -> None:
    told = said(browser, post(browser, page, page, {"verb": "open", "until": DAY}))
    assert "The link is open." in told
    link = f"https://t.me/{world.integration.bot_username}?start=claim"
    assert told.count(link) == 4
    row = Integration.objects.get(pk=world.integration.pk)
    assert row.claim_until is not None
    assert AuditEntry.objects.get(action="claims.opened").actor == "operator:anna"
    post(browser, page, page, {"verb": "close"})
    assert Integration.objects.get(pk=row.pk).claim_until is None
    assert link not in words_of(browser, page)


@pytest.mark.parametrize("until", ["", "2001-01-01", "soon"])
def test_a_day_that_makes_no_sense_opens_nothing(
    browser: Client, world: World, page: str, until: str
) -> None:
    post(browser, page, page, {"verb": "open", "until": until})
    assert Integration.objects.get(pk=world.integration.pk).claim_until is None


def test_a_list_is_looked_at_shown_and_adopted_on_a_word(
    browser: Client, world: World, page: str
) -> None:
    told = said(browser, upload(browser, page, world, "user_id\n7\n8\n9\n"))
    assert "Nobody is touched yet" in told
    assert "asked about 0 of 3 people" in told
    adoption = Adoption.objects.get()
    assert InboxEvent.objects.get(kind="adoption_look").state == "pending"
    ready(adoption)
    shown = words_of(browser, page)
    assert "Would be adopted: 3." in shown
    assert "Adopt 3 people" in shown
    post(browser, page, page, {"verb": "confirm", "list": adoption.pk})
    adoption.refresh_from_db()
    assert adoption.state == "adopting"
    assert InboxEvent.objects.filter(kind="adoption_order").count() == 1
    assert AuditEntry.objects.get(action="adoption.confirmed").actor == "operator:anna"
    again = said(browser, post(browser, page, page, {"verb": "confirm", "list": adoption.pk}))
    assert "has changed since" in again
    assert InboxEvent.objects.filter(kind="adoption_order").count() == 1


def test_hundreds_of_leavers_are_announced_with_the_brake(
    browser: Client, world: World, page: str
) -> None:
    people = "".join(f"{number}\n" for number in range(100, 400))
    upload(browser, page, world, f"user_id\n{people}")
    ready(Adoption.objects.get())
    shown = words_of(browser, page)
    assert "The last day of 300 of them is" in shown
    assert "more than the 15 that may leave a chat at once" in shown


def test_bad_lines_are_named_and_nothing_is_kept(browser: Client, world: World, page: str) -> None:
    text = "user_id\n7\n-100\n<b>x</b>\n"
    answer = upload(browser, page, world, text)
    assert answer.status_code == 200
    shown = said(browser, answer)
    assert "line 3: This is the id of a group or channel." in shown
    assert "<b>x</b>" not in answer.content.decode()
    assert not Adoption.objects.exists()
    upload(browser, page, world, text, skip_bad="yes")
    assert (Adoption.objects.get().skipped, AdoptionRow.objects.count()) == (2, 1)


def test_friends_get_a_right_without_an_end(browser: Client, world: World, page: str) -> None:
    upload(browser, page, world, "user_id\n7\n", comp="yes", until="")
    adoption = Adoption.objects.get()
    assert (adoption.comp, adoption.until) == (True, None)
    assert "Friends of the owner" in words_of(browser, page)


def test_a_list_can_be_given_up_before_it_is_confirmed(
    browser: Client, world: World, page: str
) -> None:
    upload(browser, page, world, "user_id\n7\n")
    post(browser, page, page, {"verb": "discard", "list": Adoption.objects.get().pk})
    assert not Adoption.objects.exists()


def test_what_is_no_list_is_refused_in_words(browser: Client, world: World, page: str) -> None:
    huge = "user_id\n" + "x" * from_before_page.MOST_UPLOADED
    told = [
        said(browser, upload(browser, page, world, "user_id\n7\n", plan="999")),
        said(browser, post(browser, page, page, {"verb": "upload", "plan": world.plan.pk})),
        said(browser, upload(browser, page, world, huge)),
        said(browser, upload(browser, page, world, "user_id\n7\n", until="")),
    ]
    for words, part in zip(
        told, ("Choose the plan", "Choose the file", "too large", "no day until when"), strict=True
    ):
        assert part in words
    assert not Adoption.objects.exists()


def test_a_list_of_another_bot_is_out_of_reach(browser: Client, world: World, page: str) -> None:
    from tests.web.console.rows import make_integration  # noqa: PLC0415  Django is set up by now

    upload(browser, page, world, "user_id\n7\n")
    other = make_integration(world.account, 2)
    elsewhere = reverse("admin:from_before_of", args=[other.pk])
    post(browser, elsewhere, elsewhere, {"verb": "discard", "list": Adoption.objects.get().pk})
    assert Adoption.objects.exists()
    assert browser.get(reverse("admin:from_before_of", args=[999])).status_code == 404


def test_whoever_may_only_look_changes_nothing(world: World, page: str) -> None:
    user = get_user_model().objects.create_user("watcher", password="x", is_staff=True)
    client = Client(headers={"host": "127.0.0.1"})
    client.force_login(user)
    assert client.get(page).status_code == 403
    names = ["view_integration", "view_customer"]
    user.user_permissions.set(Permission.objects.filter(codename__in=names))
    assert "Open the link" not in client.get(page).content.decode()
    assert client.post(page, {"verb": "open", "until": DAY}).status_code == 403
    assert Integration.objects.get(pk=world.integration.pk).claim_until is None


def test_nothing_happens_without_the_token_or_a_verb(
    browser: Client, world: World, page: str
) -> None:
    assert browser.post(page, {"verb": "open", "until": DAY}).status_code == 403
    assert post(browser, page, page, {"verb": "delete"}).status_code == 302
    assert Integration.objects.get(pk=world.integration.pk).claim_until is None
