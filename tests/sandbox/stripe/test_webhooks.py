"""Webhooks as an endpoint gets them: signed, filtered, repeated, and broken on purpose."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import stripe

from tests.processes import eventually
from tests.sandbox.stripe.shop import receiving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.sandbox.stripe.shop import Json, Receiver, Shop


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as running:
        yield running


def listen(shop: Shop, receiver: Receiver, *types: str, **more: str) -> Json:
    form = {f"enabled_events[{n}]": name for n, name in enumerate(types or ("*",))}
    return shop.post("webhook_endpoints", url=receiver.url, **form, **more)


def types_of(received: list[tuple[str, bytes]]) -> list[str]:
    return [json.loads(body)["type"] for _, body in received]


def verify(shop: Shop, received: tuple[str, bytes], secret: str) -> stripe.Event:
    header, body = received
    client = stripe.StripeClient(shop.key)
    return client.construct_event(body, header, secret)


def test_an_event_is_signed_as_the_sdk_verifies_it(shop: Shop, receiver: Receiver) -> None:
    endpoint = listen(shop, receiver)
    shop.post("customers", email="a@example.com")
    received = receiver.wait_for(1)[0]
    assert verify(shop, received, endpoint["secret"]).type == "customer.created"
    assert "secret" not in shop.get(f"webhook_endpoints/{endpoint['id']}")
    with pytest.raises(stripe.SignatureVerificationError):
        verify(shop, received, "whsec_other")


def test_only_wanted_types_arrive(shop: Shop, receiver: Receiver) -> None:
    listen(shop, receiver, "customer.deleted")
    made = shop.post("customers", email="a@example.com")
    shop.call("DELETE", f"customers/{made['id']}")
    assert types_of(receiver.wait_for(1)) == ["customer.deleted"]


def test_a_refused_event_comes_again_and_the_attempts_are_recorded(
    shop: Shop, receiver: Receiver
) -> None:
    shop.control("faults", reset=True, retry_scale=0.01)
    endpoint = listen(shop, receiver, "customer.created")
    receiver.answers.extend([500, 302])
    shop.post("customers", email="a@example.com")
    received = receiver.wait_for(3)
    assert len({body for _, body in received}) == 1

    def attempts() -> list[Json]:
        rows = shop.http.get("/control/deliveries", params={"limit": 5000}).json()["deliveries"]
        return [row for row in rows if row["endpoint"] == endpoint["id"]]

    eventually(lambda: len(attempts()) == 3)
    assert [row["status"] for row in attempts()] == [500, 302, 200]
    shop.control("faults", reset=True)


def test_time_that_leaps_brings_the_next_attempt(shop: Shop, receiver: Receiver) -> None:
    listen(shop, receiver, "customer.created")
    receiver.answers.extend([500, 500, 500])
    shop.post("customers", email="a@example.com")
    receiver.wait_for(1)
    for count in (2, 3, 4):
        shop.advance(100)
        receiver.wait_for(count)


def test_a_rolled_secret_signs_beside_the_old_one_for_a_day(shop: Shop, receiver: Receiver) -> None:
    endpoint = listen(shop, receiver, "customer.created")
    rolled = shop.control(f"webhook_endpoints/{endpoint['id']}/roll")
    shop.post("customers", email="a@example.com")
    header, body = receiver.wait_for(1)[0]
    assert header.count("v1=") == 2
    for secret in (endpoint["secret"], rolled["secret"]):
        assert stripe.WebhookSignature.verify_header(body, header, secret)
    shop.advance(25 * 3600)
    shop.post("customers", email="b@example.com")
    header, _ = receiver.wait_for(2)[1]
    assert header.count("v1=") == 1


def test_copies_and_losses_can_be_asked_for(shop: Shop, receiver: Receiver) -> None:
    listen(shop, receiver, "customer.created")
    shop.control("faults", reset=True, duplicates=3)
    shop.post("customers", email="a@example.com")
    assert len({json.loads(body)["id"] for _, body in receiver.wait_for(3)}) == 1
    shop.control("faults", reset=True, drop=1)
    lost = shop.post("customers", email="b@example.com")["id"]
    kept = shop.post("customers", email="c@example.com")["id"]
    bodies = [json.loads(body) for _, body in receiver.wait_for(4)]
    told = {body["data"]["object"]["id"] for body in bodies}
    assert kept in told
    assert lost not in told
    shop.control("faults", reset=True)


def test_order_can_be_shuffled(shop: Shop, receiver: Receiver) -> None:
    listen(shop, receiver, "customer.created")
    shop.control("faults", reset=True, shuffle=0.5, seed=7)
    made = [shop.post("customers", email=f"{n}@example.com")["id"] for n in range(8)]
    bodies = [json.loads(body) for _, body in receiver.wait_for(8)]
    told = [body["data"]["object"]["id"] for body in bodies]
    assert sorted(told) == sorted(made)
    assert told != made
    shop.control("faults", reset=True)


def test_an_endpoint_of_an_old_version_gets_old_shapes(shop: Shop, receiver: Receiver) -> None:
    wanted = ("customer.subscription.created", "invoice.paid")
    listen(shop, receiver, *wanted, api_version="2024-06-20")
    subscription = shop.subscribe()
    bodies = {json.loads(b)["type"]: json.loads(b) for _, b in receiver.wait_for(2)}
    old = bodies["customer.subscription.created"]
    assert old["api_version"] == "2024-06-20"
    end = subscription["items"]["data"][0]["current_period_end"]
    assert old["data"]["object"]["current_period_end"] == end
    assert bodies["invoice.paid"]["data"]["object"]["subscription"] == subscription["id"]


def test_foreign_events_can_be_made_up(shop: Shop, receiver: Receiver) -> None:
    listen(shop, receiver)
    shop.control("events", account=shop.key, type="radar.odd", object={"id": "x", "object": "odd"})
    assert types_of(receiver.wait_for(1)) == ["radar.odd"]
