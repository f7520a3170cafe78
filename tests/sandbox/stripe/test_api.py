"""What the API refuses, repeats and lists, as the official SDK sees it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
import stripe

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.processes import Sandbox
    from tests.sandbox.stripe.shop import Shop


@pytest.fixture
async def sdk(sandbox: Sandbox, shop: Shop) -> AsyncIterator[Any]:
    client: Any = stripe.AIOHTTPClient()
    made = stripe.StripeClient(
        shop.key,
        base_addresses={"api": sandbox.stripe_url},
        max_network_retries=0,
        http_client=client,
    )
    yield made.v1
    await client.close_async()


def session_params(shop: Shop, **more: Any) -> Any:
    return {
        "mode": "subscription",
        "line_items": [{"price": shop.monthly, "quantity": 1}],
        "success_url": "https://shop.example/",
        **more,
    }


async def test_the_official_sdk_finds_everything_it_asks_for(sdk: Any, shop: Shop) -> None:
    assert (await sdk.accounts.retrieve_current_async()).id == shop.id
    price = await sdk.prices.retrieve_async(shop.monthly, {"expand": ["product"]})
    assert (price.unit_amount, price.product.name) == (990, "The Back Room")
    made = await sdk.checkout.sessions.create_async(session_params(shop))
    assert made.url.endswith(f"/checkout/{made.id}")
    paid = shop.pay(made.to_dict())
    assert (await sdk.subscriptions.retrieve_async(paid["subscription"])).status == "active"
    found = await sdk.invoice_payments.list_async({"invoice": paid["invoice"]})
    intent = found.data[0].payment.payment_intent
    payment = {"type": "payment_intent", "payment_intent": intent}
    back = await sdk.invoice_payments.list_async({"payment": payment})
    assert back.data[0].invoice == paid["invoice"]
    portal = await sdk.billing_portal.sessions.create_async(
        {"customer": paid["customer"], "return_url": "https://shop.example/", "locale": "ru"}
    )
    assert portal.url.endswith(f"/portal/{portal.id}")


@pytest.mark.parametrize(
    ("change", "code", "param"),
    [
        ({"payment_method_types": ["card"]}, "parameter_unknown", "payment_method_types"),
        ({"line_items": [{"prise": "x"}]}, "parameter_unknown", "line_items[0][prise]"),
        ({"line_items": [{"price": "price_x", "quantity": 1}]}, "resource_missing", None),
        ({"line_items": []}, "parameter_missing", "line_items"),
        ({"mode": None}, "parameter_missing", "mode"),
        ({"mode": "gift"}, None, "mode"),
        ({"locale": "uk"}, None, "locale"),
        ({"expires_at": "soon"}, "parameter_invalid_integer", "expires_at"),
        ({"expires_at": int(time.time()) + 60}, None, "expires_at"),
        ({"expires_at": int(time.time()) + 90_000 * 1000}, None, "expires_at"),
        ({"customer": "cus_x"}, "resource_missing", "customer"),
        ({"payment_intent_data": {"metadata": {"a": "b"}}}, None, "payment_intent_data"),
        ({"metadata": {"a": "x" * 501}}, None, "metadata"),
        ({"success_url": "nowhere"}, "url_invalid", "success_url"),
        ({"allow_promotion_codes": "perhaps"}, None, "allow_promotion_codes"),
        ({"subscription_data": {"trial_period_days": 0}}, None, "subscription_data[trial_period_"),
    ],
)
async def test_a_wrong_session_is_refused_with_stripes_words(
    sdk: Any, shop: Shop, change: dict[str, Any], code: str | None, param: str | None
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        await sdk.checkout.sessions.create_async(session_params(shop, **change))
    assert refusal.value.code == code
    assert param is None or str(refusal.value.param).startswith(param)
    assert refusal.value.request_id


async def test_what_does_not_exist_is_a_404(sdk: Any) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        await sdk.subscriptions.retrieve_async("sub_x")
    assert (refusal.value.http_status, refusal.value.code) == (404, "resource_missing")
    assert "No such subscription: 'sub_x'" in str(refusal.value)


def test_an_unknown_address_is_a_404(shop: Shop) -> None:
    answer = shop.call("GET", "gifts")
    assert answer.status_code == 404
    assert "Unrecognized request URL" in answer.json()["error"]["message"]


def test_strangers_keys_are_refused_and_not_shown(shop: Shop) -> None:
    for key in ("sk_test_stranger_0123456789", "sk_live_0123456789abcdef", ""):
        headers = {"Authorization": f"Bearer {key}"} if key else {"Authorization": ""}
        answer = shop.http.get("/v1/account", headers=headers)
        assert answer.status_code == 401
        assert key == "" or key not in answer.text
    assert shop.key not in shop.http.get("/control/calls", params={"limit": 5000}).text


def test_basic_authentication_works_too(shop: Shop) -> None:
    answer = shop.http.get("/v1/account", auth=(shop.key, ""))
    assert answer.json()["id"] == shop.id


def test_accounts_do_not_see_each_other(shop: Shop, sandbox: Sandbox) -> None:
    other = type(shop)(sandbox.stripe)
    assert other.call("GET", f"prices/{shop.monthly}").status_code == 404
    assert {row["id"] for row in other.get("prices")["data"]} == {other.monthly, other.once}


async def test_the_same_key_and_parameters_give_the_stored_answer(sdk: Any, shop: Shop) -> None:
    options = {"idempotency_key": f"{shop.id}-1"}
    first = await sdk.checkout.sessions.create_async(session_params(shop), options)
    again = await sdk.checkout.sessions.create_async(session_params(shop), options)
    assert first.id == again.id
    assert again.last_response.headers["Idempotent-Replayed"] == "true"
    other = session_params(shop, client_reference_id="7")
    with pytest.raises(stripe.IdempotencyError):
        await sdk.checkout.sessions.create_async(other, options)


async def test_a_stored_failure_is_repeated_and_a_refusal_is_not(sdk: Any, shop: Shop) -> None:
    options = {"idempotency_key": f"{shop.id}-2"}
    shop.control("faults", fail_next={"match": "POST /v1/checkout/sessions", "status": 500})
    replayed = []
    for _ in range(2):
        with pytest.raises(stripe.APIError) as failure:
            await sdk.checkout.sessions.create_async(session_params(shop), options)
        replayed.append("idempotent-replayed" in (failure.value.headers or {}))
    assert replayed == [False, True]
    options = {"idempotency_key": f"{shop.id}-3"}
    with pytest.raises(stripe.InvalidRequestError):
        await sdk.checkout.sessions.create_async(session_params(shop, foo=1), options)
    assert (await sdk.checkout.sessions.create_async(session_params(shop), options)).id


async def test_a_key_is_forgotten_after_a_day(sdk: Any, shop: Shop) -> None:
    options = {"idempotency_key": f"{shop.id}-4"}
    first = await sdk.customers.create_async({"email": "a@example.com"}, options)
    shop.advance(25 * 3600)
    second = await sdk.customers.create_async({"email": "a@example.com"}, options)
    assert first.id != second.id


async def test_faults_come_as_the_sdk_knows_them(sdk: Any, shop: Shop) -> None:
    rules = [
        {"match": "GET /v1/prices/*", "status": 429, "retry_after": 3},
        {"match": "GET /v1/prices/*", "status": 502, "body": "<html>Bad gateway</html>"},
    ]
    shop.control("faults", fail_next=rules)
    with pytest.raises(stripe.RateLimitError) as limited:
        await sdk.prices.retrieve_async(shop.monthly)
    assert (limited.value.headers or {})["retry-after"] == "3"
    with pytest.raises(stripe.APIError, match="Invalid response body"):
        await sdk.prices.retrieve_async(shop.monthly)
    assert (await sdk.prices.retrieve_async(shop.monthly)).id == shop.monthly


async def test_a_lost_answer_has_done_its_work(sandbox: Sandbox, shop: Shop) -> None:
    shop.control("faults", fail_next={"match": "POST /v1/customers", "lose_answer": True})
    headers = {"Authorization": f"Bearer {shop.key}", "Idempotency-Key": "lost"}
    form = {"email": "lost@example.com"}
    async with aiohttp.ClientSession(headers=headers) as session:
        with pytest.raises(aiohttp.ClientError):
            await session.post(f"{sandbox.stripe_url}/v1/customers", data=form)
        async with session.post(f"{sandbox.stripe_url}/v1/customers", data=form) as answer:
            made = await answer.json()
    assert [row["id"] for row in shop.get("customers")["data"]] == [made["id"]]


def test_lists_turn_pages_in_both_directions(shop: Shop) -> None:
    made = [shop.post("customers", email=f"{n}@example.com")["id"] for n in range(5)]
    newest = list(reversed(made))
    first = shop.get("customers", limit=2)
    assert ([row["id"] for row in first["data"]], first["has_more"]) == (newest[:2], True)
    second = shop.get("customers", limit=2, starting_after=newest[1])
    assert [row["id"] for row in second["data"]] == newest[2:4]
    last = shop.get("customers", limit=2, starting_after=newest[3])
    assert ([row["id"] for row in last["data"]], last["has_more"]) == (newest[4:], False)
    back = shop.get("customers", limit=2, ending_before=newest[4])
    assert [row["id"] for row in back["data"]] == newest[2:4]
    assert shop.call("GET", "customers", limit=101).status_code == 400


async def test_the_sdk_pages_through_events_by_type_and_time(sdk: Any, shop: Shop) -> None:
    for number in range(12):
        shop.post("customers", email=f"{number}@example.com")
    params = {"types": ["customer.created", "price.created"], "limit": 5}
    found = await sdk.events.list_async(params)
    types = [event.type async for event in found.auto_paging_iter()]
    assert types == ["customer.created"] * 12 + ["price.created"] * 2
    later = int(time.time()) + 10**9
    empty = await sdk.events.list_async({"created": {"gte": later}})
    assert empty.data == []


def test_events_are_kept_for_thirty_days(shop: Shop) -> None:
    old = shop.get("events")["data"][0]["id"]
    shop.advance(31 * 86400)
    shop.post("customers", email="new@example.com")
    assert [row["type"] for row in shop.get("events")["data"]] == ["customer.created"]
    assert shop.call("GET", f"events/{old}").status_code == 404


def test_metadata_is_merged_and_emptied(shop: Shop) -> None:
    made = shop.post("customers", **{"metadata[a]": "1", "metadata[b]": "2"})
    changed = shop.post(f"customers/{made['id']}", **{"metadata[a]": "", "metadata[c]": "3"})
    assert changed["metadata"] == {"b": "2", "c": "3"}
    assert shop.post(f"customers/{made['id']}", metadata="")["metadata"] == {}


def test_what_was_asked_is_recorded(shop: Shop) -> None:
    last = shop.http.get("/control/calls").json()["last"]
    shop.get("prices", limit=1)
    calls = shop.http.get("/control/calls", params={"after": last}).json()["calls"]
    assert [(c["method"], c["path"], c["params"], c["status"]) for c in calls] == [
        ("GET", "/v1/prices", {"limit": 1}, 200)
    ]
