"""Events come twice, at once, late, in the wrong order, in old shapes, forged, or not at all."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from tests.faults.calm import calm
from tests.processes import STRIPE_API_KEY, STRIPE_WEBHOOK_SECRET
from velvetrope.sandbox.handset import eventually
from velvetrope.sandbox.stripe.delivery import sign

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable

    from tests.e2e.house import House
    from velvetrope.sandbox.handset import Person

MONTHLY, ONCE = 0, 2
DAY = 24 * 3600.0
OLD_VERSION = "2024-06-20"


async def events_after(house: House, number: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await house.stripe.get(f"events?after={number}"))["events"]
    return found


async def last_event(house: House) -> int:
    number: int = (await house.stripe.get("events?limit=1"))["last"]
    return number


async def deliver(house: House, event: dict[str, Any]) -> int:
    """Bring an event to the webhook by hand, signed as Stripe signs; gives the answer's status."""
    payload = msgspec.json.encode(
        {k: v for k, v in event.items() if k not in {"number", "account"}}
    )
    now = int((await house.stripe.get("clock"))["now"])
    headers = {"Stripe-Signature": sign(payload, [STRIPE_WEBHOOK_SECRET], now)}
    answer = await asyncio.to_thread(
        house.installation.http.post, "/stripe/bots/webhooks", content=payload, headers=headers
    )
    return answer.status_code


async def unheard(house: House, deed: Callable[[], Awaitable[Any]]) -> list[dict[str, Any]]:
    """Do something at Stripe of which no webhook tells; gives the events that were lost."""
    mark = await last_event(house)
    await house.stripe.post("faults", {"drop": 1000})
    await deed()
    await house.stripe.post("faults", {"drop": 0})
    return await events_after(house, mark)


async def standing(house: House, people: Iterable[Person]) -> list[Any]:
    """Take down all that a person and an operator can see of somebody."""
    shown = [(house.shown(person), await person.messages()) for person in people]
    for member, _ in shown:
        for access in member["access"]:
            del access["seen_at"]
    return [sorted(await house.members()), shown]


async def test_three_of_everything_in_any_order_is_as_good_as_one(house: House) -> None:
    for vendor in (house.stripe, house.telegram):
        await vendor.post("faults", {"duplicates": 3, "shuffle": 0.1, "seed": 7})
    before, after = await house.person(), await house.person()
    session = await house.offer(before)
    link = await house.telegram.post(
        f"chats/{house.chat}/links", {"creates_join_request": True, "name": "shared"}
    )
    await before.follow(link["invite_link"])  # the request before the payment
    await house.pay(session)
    await house.buy(after, ONCE)
    await after.follow(await house.invitation(after))  # and after it
    await before.gets_in(house.chat)
    await after.gets_in(house.chat)
    await calm(house)
    for person in (before, after):
        said = [one.text for one in await person.messages() if one.from_ == house.bot]
        assert len(said) == len(set(said)), said
    ended = await house.subscription_of(before)
    await house.stripe.post(f"subscriptions/{ended['id']}", {"cancel": "now"})
    await before.gets_out(house.chat)
    await calm(house)
    assert await after.is_in(house.chat)


async def test_old_events_that_come_again_later_change_nothing(house: House) -> None:
    mark = await last_event(house)
    gone, stays = await house.person(), await house.person()
    for person in (gone, stays):
        await house.let_in(person)
    subscription = await house.subscription_of(gone)
    await house.stripe.post(f"subscriptions/{subscription['id']}", {"cancel": "now"})
    await gone.gets_out(house.chat)
    await calm(house)
    before = await standing(house, [gone, stays])
    stored = len(house.ledger.events("stripe"))
    old = await events_after(house, mark)
    for event in reversed(old):
        await house.stripe.post(f"events/{event['id']}/resend")
    await asyncio.gather(*(deliver(house, {**one, "id": f"{one['id']}again"}) for one in old))
    await calm(house)
    assert await standing(house, [gone, stays]) == before
    assert len(house.ledger.events("stripe")) == stored + len(old)


@pytest.mark.parametrize("price", [MONTHLY, ONCE], ids=["subscription", "one-time"])
@pytest.mark.parametrize("way", ["backwards", "at once"])
async def test_a_life_told_in_the_wrong_order_ends_as_it_did(
    house: House, price: int, way: str
) -> None:
    kept, lost = await house.person(), await house.person()

    async def live() -> None:
        for person in (kept, lost):
            await house.pay(await house.offer(person, price))
        if price == MONTHLY:
            subscription = await house.subscription_of(lost)
            await house.stripe.post(f"subscriptions/{subscription['id']}", {"cancel": "now"})
        else:
            payment = await house.payment_of(lost)
            await house.stripe.post(f"payments/{payment['id']}/refund", {"amount": 900})
            await house.stripe.post(f"payments/{payment['id']}/refund")

    told = await unheard(house, live)
    if way == "backwards":
        for event in reversed(told):
            assert await deliver(house, event) == 200
    else:
        twice = [deliver(house, event) for event in told * 2]
        assert set(await asyncio.gather(*twice)) == {200}
    await calm(house)
    for person in (kept, lost):
        holds = [right["holds"] for right in house.shown(person)["entitlements"]]
        assert any(holds) == (person is kept)
    await kept.follow(await house.invitation(kept))
    await kept.gets_in(house.chat)


async def test_a_dispute_counts_though_a_later_look_at_the_subscription_was_faster(
    house: House,
) -> None:
    person = await house.person()
    await house.let_in(person)
    subscription = await house.subscription_of(person)
    payment = await house.payment_for(subscription)
    slow = {"match": "GET /v1/payment_intents/*", "delay": 1.0}
    await house.stripe.post("faults", {"fail_next": slow})
    await house.stripe.post(f"payments/{payment}/dispute")
    await house.stripe.post(f"subscriptions/{subscription['id']}", {"cancel": "at_period_end"})
    await person.gets_out(house.chat)


async def test_what_an_event_claims_counts_for_nothing(house: House) -> None:
    person = await house.person()
    await house.let_in(person)
    subscription = await house.subscription_of(person)
    mark = await last_event(house)
    await house.stripe.post(f"subscriptions/{subscription['id']}", {"cancel": "now"})
    await person.gets_out(house.chat)
    lie = (await events_after(house, mark))[0]
    lie["id"], lie["type"] = "evt_claim", "customer.subscription.updated"
    lie["data"]["object"] = {**subscription, "status": "active", "ended_at": None}
    assert await deliver(house, lie) == 200
    await calm(house)
    assert not house.shown(person)["entitlements"][0]["holds"]
    payload = msgspec.json.encode({**lie, "id": "evt_unsigned"})
    answer = house.installation.http.post("/stripe/bots/webhooks", content=payload)
    assert answer.status_code == 400
    assert not [key for key in house.ledger.events("stripe") if key[1] == "evt_unsigned"]


@pytest.fixture
async def old_endpoint(house: House) -> AsyncIterator[None]:
    """Have Stripe tell everything in the shapes of years ago."""
    old = {"account": STRIPE_API_KEY, "secret": STRIPE_WEBHOOK_SECRET, "api_version": OLD_VERSION}
    made = await house.stripe.post(
        "webhook_endpoints", old | {"url": f"{house.installation.url}/stripe/bots/webhooks"}
    )
    await house.stripe.post(f"webhook_endpoints/{house.endpoint}", {"enabled": False})
    yield
    await house.stripe.post(f"webhook_endpoints/{house.endpoint}", {"enabled": True})
    await house.stripe.post(f"webhook_endpoints/{made['id']}", {"enabled": False})


@pytest.mark.usefixtures("old_endpoint")
async def test_an_endpoint_of_an_old_version_works_all_the_same(house: House) -> None:
    renews, ends = await house.person(), await house.person()
    for person in (renews, ends):
        await house.let_in(person)
    subscription = await house.subscription_of(ends)
    await house.stripe.post(f"subscriptions/{subscription['id']}", {"cancel": "at_period_end"})
    await house.later(32 * DAY)
    await ends.gets_out(house.chat)
    assert await renews.is_in(house.chat)
    await calm(house)
    payloads = house.ledger.rows("SELECT payload FROM store_inboxevent WHERE source = 'stripe'")
    versions = [msgspec.json.decode(row["payload"])["api_version"] for row in payloads]
    assert OLD_VERSION in versions


async def test_what_no_event_told_is_found_out_when_it_is_due(house: House) -> None:
    renews, ends = await house.person(), await house.person()
    for person in (renews, ends):
        await house.let_in(person)
    subscription = await house.subscription_of(ends)

    async def live() -> None:
        await house.stripe.post(f"subscriptions/{subscription['id']}", {"cancel": "now"})
        await house.later(32 * DAY)

    await calm(house)  # what is still looked at would tell of it by the way
    lost = await unheard(house, live)
    assert {"customer.subscription.deleted", "invoice.paid"} <= {one["type"] for one in lost}
    assert not {one["id"] for one in lost} & {key[1] for key in house.ledger.events("stripe")}
    assert house.installation.stop() == 0
    await asyncio.to_thread(house.installation.start)  # which looks for what is due soon

    async def out() -> bool:
        return not await ends.is_in(house.chat)

    await eventually(out, "who has ended is out", patience=40)

    async def renewed() -> bool:
        until = [house.shown(one)["entitlements"][0]["period_end"] for one in (renews, ends)]
        return bool(until[0] > until[1])

    await eventually(renewed, "the renewal is known")
    assert await renews.is_in(house.chat)
