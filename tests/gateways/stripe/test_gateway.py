"""What is asked of Stripe and what is read from its answers; requests by the SDK's own types."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
import stripe

from tests.gateways import hostile
from tests.gateways.stripe import objects
from tests.gateways.stripe.objects import Json, page
from tests.gateways.wire import check_stripe_request
from velvetrope.domain.errors import RetryLater
from velvetrope.gateways.stripe.gateway import API_VERSION, StripeGateway
from velvetrope.gateways.stripe.pages import (
    COMPLETE_SESSIONS,
    CUSTOMERS,
    DISPUTES,
    ENDPOINTS,
    EVENTS,
    PAYMENTS,
    REFUNDS,
    SUBSCRIPTIONS,
)
from velvetrope.gateways.stripe.requests import CheckoutRequest, CustomerRequest
from velvetrope.gateways.stripe.transport import StripeTransport

if TYPE_CHECKING:
    import asyncio

    from velvetrope.gateways.stripe.pages import Page
    from velvetrope.gateways.stripe.snapshots import EventSnapshot

KEY = "sk_test_SECRETsecretSECRETsecret"
TAG = {"velvetrope_installation": "home", "telegram_user_id": "5"}
CREATED = datetime.fromtimestamp(objects.CREATED, UTC)

ANSWERS: dict[str, Json] = {
    "GET /v1/account": objects.ACCOUNT,
    "GET /v1/prices/price_1": objects.PRICE,
    "GET /v1/subscriptions/sub_1": objects.SUBSCRIPTION,
    "GET /v1/subscriptions": page(objects.SUBSCRIPTION),
    "GET /v1/checkout/sessions/cs_1": objects.SESSION,
    "GET /v1/checkout/sessions": page(objects.SESSION),
    "POST /v1/checkout/sessions": objects.SESSION,
    "GET /v1/payment_intents/pi_1": objects.INTENT,
    "GET /v1/refunds": page(),
    "GET /v1/disputes": page(),
    "GET /v1/charges/ch_1": objects.CHARGE,
    "GET /v1/invoices/in_1": objects.INVOICE,
    "GET /v1/invoice_payments": page(),
    "GET /v1/customers/cus_1": objects.CUSTOMER,
    "POST /v1/customers": objects.CUSTOMER,
    "POST /v1/billing_portal/sessions": {"id": "bps_1", "url": "https://pay.example/p/1"},
    "GET /v1/customers": page(objects.CUSTOMER),
    "GET /v1/payment_intents": page(objects.INTENT),
    "GET /v1/webhook_endpoints": page(),
    "GET /v1/events": page(objects.event(2), objects.event(1)),
}

Call = Callable[[StripeGateway], Awaitable[Any]]


FORBIDDEN: Json = {"error": {"type": "invalid_request_error", "message": "more_permissions"}}


async def ask(
    call: Call, answers: Mapping[str, Json] | None = None
) -> tuple[Any, list[hostile.Request]]:
    """Make one call against canned answers; every request is checked on its way out."""
    known = {**ANSWERS, **(answers or {})}

    async def vendor(request: hostile.Request, writer: asyncio.StreamWriter) -> None:
        found = known.get(f"{request.method} {request.path}")
        missing = {"error": {"type": "invalid_request_error", "code": "resource_missing"}}
        reply = hostile.answering(missing, 404) if found is None else hostile.answering(found)
        if found is FORBIDDEN:
            reply = hostile.answering(FORBIDDEN, 403)
        await reply(request, writer)

    async with hostile.serving(vendor) as server, aiohttp.ClientSession() as session:
        gateway = StripeGateway(KEY, base_url=server.url, http_client=StripeTransport(session))
        result = await call(gateway)
    for request in server.requests:
        check_stripe_request(request.method, request.path, request.form)
    return result, server.requests


async def events_of(gateway: StripeGateway) -> list[Any]:
    types = ("invoice.paid", "price.updated")
    found: list[Any] = []
    page: Page[EventSnapshot] | None = None
    while page is None or page.after is not None:
        after = None if page is None else page.after
        page = await gateway.fetch_page(
            EVENTS, after=after, since=CREATED, before=CREATED, types=types
        )
        found += page.members
    return found


def checkout(**changes: Any) -> CheckoutRequest:
    fields: dict[str, Any] = {
        "price_id": "price_1",
        "mode": "subscription",
        "customer": "cus_1",
        "client_reference_id": "ref-1",
        "metadata": TAG,
        "success_url": "https://t.me/door_bot?start=paid",
        "cancel_url": "https://t.me/door_bot?start=plans",
    }
    return CheckoutRequest(**{**fields, **changes})


CALLS: dict[str, Call] = {
    "account": lambda g: g.fetch_account(),
    "price": lambda g: g.fetch_price("price_1"),
    "subscription": lambda g: g.fetch_subscription("sub_1"),
    "session": lambda g: g.fetch_checkout_session("cs_1"),
    "payment": lambda g: g.fetch_payment("pi_1"),
    "customer": lambda g: g.fetch_customer("cus_1"),
    "customer's subscriptions": lambda g: g.fetch_customer_subscriptions("cus_1"),
    "invoice": lambda g: g.fetch_invoice("in_1"),
    "payment of charge": lambda g: g.fetch_payment_of_charge("ch_1"),
    "subscription of invoice": lambda g: g.fetch_subscription_of_invoice("in_1"),
    "new customer": lambda g: g.create_customer(
        CustomerRequest(metadata=TAG, name="Олена", language="uk"), "key-1"
    ),
    "new session": lambda g: g.create_checkout_session(checkout(), "key-2"),
    "portal": lambda g: g.create_portal_session("cus_1", "https://t.me/b", language="uk"),
    "events": events_of,
    "all subscriptions": lambda g: g.fetch_page(SUBSCRIPTIONS, since=CREATED),
    "customers": lambda g: g.fetch_page(CUSTOMERS),
    "sessions": lambda g: g.fetch_page(COMPLETE_SESSIONS),
    "payments": lambda g: g.fetch_page(PAYMENTS, since=CREATED, after="pi_2"),
    "refunds": lambda g: g.fetch_page(REFUNDS),
    "disputes": lambda g: g.fetch_page(DISPUTES),
    "endpoints": lambda g: g.fetch_page(ENDPOINTS),
}


@pytest.mark.parametrize("name", sorted(CALLS))
async def test_every_request_is_one_that_the_sdk_knows_at_the_pinned_version(name: str) -> None:
    _, requests = await ask(CALLS[name])
    assert requests
    for request in requests:
        assert request.headers["stripe-version"] == API_VERSION
        assert request.headers["authorization"] == f"Bearer {KEY}"
        assert not [name for name in request.headers if "telemetry" in name]


def test_the_sdk_pins_the_version_whose_shapes_are_read() -> None:
    assert stripe.api_version == API_VERSION


async def test_a_price_comes_with_its_product() -> None:
    price, (request,) = await ask(CALLS["price"])
    assert request.form == {"expand[0]": "product"}
    assert (price.unit_amount, price.currency) == (1500, "eur")
    assert (price.interval, price.interval_count) == ("month", 3)
    assert (price.product_name, price.product_active) == ("Клуб", True)


async def test_a_one_time_price_has_no_interval() -> None:
    once = {**objects.PRICE, "recurring": None, "unit_amount": None}
    price, _ = await ask(CALLS["price"], {"GET /v1/prices/price_1": once})
    assert (price.interval, price.unit_amount) == (None, None)


async def test_a_deleted_product_is_not_sold() -> None:
    gone = {"id": "prod_1", "object": "product", "deleted": True}
    price, _ = await ask(
        CALLS["price"], {"GET /v1/prices/price_1": {**objects.PRICE, "product": gone}}
    )
    assert price.product_active is False


async def test_a_subscription_runs_until_the_latest_end_of_its_items() -> None:
    found, _ = await ask(CALLS["subscription"])
    assert found.current_period_end == datetime.fromtimestamp(objects.LATEST, UTC)
    assert found.price_ids == ("price_1", "price_2")
    assert (found.customer, found.latest_invoice) == ("cus_1", "in_1")
    assert (found.ends_at, found.paused_collection) == (None, False)
    assert found.metadata == {"telegram_user_id": "5"}


@pytest.mark.parametrize(
    ("changes", "ends"),
    [
        ({"cancel_at_period_end": True}, objects.LATEST),
        ({"cancel_at": objects.LATER}, objects.LATER),
        ({"cancel_at": objects.LATER, "cancel_at_period_end": True}, objects.LATER),
        ({"cancel_at": objects.LATER, "ended_at": objects.CREATED}, objects.CREATED),
    ],
)
async def test_a_subscription_ends_as_the_portal_wrote_it_either_way(
    changes: Json, ends: int
) -> None:
    answer = {**objects.SUBSCRIPTION, **changes}
    found, _ = await ask(CALLS["subscription"], {"GET /v1/subscriptions/sub_1": answer})
    assert found.ends_at == datetime.fromtimestamp(ends, UTC)


async def test_expanded_references_are_read_as_ids() -> None:
    answer = {
        **objects.SUBSCRIPTION,
        "customer": objects.CUSTOMER,
        "latest_invoice": objects.INVOICE,
        "pause_collection": {"behavior": "void", "resumes_at": None},
        "cancellation_details": {"reason": "payment_failed"},
        "status": "something_new",
        "metadata": None,
    }
    found, _ = await ask(CALLS["subscription"], {"GET /v1/subscriptions/sub_1": answer})
    assert (found.customer, found.latest_invoice) == ("cus_1", "in_1")
    assert (found.paused_collection, found.cancel_reason) == (True, "payment_failed")
    assert (found.status, found.metadata) == ("something_new", {})


async def test_a_coupon_on_a_subscription_or_on_what_it_is_for_is_noticed() -> None:
    found, _ = await ask(CALLS["subscription"])
    assert not found.is_discounted
    item, *_ = objects.SUBSCRIPTION["items"]["data"]
    for changes in (
        {"discounts": ["di_1"]},
        {"items": {"data": [{**item, "discounts": ["di_2"]}]}},
    ):
        answer = {**objects.SUBSCRIPTION, **changes}
        found, _ = await ask(CALLS["subscription"], {"GET /v1/subscriptions/sub_1": answer})
        assert found.is_discounted


DUE = {**objects.SUBSCRIPTION, "status": "past_due"}


def invoice(status: str, finalized: int, **fields: object) -> Json:
    payment = {"payment": {"type": "payment_intent", "payment_intent": "pi_1"}}
    return {
        "id": f"in_{finalized}",
        "billing_reason": "subscription_cycle",
        "created": finalized - 3600,
        "due_date": None,
        "payments": page(payment),
        "status": status,
        "status_transitions": {"finalized_at": finalized, "paid_at": None},
        **fields,
    }


def attempt(created: int, reversed_at: int | None = None) -> Json:
    undone = None if reversed_at is None else f"txn_{reversed_at}"
    return {"id": f"ch_{created}", "created": created, "failure_balance_transaction": undone}


@pytest.mark.parametrize(
    ("invoices", "charges", "since"),
    [
        # the newest first: two renewals are due, what is before the last paid one does not count
        (
            [
                invoice("draft", 9000, status_transitions={"finalized_at": None}),
                invoice("open", 8000, billing_reason="manual"),
                invoice("open", 7000),
                invoice("uncollectible", 6000),
                invoice("paid", 5000),
                invoice("open", 4000),
            ],
            [attempt(6500), attempt(6001)],
            6000,
        ),
        # a debit comes back days after its attempt; the card of a later one does not count
        ([invoice("open", 7000)], [attempt(7900), attempt(7001, 7700)], 7700),
        ([invoice("open", 7000)], [attempt(7001), attempt(7500, 7700)], 7000),
        # the bank wanted a confirmation: there is no charge
        ([invoice("open", 7000)], [], 7000),
        # sent to be paid by hand
        ([invoice("open", 7000, due_date=7300)], [], 7300),
        ([invoice("paid", 7000)], [], None),
    ],
)
async def test_a_subscription_owes_since_the_first_failure_of_what_is_due(
    invoices: list[Json], charges: list[Json], since: int | None
) -> None:
    answers = {
        "GET /v1/subscriptions/sub_1": DUE,
        "GET /v1/invoices": page(*invoices),
        "GET /v1/charges": page(*charges),
        "GET /v1/balance_transactions/txn_7700": {"id": "txn_7700", "created": 7700},
    }
    found, _ = await ask(CALLS["subscription"], answers)
    assert found.past_due_since == (None if since is None else datetime.fromtimestamp(since, UTC))


async def test_a_key_that_may_not_see_the_balance_takes_a_debits_attempt_for_its_failure() -> None:
    answers = {
        "GET /v1/subscriptions/sub_1": DUE,
        "GET /v1/invoices": page(invoice("open", 7000)),
        "GET /v1/charges": page(attempt(7001, 7700)),
        "GET /v1/balance_transactions/txn_7700": FORBIDDEN,
    }
    found, _ = await ask(CALLS["subscription"], answers)
    assert found.past_due_since == datetime.fromtimestamp(7001, UTC)


async def test_a_payment_adds_up_what_may_undo_it() -> None:
    refunds = page(
        objects.refund("succeeded", 400),
        objects.refund("pending", 300),
        objects.refund("failed", 800),
        objects.refund("canceled", 700),
    )
    answers = {
        "GET /v1/refunds": refunds,
        "GET /v1/disputes": page(objects.DISPUTE),
        "GET /v1/invoice_payments": page({"id": "inpay_1", "invoice": "in_1", "status": "paid"}),
    }
    payment, requests = await ask(CALLS["payment"], answers)
    assert (payment.amount, payment.amount_refunded) == (1500, 700)
    assert payment.is_fully_refunded is False
    assert [(dispute.id, dispute.status) for dispute in payment.disputes] == [
        ("dp_1", "needs_response")
    ]
    assert (payment.invoice, payment.subscription, payment.session) == ("in_1", "sub_1", "cs_1")
    (asked,) = [r.form for r in requests if r.path == "/v1/invoice_payments"]
    assert asked["payment[type]"] == "payment_intent"


async def test_a_payment_refunded_in_parts_is_refunded_in_the_end() -> None:
    refunds = page(objects.refund("succeeded", 700), objects.refund("pending", 800))
    payment, _ = await ask(CALLS["payment"], {"GET /v1/refunds": refunds})
    assert payment.is_fully_refunded is True
    assert (payment.invoice, payment.subscription) == (None, None)


async def test_a_charge_without_a_payment_intent_is_no_payment_of_ours() -> None:
    payment, _ = await ask(CALLS["payment of charge"])
    assert payment.id == "pi_1"
    without = {"GET /v1/charges/ch_1": {**objects.CHARGE, "payment_intent": None}}
    payment, _ = await ask(CALLS["payment of charge"], without)
    assert payment is None


async def test_an_invoice_tells_its_subscription_and_where_to_pay() -> None:
    invoice, _ = await ask(CALLS["invoice"])
    assert (invoice.subscription, invoice.status) == ("sub_1", "open")
    assert invoice.hosted_invoice_url == "https://pay.example/i/in_1"
    assert invoice.subscription_metadata == {"telegram_user_id": "5"}
    assert (await ask(CALLS["subscription of invoice"]))[0].id == "sub_1"
    alone = {"GET /v1/invoices/in_1": {**objects.INVOICE, "parent": None}}
    assert (await ask(CALLS["subscription of invoice"], alone))[0] is None


async def test_a_deleted_customer_is_known_as_such() -> None:
    gone = {"id": "cus_1", "object": "customer", "deleted": True}
    customer, _ = await ask(CALLS["customer"], {"GET /v1/customers/cus_1": gone})
    assert (customer.deleted, customer.metadata, customer.livemode) == (True, {}, False)


async def test_an_account_has_a_name() -> None:
    account, _ = await ask(CALLS["account"])
    assert (account.id, account.name, account.country) == ("acct_1", "Клуб", "CZ")
    bare = {"GET /v1/account": {"id": "acct_1", "object": "account"}}
    assert (await ask(CALLS["account"], bare))[0].name == "acct_1"


async def test_a_customer_is_made_once_for_a_key() -> None:
    _, (request,) = await ask(CALLS["new customer"])
    assert request.headers["idempotency-key"] == "key-1"
    assert request.form["metadata[telegram_user_id]"] == "5"
    assert (request.form["name"], request.form["preferred_locales[0]"]) == ("Олена", "uk")


async def test_a_subscription_checkout_writes_its_tag_where_it_is_looked_for() -> None:
    request = checkout(
        trial_days=7,
        allow_promotion_codes=True,
        locale="ru",
        expires_at=datetime.fromtimestamp(objects.LATER, UTC),
    )
    session, (sent,) = await ask(lambda g: g.create_checkout_session(request, "key-2"))
    assert session.url == "https://pay.example/c/cs_1"
    assert sent.headers["idempotency-key"] == "key-2"
    assert sent.form["metadata[telegram_user_id]"] == "5"
    assert sent.form["subscription_data[metadata][telegram_user_id]"] == "5"
    assert sent.form["subscription_data[trial_period_days]"] == "7"
    assert sent.form["allow_promotion_codes"] == "true"
    assert sent.form["locale"] == "ru"
    assert sent.form["expires_at"] == str(objects.LATER)
    assert not [name for name in sent.form if name.startswith("payment_intent_data")]


async def test_a_one_time_checkout_writes_its_tag_where_it_is_looked_for() -> None:
    request = checkout(mode="payment", with_invoice=True, trial_days=7, locale="uk")
    _, (sent,) = await ask(lambda g: g.create_checkout_session(request, "key-3"))
    assert sent.form["payment_intent_data[metadata][telegram_user_id]"] == "5"
    assert sent.form["invoice_creation[invoice_data][metadata][telegram_user_id]"] == "5"
    assert sent.form["invoice_creation[enabled]"] == "true"
    assert sent.form["locale"] == "auto"
    assert not [name for name in sent.form if name.startswith("subscription_data")]


async def test_events_come_as_if_by_webhook() -> None:
    events, (request,) = await ask(CALLS["events"])
    assert [event.id for event in events] == ["evt_2", "evt_1"]
    assert json.loads(events[0].payload) == objects.event(2)
    assert request.form["types[1]"] == "price.updated"
    assert request.form["created[gte]"] == str(objects.CREATED)
    assert request.form["created[lt]"] == str(objects.CREATED)


async def test_a_list_is_read_to_its_end() -> None:
    async def vendor(request: hostile.Request, writer: asyncio.StreamWriter) -> None:
        after = int(request.form.get("starting_after", "evt_3").removeprefix("evt_"))
        found = page(objects.event(after - 1), has_more=after > 2)
        await hostile.answering(found)(request, writer)

    async with hostile.serving(vendor) as server, aiohttp.ClientSession() as session:
        gateway = StripeGateway(KEY, base_url=server.url, http_client=StripeTransport(session))
        events = await events_of(gateway)
    assert [event.id for event in events] == ["evt_2", "evt_1"]


async def test_a_list_that_never_ends_is_given_up() -> None:
    same = hostile.answering(page(objects.event(1), has_more=True))
    async with hostile.serving(same) as server, aiohttp.ClientSession() as session:
        gateway = StripeGateway(KEY, base_url=server.url, http_client=StripeTransport(session))
        with pytest.raises(RetryLater) as caught:
            await events_of(gateway)
    assert caught.value.code == "stripe_unavailable"
    assert len(server.requests) == 2


async def test_more_types_of_events_than_stripe_takes_are_refused() -> None:
    types = tuple(f"type.{number}" for number in range(21))
    with pytest.raises(ValueError, match="20 types"):
        await ask(lambda g: g.fetch_page(EVENTS, types=types))


async def test_a_gateway_shows_its_mode_but_not_its_key() -> None:
    async with aiohttp.ClientSession() as session:
        transport = StripeTransport(session)
        live = StripeGateway("rk_live_SECRET", base_url="http://x", http_client=transport)
        test = StripeGateway(KEY, base_url="http://x", http_client=transport)
    assert (repr(live), live.livemode) == ("StripeGateway(live mode)", True)
    assert (repr(test), test.livemode) == ("StripeGateway(test mode)", False)
