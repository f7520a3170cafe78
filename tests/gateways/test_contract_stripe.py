"""The whole surface of the gateway against the simulated Stripe: both agree about the vendor."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import aiohttp
import msgspec
import pytest

from tests.gateways.wire import check_calls_of
from tests.processes import Sandbox
from velvetrope.domain.errors import NeedsOperator, Permanent, RetryLater, VelvetError
from velvetrope.gateways.stripe.events import peek_event
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
from velvetrope.gateways.stripe.transport import StripeTimeouts, StripeTransport

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Iterator

    from velvetrope.gateways.stripe.pages import Page
    from velvetrope.gateways.stripe.snapshots import CheckoutSessionSnapshot, EventSnapshot

TAG = {"velvetrope_installation": "home", "telegram_user_id": "5"}
DAY = 86_400


class Shop(msgspec.Struct):
    """An account with a monthly price and one paid once."""

    sandbox: Sandbox
    key: str
    account: str
    monthly: str
    once: str

    def control(self, path: str, **body: object) -> Any:
        answer = self.sandbox.stripe.post(f"/control/{path}", json=body)
        assert answer.is_success, answer.text
        return answer.json()


@pytest.fixture
def shop(sandbox: Sandbox) -> Iterator[Shop]:
    def post(path: str, **body: object) -> Any:
        return sandbox.stripe.post(f"/control/{path}", json=body).raise_for_status().json()

    post("faults", reset=True)
    account = post("accounts", name="Клуб")
    prices = [{"amount": 1500, "interval": "month", "interval_count": 3}, {"amount": 4900}]
    catalog = post("catalog", account=account["key"], products=[{"name": "Клуб", "prices": prices}])
    monthly, once = (price["id"] for price in catalog["products"][0]["prices"])
    yield Shop(sandbox, account["key"], account["id"], monthly, once)
    post("faults", reset=True)


@pytest.fixture
async def gateway(shop: Shop) -> AsyncIterator[StripeGateway]:
    async with aiohttp.ClientSession() as session:
        timeout = StripeTimeouts(connect=2, read=0.7, total=5)
        transport = StripeTransport(session, timeout=timeout)
        yield StripeGateway(shop.key, base_url=shop.sandbox.stripe_url, http_client=transport)


@pytest.fixture(scope="module", autouse=True)
def second_opinion(sandbox: Sandbox) -> Iterator[None]:
    """Put every request of this module before the SDK's parameter types."""
    yield
    assert check_calls_of(sandbox) > 50


async def _refusal(call: Awaitable[object], kind: type[VelvetError], code: str) -> VelvetError:
    with pytest.raises(VelvetError) as caught:
        await call
    assert (type(caught.value), caught.value.code) == (kind, code), caught.value
    return caught.value


async def _customer(gateway: StripeGateway) -> str:
    request = CustomerRequest(metadata=TAG, name="Олена", language="uk")
    return (await gateway.create_customer(request, uuid4().hex)).id


async def _session(gateway: StripeGateway, price: str, **more: Any) -> CheckoutSessionSnapshot:
    fields = {"mode": "subscription", "customer": await _customer(gateway), **more}
    request = CheckoutRequest(
        price_id=price,
        client_reference_id="ref-1",
        metadata=TAG,
        success_url="https://t.me/door_bot?start=paid",
        cancel_url="https://t.me/door_bot?start=plans",
        **fields,
    )
    return await gateway.create_checkout_session(request, uuid4().hex)


async def _paid(
    gateway: StripeGateway, shop: Shop, price: str, card: str = "good", **more: Any
) -> CheckoutSessionSnapshot:
    session = await _session(gateway, price, **more)
    shop.control(f"checkouts/{session.id}/pay", card=card)
    return await gateway.fetch_checkout_session(session.id)


async def _payment_of(gateway: StripeGateway, shop: Shop) -> str:
    session = await _paid(gateway, shop, shop.once, mode="payment")
    assert session.payment_intent is not None
    return session.payment_intent


async def test_an_account_tells_who_it_is(gateway: StripeGateway, shop: Shop) -> None:
    account = await gateway.fetch_account()
    assert (account.id, account.name, account.livemode) == (shop.account, "Клуб", False)


async def test_prices_come_with_their_products(gateway: StripeGateway, shop: Shop) -> None:
    monthly, once = await gateway.fetch_price(shop.monthly), await gateway.fetch_price(shop.once)
    assert (monthly.unit_amount, monthly.currency) == (1500, "eur")
    assert (monthly.interval, monthly.interval_count) == ("month", 3)
    assert (monthly.product_name, monthly.product_active, monthly.active) == ("Клуб", True, True)
    assert (once.interval, once.unit_amount) == (None, 4900)
    shop.control(f"prices/{shop.once}", active=False)
    assert (await gateway.fetch_price(shop.once)).active is False


async def test_a_customer_is_made_once_for_a_key(gateway: StripeGateway) -> None:
    request, key = CustomerRequest(metadata=TAG), uuid4().hex
    first = await gateway.create_customer(request, key)
    again = await gateway.create_customer(request, key)
    assert first.id == again.id
    assert (await gateway.fetch_customer(first.id)).metadata == TAG
    other = gateway.create_customer(CustomerRequest(metadata=TAG, name="Інша"), key)
    await _refusal(other, Permanent, "stripe_invalid_request")


async def test_a_deleted_customer_is_known_as_such(gateway: StripeGateway, shop: Shop) -> None:
    customer = await _customer(gateway)
    shop.control(f"customers/{customer}/delete")
    assert (await gateway.fetch_customer(customer)).deleted is True


async def test_an_open_session_has_an_address_and_can_be_closed(
    gateway: StripeGateway, shop: Shop
) -> None:
    now = datetime.fromtimestamp(shop.sandbox.stripe.get("/control/clock").json()["now"], UTC)
    expires = (now + timedelta(hours=2)).replace(microsecond=0)
    session = await _session(
        gateway, shop.monthly, expires_at=expires, allow_promotion_codes=True, locale="ru"
    )
    assert (session.status, session.payment_status, session.mode) == (
        "open",
        "unpaid",
        "subscription",
    )
    assert session.url is not None
    assert (session.expires_at, session.metadata) == (expires, TAG)
    assert (session.client_reference_id, session.amount_total) == ("ref-1", 1500)
    assert (session.subscription, session.payment_intent) == (None, None)


async def test_a_paid_session_leads_to_a_subscription_with_its_tag(
    gateway: StripeGateway, shop: Shop
) -> None:
    session = await _paid(gateway, shop, shop.monthly)
    assert (session.status, session.payment_status) == ("complete", "paid")
    assert session.subscription is not None
    found = await gateway.fetch_subscription(session.subscription)
    assert (found.status, found.metadata, found.price_ids) == ("active", TAG, (shop.monthly,))
    assert found.customer == session.customer
    assert found.current_period_end is not None
    assert found.current_period_end - found.created > timedelta(days=88)
    assert (found.ends_at, found.paused_collection, found.trial_end) == (None, False, None)
    assert found.latest_invoice is not None
    invoice = await gateway.fetch_invoice(found.latest_invoice)
    assert (invoice.status, invoice.amount_paid) == ("paid", 1500)
    assert (invoice.subscription, invoice.subscription_metadata) == (found.id, TAG)
    of_invoice = await gateway.fetch_subscription_of_invoice(found.latest_invoice)
    assert of_invoice == found
    assert found.invoice == invoice
    assert (invoice.reason, invoice.paid_at is not None) == ("subscription_create", True)
    assert str(invoice.hosted_invoice_url).startswith("http")
    listed = msgspec.structs.replace(found, invoice=None)
    assert await gateway.fetch_customer_subscriptions(found.customer) == (listed,)
    assert (await gateway.fetch_page(SUBSCRIPTIONS)).members == (listed,)


async def test_a_trial_needs_no_payment_yet(gateway: StripeGateway, shop: Shop) -> None:
    session = await _paid(gateway, shop, shop.monthly, trial_days=7)
    assert session.payment_status in {"paid", "no_payment_required"}
    assert session.subscription is not None
    found = await gateway.fetch_subscription(session.subscription)
    assert found.status == "trialing"
    assert found.trial_end is not None
    assert timedelta(days=6) < found.trial_end - found.created < timedelta(days=8)


@pytest.mark.parametrize("how", ["at_period_end", "cancel_at"])
async def test_a_cancellation_has_an_end_either_way(
    gateway: StripeGateway, shop: Shop, how: str
) -> None:
    session = await _paid(gateway, shop, shop.monthly)
    subscription = str(session.subscription)
    shop.control(f"subscriptions/{subscription}", cancel=how)
    found = await gateway.fetch_subscription(subscription)
    assert (found.status, found.ends_at) == ("active", found.current_period_end)
    shop.control(f"subscriptions/{subscription}", cancel="undo")
    assert (await gateway.fetch_subscription(subscription)).ends_at is None
    shop.control(f"subscriptions/{subscription}", cancel="now")
    ended = await gateway.fetch_subscription(subscription)
    assert (ended.status, ended.cancel_reason) == ("canceled", "cancellation_requested")
    assert ended.ends_at is not None
    assert [one.id for one in await gateway.fetch_customer_subscriptions(ended.customer)] == [
        subscription
    ]


async def test_collection_is_paused_without_a_change_of_status(
    gateway: StripeGateway, shop: Shop
) -> None:
    session = await _paid(gateway, shop, shop.monthly)
    shop.control(f"subscriptions/{session.subscription}", pause_collection="void")
    found = await gateway.fetch_subscription(str(session.subscription))
    assert (found.status, found.paused_collection) == ("active", True)
    shop.control(f"subscriptions/{session.subscription}", status="something_new")
    found = await gateway.fetch_subscription(str(session.subscription))
    assert found.status == "something_new"


async def test_a_one_time_payment_has_its_session_and_tag(
    gateway: StripeGateway, shop: Shop
) -> None:
    session = await _paid(gateway, shop, shop.once, mode="payment", with_invoice=True)
    assert (session.payment_status, session.subscription) == ("paid", None)
    payment = await gateway.fetch_payment(str(session.payment_intent))
    assert (payment.status, payment.metadata, payment.customer) == (
        "succeeded",
        TAG,
        session.customer,
    )
    assert (payment.amount, payment.amount_received, payment.amount_refunded) == (4900, 4900, 0)
    assert (payment.session, payment.subscription) == (session.id, None)
    assert str(payment.receipt_url).startswith("http")
    assert payment.invoice is not None
    assert await gateway.fetch_subscription_of_invoice(payment.invoice) is None


async def test_a_payment_of_a_subscription_leads_back_to_it(
    gateway: StripeGateway, shop: Shop
) -> None:
    session = await _paid(gateway, shop, shop.monthly)
    state = shop.sandbox.stripe.get("/control/state", params={"account": shop.key}).json()
    (intent,) = state["payments"]
    payment = await gateway.fetch_payment(intent["id"])
    assert payment.subscription == session.subscription
    assert payment.invoice is not None


async def test_refunds_add_up_until_they_fail(gateway: StripeGateway, shop: Shop) -> None:
    intent = await _payment_of(gateway, shop)
    shop.control(f"payments/{intent}/refund", amount=900)
    payment = await gateway.fetch_payment(intent)
    assert (payment.amount_refunded, payment.is_fully_refunded) == (900, False)
    rest = shop.control(f"payments/{intent}/refund", outcome="pending")
    payment = await gateway.fetch_payment(intent)
    assert (payment.amount_refunded, payment.is_fully_refunded) == (4900, True)
    shop.control(f"refunds/{rest['id']}", status="failed")
    payment = await gateway.fetch_payment(intent)
    assert (payment.amount_refunded, payment.is_fully_refunded) == (900, False)


async def test_a_dispute_is_seen_from_every_side(gateway: StripeGateway, shop: Shop) -> None:
    intent = await _payment_of(gateway, shop)
    dispute = shop.control(f"payments/{intent}/dispute")
    by_charge = await gateway.fetch_payment_of_charge(dispute["charge"])
    assert by_charge == await gateway.fetch_payment(intent)
    assert [(one.id, one.status) for one in by_charge.disputes] == [
        (dispute["id"], "needs_response")
    ]
    shop.control(f"disputes/{dispute['id']}", status="won")
    payment = await gateway.fetch_payment(intent)
    assert [one.status for one in payment.disputes] == ["won"]


async def test_a_delayed_payment_is_not_paid_until_it_comes_in(
    gateway: StripeGateway, shop: Shop
) -> None:
    session = await _paid(gateway, shop, shop.once, card="delayed", mode="payment")
    assert (session.status, session.payment_status) == ("complete", "unpaid")
    payment = await gateway.fetch_payment(str(session.payment_intent))
    assert (payment.status, payment.amount_received) == ("processing", 0)
    shop.control(f"payments/{session.payment_intent}/settle", succeeded=True)
    paid = await gateway.fetch_checkout_session(session.id)
    assert paid.payment_status == "paid"


async def test_a_failed_renewal_shows_where_to_pay(gateway: StripeGateway, shop: Shop) -> None:
    session = await _paid(gateway, shop, shop.monthly, card="good")
    shop.control(f"customers/{session.customer}/card", card="declines_later")
    shop.control("clock", seconds=100 * DAY)
    found = await gateway.fetch_subscription(str(session.subscription))
    assert found.status in {"past_due", "canceled", "unpaid"}
    assert found.latest_invoice is not None
    invoice = await gateway.fetch_invoice(found.latest_invoice)
    assert invoice.attempt_count > 0
    assert invoice.hosted_invoice_url is not None
    assert not invoice.needs_action


async def test_a_renewal_that_waits_for_the_customer_says_so(
    gateway: StripeGateway, shop: Shop
) -> None:
    session = await _paid(gateway, shop, shop.monthly, card="good")
    shop.control(f"customers/{session.customer}/card", card="needs_action")
    shop.control("clock", seconds=93 * DAY)
    found = await gateway.fetch_subscription(str(session.subscription))
    assert found.status == "past_due"
    assert found.invoice is not None
    assert found.invoice.needs_action


async def test_a_subscription_owes_since_its_first_failure_whatever_was_tried_since(
    gateway: StripeGateway, shop: Shop
) -> None:
    session = await _paid(gateway, shop, shop.monthly, card="good")
    key = str(session.subscription)
    renewal = (await gateway.fetch_subscription(key)).current_period_end
    assert renewal is not None
    await _wait_until(shop, renewal - timedelta(days=1))
    shop.control(f"customers/{session.customer}/card", card="declines_later")
    await _wait_until(shop, renewal + timedelta(hours=2))
    first = await gateway.fetch_subscription(key)
    assert first.status == "past_due"
    since = first.past_due_since
    assert since is not None
    assert renewal <= since <= renewal + timedelta(hours=2)
    shop.control("clock", seconds=4 * DAY)
    again = await gateway.fetch_subscription(key)
    assert (again.status, again.past_due_since) == ("past_due", since)
    shop.control(f"customers/{session.customer}/card", card="good")
    shop.control("clock", seconds=6 * DAY)
    assert (await gateway.fetch_subscription(key)).status == "active"
    shop.control(f"customers/{session.customer}/card", card="declines_later")
    shop.control("clock", seconds=90 * DAY)
    later = await gateway.fetch_subscription(key)
    assert later.status == "past_due"
    assert later.past_due_since is not None
    assert later.past_due_since > since + timedelta(days=80)


async def test_a_debit_that_comes_back_fails_when_it_came_back(
    gateway: StripeGateway, shop: Shop
) -> None:
    session = await _paid(gateway, shop, shop.monthly, card="good")
    key = str(session.subscription)
    renewal = (await gateway.fetch_subscription(key)).current_period_end
    assert renewal is not None
    await _wait_until(shop, renewal - timedelta(days=1))
    shop.control(f"customers/{session.customer}/card", card="delayed_fails")
    await _wait_until(shop, renewal + timedelta(hours=2))
    assert (await gateway.fetch_subscription(key)).status == "active"
    found = await gateway.fetch_subscription(key)
    while found.status == "active":
        shop.control("clock", seconds=DAY / 4)
        found = await gateway.fetch_subscription(key)
    assert found.past_due_since is not None
    assert found.past_due_since > renewal + timedelta(days=1)


async def _wait_until(shop: Shop, moment: datetime) -> None:
    now = shop.sandbox.stripe.get("/control/clock").json()["now"]
    shop.control("clock", seconds=moment.timestamp() - now)


async def test_the_portal_has_an_address(gateway: StripeGateway) -> None:
    customer = await _customer(gateway)
    url = await gateway.create_portal_session(customer, "https://t.me/door_bot", language="uk")
    assert url.startswith("http")


async def test_events_are_listed_as_they_were_sent(gateway: StripeGateway, shop: Shop) -> None:
    clock = shop.sandbox.stripe.get("/control/clock").json()
    since = datetime.fromtimestamp(clock["now"] - 60, UTC)
    session = await _paid(gateway, shop, shop.monthly)
    types = ("checkout.session.completed", "invoice.paid", "customer.subscription.created")
    events = (await gateway.fetch_page(EVENTS, since=since, types=types)).members
    assert sorted(event.type for event in events) == sorted(types)
    for event in events:
        peek = peek_event(event.payload)
        assert (peek.id, peek.type, peek.api_version) == (event.id, event.type, API_VERSION)
        assert peek.lane == session.customer
        assert json.loads(event.payload)["object"] == "event"
    later = since + timedelta(days=1)
    assert (await gateway.fetch_page(EVENTS, since=later, types=types)).members == ()


async def test_long_lists_are_read_to_their_end(gateway: StripeGateway, shop: Shop) -> None:
    clock = shop.sandbox.stripe.get("/control/clock").json()
    since = datetime.fromtimestamp(clock["now"] - 60, UTC)
    for number in range(130):
        shop.control(
            "events",
            account=shop.key,
            type="price.updated",
            object={"id": f"price_{number}", "object": "price"},
        )
    found: list[str] = []
    page: Page[EventSnapshot] | None = None
    while page is None or page.after is not None:
        after = None if page is None else page.after
        page = await gateway.fetch_page(EVENTS, after=after, since=since, types=("price.updated",))
        found += [event.id for event in page.members]
    assert len(found) == len(set(found)) == 130


async def test_lists_of_an_account_tell_whose_what_is(gateway: StripeGateway, shop: Shop) -> None:
    bought = await _paid(gateway, shop, shop.once, mode="payment")
    assert bought.payment_intent is not None
    assert bought in (await gateway.fetch_page(COMPLETE_SESSIONS)).members
    [payment] = (await gateway.fetch_page(PAYMENTS)).members
    assert (payment.id, payment.status, payment.metadata) == (
        bought.payment_intent,
        "succeeded",
        TAG,
    )
    [customer] = (await gateway.fetch_page(CUSTOMERS)).members
    assert (customer.id, customer.metadata, customer.name) == (bought.customer, TAG, "Олена")
    assert customer.created is not None
    assert (await gateway.fetch_page(REFUNDS)).members == ()
    shop.control(f"payments/{payment.id}/refund", amount=100)
    [refund] = (await gateway.fetch_page(REFUNDS)).members
    assert (refund.payment_intent, refund.status) == (payment.id, "succeeded")
    shop.control(f"payments/{payment.id}/dispute")
    [dispute] = (await gateway.fetch_page(DISPUTES)).members
    assert (dispute.payment_intent, dispute.status) == (payment.id, "needs_response")


async def test_webhook_endpoints_tell_where_they_lead(gateway: StripeGateway, shop: Shop) -> None:
    assert (await gateway.fetch_page(ENDPOINTS)).members == ()
    made = shop.control(
        "webhook_endpoints", account=shop.key, url="https://door.example/stripe/bots/webhooks"
    )
    [endpoint] = (await gateway.fetch_page(ENDPOINTS)).members
    assert (endpoint.id, endpoint.url, endpoint.is_enabled) == (made["id"], made["url"], True)
    assert (endpoint.types, endpoint.api_version) == (("*",), made["api_version"])


async def test_what_is_not_there_is_not_found(gateway: StripeGateway, shop: Shop) -> None:
    for call in (
        gateway.fetch_price("price_none"),
        gateway.fetch_subscription("sub_none"),
        gateway.fetch_checkout_session("cs_none"),
        gateway.fetch_payment("pi_none"),
        gateway.fetch_customer("cus_none"),
        gateway.fetch_invoice("in_none"),
        gateway.fetch_payment_of_charge("ch_none"),
    ):
        await _refusal(call, Permanent, "stripe_not_found")
    gone = await _refusal(
        _session(gateway, shop.monthly, customer="cus_none"), Permanent, "stripe_not_found"
    )
    assert gone.data["param"] == "customer"


async def test_what_stripe_refuses_is_refused(gateway: StripeGateway, shop: Shop) -> None:
    archived = shop.monthly
    shop.control(f"prices/{archived}", active=False)
    refused = await _refusal(_session(gateway, archived), Permanent, "stripe_invalid_request")
    assert refused.data["message"]


async def test_a_key_that_is_not_known_needs_the_operator(shop: Shop) -> None:
    async with aiohttp.ClientSession() as session:
        stranger = StripeGateway(
            "sk_test_unknown0123456789",
            base_url=shop.sandbox.stripe_url,
            http_client=StripeTransport(session),
        )
        await _refusal(stranger.fetch_account(), NeedsOperator, "stripe_key_invalid")


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ({"status": 429, "retry_after": 7}, "stripe_rate_limited"),
        ({"status": 500}, "stripe_unavailable"),
        ({"status": 503, "body": "<html>Bad Gateway</html>"}, "stripe_unavailable"),
        # Twice, for aiohttp asks again by itself once if a GET's connection was dropped.
        ({"lose_answer": True, "count": 2}, "stripe_unavailable"),
        ({"delay": 1.0}, "stripe_timeout"),
    ],
)
async def test_faults_have_their_kinds(
    gateway: StripeGateway, shop: Shop, rule: dict[str, object], code: str
) -> None:
    shop.control("faults", fail_next={"match": "GET /v1/account", **rule})
    error = await _refusal(gateway.fetch_account(), RetryLater, code)
    if code == "stripe_rate_limited":
        assert isinstance(error, RetryLater)
        assert error.retry_after == 7
    assert (await gateway.fetch_account()).id == shop.account


async def test_a_lost_answer_is_given_again_for_the_same_key(
    gateway: StripeGateway, shop: Shop
) -> None:
    shop.control("faults", fail_next={"match": "POST /v1/customers", "lose_answer": True})
    request, key = CustomerRequest(metadata=TAG), uuid4().hex
    await _refusal(gateway.create_customer(request, key), RetryLater, "stripe_unavailable")
    customer = await gateway.create_customer(request, key)
    state = shop.sandbox.stripe.get("/control/state", params={"account": shop.key}).json()
    assert [one["id"] for one in state["customers"]] == [customer.id]


async def test_a_failure_is_remembered_for_its_key_and_says_so(
    gateway: StripeGateway, shop: Shop
) -> None:
    shop.control("faults", fail_next={"match": "POST /v1/customers", "status": 500})
    request, key = CustomerRequest(metadata=TAG), uuid4().hex
    first = await _refusal(gateway.create_customer(request, key), RetryLater, "stripe_unavailable")
    again = await _refusal(gateway.create_customer(request, key), RetryLater, "stripe_unavailable")
    assert (first.data["replayed"], again.data["replayed"]) == (False, True)
    assert (await gateway.create_customer(request, uuid4().hex)).metadata == TAG
