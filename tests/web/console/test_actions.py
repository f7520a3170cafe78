"""What operators do: by POST with a token, asked twice where it hurts, on record, by permission."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec
import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from tests.web.console.forms import csrf_token, post, said
from tests.web.console.rows import World, make_customer, make_dead_event
from velvetrope.domain.states import EventState, ItemState
from velvetrope.store.models import (
    AuditEntry,
    Customer,
    Entitlement,
    InboxEvent,
    Integration,
    OutboxItem,
)
from velvetrope.usecases.orders import GrantOrder
from velvetrope.usecases.reconciling.backfilling import BACKFILL

if TYPE_CHECKING:
    from django.http import HttpResponse


def _do(model: str, key: int, action: str) -> str:
    return reverse(f"admin:store_{model}_do", args=[key, action])


def _watcher(*permissions: str) -> Client:
    """Sign somebody in who may only look."""
    user = get_user_model().objects.create_user("watcher", password="x", is_staff=True)
    names = [name.partition(".")[2] for name in permissions]
    user.user_permissions.set(Permission.objects.filter(codename__in=names))
    client = Client(headers={"host": "127.0.0.1"})
    client.force_login(user)
    return client


def _rows(world: World) -> list[tuple[str, int, str]]:
    key = world.integration.pk
    names = ("verify", "reconcile", "sync-plans", "rotate-secret", "resume", "disable")
    return [
        *(("integration", key, name) for name in names),
        ("inboxevent", world.dead_event.pk, "replay"),
        ("inboxevent", world.dead_event.pk, "discard"),
        ("outboxitem", world.dead_item.pk, "replay"),
        ("outboxitem", world.dead_item.pk, "discard"),
        ("customer", world.customer.pk, "grant"),
        ("textoverride", world.text.pk, "remove"),
    ]


def _changes() -> int:
    return AuditEntry.objects.exclude(action__startswith="operator.").count()


def test_actions_answer_to_post_only(browser: Client, world: World) -> None:
    for row in _rows(world):
        assert browser.get(_do(*row)).status_code == 405, row
    assert _changes() == 0


def test_actions_refuse_a_post_without_the_token(browser: Client, world: World) -> None:
    for row in _rows(world):
        assert browser.post(_do(*row), {"confirmed": "yes"}).status_code == 403, row
    assert browser.post(reverse("admin:dead_letters"), {"verb": "replay-all"}).status_code == 403
    assert _changes() == 0


def test_strangers_act_on_nothing(stranger: Client, world: World) -> None:
    stranger.get(reverse("admin:login"))
    token = stranger.cookies[_csrf_cookie(stranger)].value
    for row in _rows(world):
        answer = stranger.post(_do(*row), {"confirmed": "yes", "csrfmiddlewaretoken": token})
        assert answer.status_code == 302, row
        assert answer["location"].startswith(reverse("admin:login"))
    assert _changes() == 0


def _csrf_cookie(client: Client) -> str:
    return next(name for name in client.cookies if "csrf" in name)


def test_whoever_may_only_look_finds_no_buttons_and_is_refused(world: World) -> None:
    watcher = _watcher("store.view_inboxevent", "store.view_outboxitem", "store.view_customer")
    page = reverse("admin:store_inboxevent_change", args=[world.dead_event.pk])
    assert "Replay" not in watcher.get(page).content.decode()
    assert "Replay" not in watcher.get(reverse("admin:dead_letters")).content.decode()
    for row in _rows(world):
        assert watcher.post(_do(*row), {"confirmed": "yes"}).status_code == 403, row
    assert watcher.post(reverse("admin:dead_letters"), {"verb": "replay-all"}).status_code == 403
    assert _changes() == 0


def test_payloads_are_for_those_who_may_read_them(browser: Client, world: World) -> None:
    page = reverse("admin:store_inboxevent_change", args=[world.event.pk])
    assert "a private word" in browser.get(page).content.decode()
    watcher = _watcher("store.view_inboxevent")
    assert "a private word" not in watcher.get(page).content.decode()


def test_a_dead_event_is_replayed_from_its_page(browser: Client, world: World) -> None:
    page = reverse("admin:store_inboxevent_change", args=[world.dead_event.pk])
    answer = post(browser, page, _do("inboxevent", world.dead_event.pk, "replay"))
    assert answer["location"] == page
    assert InboxEvent.objects.get(pk=world.dead_event.pk).state == EventState.PENDING
    assert AuditEntry.objects.get(action="event.replayed").actor == "operator:anna"


def test_a_discard_is_asked_before_it_is_done(browser: Client, world: World) -> None:
    page = reverse("admin:store_outboxitem_change", args=[world.dead_item.pk])
    url = _do("outboxitem", world.dead_item.pk, "discard")
    question = post(browser, page, url)
    assert "never tried again" in question.content.decode()
    assert OutboxItem.objects.get(pk=world.dead_item.pk).state == ItemState.DEAD
    post(browser, page, url, {"confirmed": "yes"})
    assert OutboxItem.objects.get(pk=world.dead_item.pk).state == ItemState.DISCARDED


def test_what_was_dealt_with_meanwhile_is_not_done_again(browser: Client, world: World) -> None:
    page = reverse("admin:store_inboxevent_change", args=[world.dead_event.pk])
    token = csrf_token(browser, page)
    url = _do("inboxevent", world.dead_event.pk, "replay")
    browser.post(url, {"csrfmiddlewaretoken": token})
    answer = browser.post(url, {"csrfmiddlewaretoken": token})
    assert "something has changed" in said(browser, answer)
    assert AuditEntry.objects.filter(action="event.replayed").count() == 1


def test_an_unknown_action_does_nothing(browser: Client, world: World) -> None:
    page = reverse("admin:store_integration_change", args=[world.integration.pk])
    post(browser, page, _do("integration", world.integration.pk, "delete"))
    post(browser, page, _do("integration", world.integration.pk, "__class__"))
    assert Integration.objects.filter(pk=world.integration.pk).exists()
    assert _changes() == 0


@pytest.mark.parametrize(
    ("action", "audited"),
    [
        ("verify", "integration.verification_requested"),
        ("sync-plans", "integration.plan_sync_requested"),
        ("reconcile", "integration.reconciliation_requested"),
        ("rotate-secret", "integration.webhook_secret_rotated"),
        ("disable", "integration.disabled"),
    ],
)
def test_an_integrations_buttons_leave_an_entry(
    browser: Client, world: World, action: str, audited: str
) -> None:
    page = reverse("admin:store_integration_change", args=[world.integration.pk])
    post(browser, page, _do("integration", world.integration.pk, action), {"confirmed": "yes"})
    entry = AuditEntry.objects.get(action=audited)
    assert entry.actor == "operator:anna"
    assert entry.integration_id == world.integration.pk


def test_rotating_the_webhook_secret_makes_another_one(browser: Client, world: World) -> None:
    before = Integration.objects.get(pk=world.integration.pk)
    page = reverse("admin:store_integration_change", args=[world.integration.pk])
    url = _do("integration", world.integration.pk, "rotate-secret")
    assert "Rotate the webhook secret?" in post(browser, page, url).content.decode()
    post(browser, page, url, {"confirmed": "yes"})
    after = Integration.objects.get(pk=world.integration.pk)
    assert after.webhook_secret != before.webhook_secret
    assert after.webhook_secret_hash != before.webhook_secret_hash
    assert InboxEvent.objects.filter(kind="register").count() == 1


def _grant(browser: Client, world: World, **fields: object) -> HttpResponse:
    page = reverse("admin:store_customer_change", args=[world.customer.pk])
    values = {"plan": world.plan.pk, "until": "", "note": "press"} | fields
    answer: HttpResponse = post(browser, page, _do("customer", world.customer.pk, "grant"), values)
    return answer


def test_access_is_granted_from_the_customers_page(browser: Client, world: World) -> None:
    last = (datetime.now(UTC) + timedelta(days=10)).date()
    _grant(browser, world, until=last.isoformat())
    job = InboxEvent.objects.get(kind="grant")
    order = msgspec.json.decode(bytes(job.payload), type=GrantOrder)
    assert order.plan_id == world.plan.pk
    assert order.until is not None
    assert order.until.isoformat() == f"{last.isoformat()}T23:59:59+00:00"
    assert order.note == "press"
    assert AuditEntry.objects.get(action="grant.ordered").actor == "operator:anna"


@pytest.mark.parametrize(
    "fields",
    [{"until": "2001-01-01"}, {"until": "soon"}, {"plan": "x"}, {"plan": 999}, {"plan": ""}],
)
def test_a_grant_that_makes_no_sense_is_refused_in_words(
    browser: Client, world: World, fields: dict[str, object]
) -> None:
    answer = _grant(browser, world, **fields)
    shown = said(browser, answer)
    assert "Choose" in shown or "Give the last day" in shown
    assert not InboxEvent.objects.filter(kind="grant").exists()


def test_only_the_customers_own_grant_is_revoked(browser: Client, world: World) -> None:
    now = datetime.now(UTC)
    other = make_customer(world.integration, 43)
    grants = [
        Entitlement.objects.create(
            customer=customer, plan=world.plan, kind="grant", external_id=f"grant:{number}",
            status="active", starts_at=now, holds=True, reason="granted", decided_at=now,
            created_at=now,
        )
        for number, customer in enumerate((world.customer, other))
    ]  # fmt: skip
    page = reverse("admin:store_customer_change", args=[world.customer.pk])
    url = _do("customer", world.customer.pk, "revoke")
    question = post(browser, page, url, {"entitlement": grants[0].pk}).content.decode()
    assert f'name="entitlement" value="{grants[0].pk}"' in question
    for grant in grants:
        post(browser, page, url, {"entitlement": grant.pk, "confirmed": "yes"})
    assert InboxEvent.objects.filter(kind="revoke").count() == 1


def _letters(browser: Client, **fields: object) -> HttpResponse:
    answer: HttpResponse = post(
        browser, reverse("admin:dead_letters"), reverse("admin:dead_letters"), fields
    )
    return answer


def test_one_dead_letter_is_replayed_by_its_own_button(browser: Client, world: World) -> None:
    answer = _letters(browser, verb=f"replay event:{world.dead_event.pk}")
    assert "1 dead letter is tried again" in said(browser, answer)
    assert InboxEvent.objects.get(pk=world.dead_event.pk).state == EventState.PENDING
    assert OutboxItem.objects.get(pk=world.dead_item.pk).state == ItemState.DEAD


def test_several_are_asked_about_and_then_replayed_together(browser: Client, world: World) -> None:
    letters = [f"event:{world.dead_event.pk}", f"item:{world.dead_item.pk}"]
    question = _letters(browser, verb="replay", letter=letters).content.decode()
    assert "Replay 2 dead letters?" in question
    assert _changes() == 0
    _letters(browser, verb="replay", letter=letters, confirmed="yes")
    assert InboxEvent.objects.get(pk=world.dead_event.pk).state == EventState.PENDING
    assert OutboxItem.objects.get(pk=world.dead_item.pk).state == ItemState.PENDING


def test_all_that_match_are_discarded_after_a_question(browser: Client, world: World) -> None:
    for number in range(20, 50):
        make_dead_event(world.integration, number, error_code="odd")
    question = _letters(browser, verb="discard-all", code="odd").content.decode()
    assert "Discard 30 dead letters?" in question
    # The question holds every one of them: what fails meanwhile is not swept away with them.
    chosen = [line.split('"')[0] for line in question.split('name="letter" value="')[1:]]
    assert len(chosen) == 30
    _letters(browser, verb="discard", letter=chosen, confirmed="yes", code="odd")
    assert InboxEvent.objects.filter(state=EventState.DISCARDED).count() == 30
    assert InboxEvent.objects.get(pk=world.dead_event.pk).state == EventState.DEAD


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"verb": "delete", "letter": "event:1"},
        {"verb": "replay"},
        {"verb": "replay", "letter": ["x", "event:", "event:-5", ""]},
        {"verb": "replay event:x"},
        {"verb": "replay-all", "code": "no such code", "confirmed": "yes"},
    ],
)
@pytest.mark.usefixtures("world")
def test_nonsense_does_nothing(browser: Client, fields: dict[str, object]) -> None:
    assert _letters(browser, **fields).status_code == 302
    assert _changes() == 0


def test_nothing_can_be_deleted_or_edited_by_hand(browser: Client, world: World) -> None:
    for model, key in (
        ("integration", world.integration.pk),
        ("customer", world.customer.pk),
        ("entitlement", world.entitlement.pk),
        ("inboxevent", world.event.pk),
        ("stripeaccount", world.account.pk),
    ):
        page = reverse(f"admin:store_{model}_delete", args=[key])
        assert browser.get(page).status_code == 403, model
    for model, row in (
        ("customer", world.customer),
        ("entitlement", world.entitlement),
        ("access", world.access),
        ("inboxevent", world.event),
        ("outboxitem", world.item),
        ("lane", world.lane),
    ):
        page = reverse(f"admin:store_{model}_change", args=[row.pk])
        token = csrf_token(browser, reverse("admin:password_change"))
        answer = browser.post(page, {"csrfmiddlewaretoken": token, "holds": "on"})
        assert answer.status_code == 405, model
        assert browser.get(reverse(f"admin:store_{model}_add")).status_code == 403, model


def test_missed_events_are_fetched_from_the_accounts_page(browser: Client, world: World) -> None:
    key = world.integration.stripe_account_id
    page = reverse("admin:store_stripeaccount_change", args=[key])
    assert "Fetch missed events" in browser.get(page).content.decode()
    post(browser, page, _do("stripeaccount", key, "backfill"))
    assert InboxEvent.objects.filter(kind=BACKFILL).count() == 1


def test_a_rebuild_is_offered_only_where_everybody_is_lost(browser: Client, world: World) -> None:
    key = world.integration.stripe_account_id
    page = reverse("admin:store_stripeaccount_change", args=[key])
    assert "Rebuild from Stripe" not in browser.get(page).content.decode()
    Customer.objects.all().delete()
    assert "Rebuild from Stripe" in browser.get(page).content.decode()
    post(browser, page, _do("stripeaccount", key, "rebuild"), {"confirmed": "yes"})
    assert AuditEntry.objects.filter(action="integration.rebuild_requested").exists()


def test_a_question_names_the_person_as_everywhere_else(browser: Client, world: World) -> None:
    page = reverse("admin:store_customer_change", args=[world.customer.pk])
    question = post(browser, page, _do("customer", world.customer.pk, "reinvite"))
    text = said(browser, question)
    assert "Send it?" in text
    assert f"{world.customer.first_name} @{world.customer.username}" in text
