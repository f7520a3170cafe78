"""A whole look at a customer finds also what no event has told of."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from tests.usecases.snapshots import ANN, DAY, NOW, numbers, subscription, tag
from velvetrope.domain.states import Source
from velvetrope.pipeline import jobs
from velvetrope.store.models import Customer, Entitlement
from velvetrope.usecases.billing.rechecks import RECHECK, RecheckOrder

if TYPE_CHECKING:
    from tests.usecases.backroom import Backroom


def look_again(room: Backroom) -> None:
    jobs.enqueue(
        RECHECK,
        RecheckOrder(integration_id=room.integration.id, telegram_user_id=ANN),
        account=room.integration.id,
        lane="test",
        external_id=f"{Source.JOB}:{next(numbers)}",
    )
    assert RECHECK in room.run_jobs()


def pays_at_stripe(room: Backroom) -> None:
    Customer.objects.filter(id=room.ann.id).update(stripe_customer_id="cus_1")


def test_a_subscription_whose_every_event_was_lost_is_found(room: Backroom) -> None:
    pays_at_stripe(room)
    room.stripe.subscriptions["sub_1"] = subscription()
    look_again(room)
    assert room.right("sub_1").holds
    assert len(room.texts()) == 1


def test_a_subscription_is_asked_for_once_in_a_look(room: Backroom) -> None:
    room.subscribes()
    room.stripe.asked.clear()
    look_again(room)
    assert room.stripe.asked == ["subscriptions of cus_1", "sub_1"]


def test_a_subscription_that_another_one_pays_for_is_asked_for_by_its_name(room: Backroom) -> None:
    room.subscribes(customer="cus_2")
    pays_at_stripe(room)
    room.stripe.subscriptions["sub_1"] = subscription(
        customer="cus_2", status="canceled", ended_at=NOW
    )
    look_again(room)
    assert not room.right("sub_1").holds


def test_what_a_customer_buys_elsewhere_opens_nothing(room: Backroom) -> None:
    pays_at_stripe(room)
    room.stripe.subscriptions["sub_1"] = subscription(id="sub_1", metadata=tag(bot=5))
    room.stripe.subscriptions["sub_2"] = subscription(id="sub_2", metadata=tag(person=78))
    room.stripe.subscriptions["sub_3"] = subscription(id="sub_3", status="incomplete")
    look_again(room)
    assert not Entitlement.objects.exists()


def test_an_unpaid_attempt_found_by_looking_is_no_right(room: Backroom) -> None:
    pays_at_stripe(room)
    room.stripe.subscriptions["sub_1"] = subscription(status="incomplete_expired")
    look_again(room)
    assert not Entitlement.objects.exists()


def test_what_has_ended_and_is_known_to_have_is_not_written_again(room: Backroom) -> None:
    room.subscribes(status="canceled", ended_at=NOW)
    before = room.right("sub_1").synced_at
    room.later(timedelta(hours=1))
    look_again(room)
    assert room.right("sub_1").synced_at == before


def test_a_stripe_customer_that_is_gone_keeps_nobody_from_being_looked_at(room: Backroom) -> None:
    room.subscribes()
    room.stripe.gone.add("cus_1")
    room.stripe.subscriptions["sub_1"] = subscription(
        status="canceled", ended_at=NOW, current_period_end=NOW + 30 * DAY
    )
    look_again(room)
    assert not room.right("sub_1").holds
