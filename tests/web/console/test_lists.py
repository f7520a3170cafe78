"""Lists stay quick: a bounded number of queries, none of which counts or reads a whole table."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.web.console.forms import words
from tests.web.console.rows import (
    NOW,
    World,
    make_customer,
    make_dead_event,
    make_dead_item,
    make_entitlement,
    make_event,
    make_item,
)
from velvetrope.store.models import Access, AuditEntry, Checkout, Customer, InboxEvent
from velvetrope.store.unfinished import unfinished_events, unfinished_items
from velvetrope.usecases import operations
from velvetrope.web.console.paging import DEEPEST

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.test import Client

pytestmark = pytest.mark.both_databases

PEOPLE = 60
LISTS = (
    "customer", "entitlement", "access", "checkout", "inboxevent", "outboxitem", "auditentry",
    "integration", "plan", "chat", "textoverride", "lane",
)  # fmt: skip
#: Session, operator, permissions, the menu's two counts, the page, its filters: whatever the rows.
MOST_QUERIES = 16


def _fill(world: World, people: int) -> None:
    for number in range(people):
        customer = make_customer(world.integration, 10_000 + number)
        make_entitlement(customer, world.plan, f"sub_{number}")
        Access.objects.create(customer=customer, chat=world.chat, desired=True, observed="inside")
        Checkout.objects.create(
            customer=customer, plan=world.plan, stripe_session_id=f"cs_{number}",
            expires_at=NOW + timedelta(days=1), created_at=NOW,
        )  # fmt: skip
        event = make_event(world.integration, 10_000 + number)
        make_item(customer, cause=event.pk)
        make_dead_event(world.integration, 50_000 + number)
        make_dead_item(customer)
        operations.record("operator:anna", "x", subject="customer", subject_id=customer.pk)


def _queries(browser: Client, url: str) -> list[str]:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert browser.get(url).status_code == 200, url
    return [query["sql"] for query in captured.captured_queries]


@pytest.mark.parametrize("model", LISTS)
def test_a_list_asks_as_often_for_many_rows_as_for_few(
    browser: Client, world: World, model: str
) -> None:
    url = reverse(f"admin:store_{model}_changelist")
    few = _queries(browser, url)
    _fill(world, PEOPLE)
    many = _queries(browser, url)
    assert len(many) == len(few)
    assert len(many) <= MOST_QUERIES, "\n".join(many)


@pytest.mark.parametrize("page", ["index", "dead_letters"])
def test_the_console_own_pages_ask_as_often_for_many_rows(
    browser: Client, world: World, page: str
) -> None:
    few = _queries(browser, reverse(f"admin:{page}"))
    _fill(world, PEOPLE)
    many = _queries(browser, reverse(f"admin:{page}"))
    assert abs(len(many) - len(few)) <= 3  # what is counted over whole tables is remembered
    assert len(many) <= 30


def test_a_customers_page_asks_a_bounded_number_of_times(browser: Client, world: World) -> None:
    url = reverse("admin:store_customer_change", args=[world.customer.pk])
    few = _queries(browser, url)
    for number in range(PEOPLE):
        make_entitlement(world.customer, world.plan, f"sub_{number}")
        make_item(world.customer, cause=world.event.pk)
        make_event(world.integration, 10_000 + number)
    many = _queries(browser, url)
    assert len(many) == len(few)
    assert len(many) <= 30


@pytest.mark.parametrize("model", ["customer", "inboxevent", "outboxitem", "entitlement"])
def test_no_list_counts_a_whole_table(browser: Client, world: World, model: str) -> None:  # noqa: ARG001  rows to show
    url = reverse(f"admin:store_{model}_changelist")
    counting = [sql for sql in _queries(browser, url) if "COUNT(" in sql]
    assert counting
    assert [sql for sql in counting if "LIMIT" not in sql] == []


def test_payloads_are_not_read_for_lists(browser: Client, world: World) -> None:  # noqa: ARG001  rows to show
    for model, column in (("inboxevent", '"payload"'), ("outboxitem", '"params"')):
        queries = _queries(browser, reverse(f"admin:store_{model}_changelist"))
        assert [sql for sql in queries if column in sql] == []


@pytest.mark.sqlite_only
@pytest.mark.parametrize("term", ["42", "@olena_42", "OLENA_42", "https://t.me/olena_42", "cus_42"])
def test_customers_are_found_by_an_index(browser: Client, world: World, term: str) -> None:
    make_customer(world.integration, 43)
    url = reverse("admin:store_customer_changelist")
    with CaptureQueriesContext(connection) as captured:
        answer = browser.get(url, {"q": term})
    assert "1 customer" in words(answer)
    searched = next(
        query["sql"]
        for query in captured.captured_queries
        if query["sql"].startswith("SELECT") and "store_customer" in query["sql"]
        and "ORDER BY" in query["sql"]
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {searched}")
        steps = [str(row[3]) for row in cursor.fetchall()]
    assert [step for step in steps if "SCAN store_customer" in step] == [], steps


def test_what_is_deeper_than_lists_go_is_said_to_be_found_by_searching(
    browser: Client, world: World
) -> None:
    Customer.objects.bulk_create(
        Customer(integration=world.integration, telegram_user_id=10**6 + number, created_at=NOW)
        for number in range(DEEPEST + 10)
    )
    url = reverse("admin:store_customer_changelist")
    assert f"the newest {DEEPEST} customers: search or filter" in words(browser.get(url))
    assert browser.get(url, {"p": DEEPEST // 50}).status_code == 200
    assert browser.get(url, {"p": DEEPEST}).status_code in {200, 302}
    assert browser.get(url, {"all": ""}).status_code == 200


def test_lists_are_narrowed_down_by_integration(browser: Client, world: World) -> None:
    for model in ("customer", "entitlement", "access", "outboxitem", "auditentry", "plan"):
        url = reverse(f"admin:store_{model}_changelist")
        for value in (str(world.integration.pk), "99", "x", ""):
            assert browser.get(url, {"integration": value}).status_code == 200, model
    found = browser.get(reverse("admin:store_customer_changelist"), {"integration": "99"})
    assert "0 customers" in words(found)


def test_events_of_a_customer_are_found_through_what_they_led_to(
    browser: Client, world: World
) -> None:
    old = make_event(
        world.integration, 7, lane="stripe:1:cus_42", kind="invoice.paid", source="stripe"
    )
    make_item(world.customer, cause=old.pk)
    InboxEvent.objects.bulk_create(
        InboxEvent(source="telegram", account=world.integration.pk, external_id=f"x{number}",
                   kind="message", lane=f"tg:{world.integration.pk}:9", payload=b"{}",
                   state="done", received_at=NOW)
        for number in range(100)
    )  # fmt: skip
    page = reverse("admin:store_customer_change", args=[world.customer.pk])
    shown = words(browser.get(page))
    assert "Stripe: a bill was paid." in shown
    assert "They asked to enter a chat – it failed for good: Stripe does not know" in shown


def test_counts_stop_at_a_thousand(browser: Client, world: World) -> None:
    for number in range(1010):
        make_dead_event(world.integration, 1000 + number, error="")
    assert "1,000+ dead letters" in words(browser.get(reverse("admin:index")))
    assert "1,000+ in all" in words(browser.get(reverse("admin:dead_letters")))


def test_the_audit_log_is_found_by_what_it_is_about(browser: Client, world: World) -> None:
    operations.verify(world.integration.pk, "operator:anna")
    operations.record("operator:anna", "other", subject="customer", subject_id=5)
    url = reverse("admin:store_auditentry_changelist")
    found = words(browser.get(url, {"q": f"integration:{world.integration.pk}"}))
    assert "1 audit entry" in found
    history = reverse("admin:store_integration_history", args=[world.integration.pk])
    assert browser.get(history)["location"] == f"{url}?q=integration:{world.integration.pk}"
    assert AuditEntry.objects.filter(action="operator.signed_in").exists()


def _steps(rows: QuerySet[Any]) -> str:
    return str(rows.explain())


@pytest.mark.usefixtures("world")
@pytest.mark.sqlite_only
def test_unfinished_work_is_found_by_its_own_indexes() -> None:
    waiting = _steps(unfinished_items().filter(state="suspended")[:1000])
    assert "outbox_unfinished" in waiting
    assert "inbox_unfinished" in _steps(unfinished_events().filter(lane="tg:1:42"))


@pytest.mark.parametrize("state", ["pending", "claimed", "suspended", "dead", "sent", "x", ""])
def test_the_outbox_is_narrowed_down_by_state(browser: Client, world: World, state: str) -> None:
    waiting = make_item(world.customer, state="suspended", method="createChatInviteLink")
    url = reverse("admin:store_outboxitem_changelist")
    shown = browser.get(url, {"state": state}).content.decode()
    assert (str(waiting.pk) in shown) == (state in {"suspended", ""})
    assert (
        browser.get(reverse("admin:store_inboxevent_changelist"), {"state": state}).status_code
        == 200
    )
