"""Events come twice, at once, late, in the wrong order, in old shapes, forged, or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.e2e.house import House


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
