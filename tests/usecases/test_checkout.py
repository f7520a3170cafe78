"""Sessions and portals: made once, reused, and never for the same money twice."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec
import pytest

from tests.usecases.snapshots import DAY, NOW, payment, session
from velvetrope.domain.errors import NeedsOperator, Permanent, RetryLater
from velvetrope.gateways.stripe.requests import CheckoutRequest, CustomerRequest
from velvetrope.store.models import Checkout, Customer, InboxEvent, Plan

if TYPE_CHECKING:
    from tests.usecases.backroom import Backroom


def links(room: Backroom) -> list[str]:
    """Give the addresses of Stripe in the messages that wait."""
    found = []
    for row in room.calls("sendMessage"):
        markup = msgspec.json.decode(row.params).get("reply_markup", {})
        buttons = [button for line in markup.get("inline_keyboard", ()) for button in line]
        found += [one["url"] for one in buttons if "stripe.example" in one.get("url", "")]
        found += [one["url"] for one in buttons if "checkout.example" in one.get("url", "")]
    return found


def sessions_made(room: Backroom) -> list[CheckoutRequest]:
    return [request for _, request in room.stripe.made if isinstance(request, CheckoutRequest)]


def customers_made(room: Backroom) -> list[CustomerRequest]:
    return [request for _, request in room.stripe.made if isinstance(request, CustomerRequest)]


def test_a_plan_is_offered_by_a_session_that_is_reused_while_it_is_open(room: Backroom) -> None:
    room.presses(f"plan:{room.monthly.id}")
    room.presses(f"plan:{room.monthly.id}")
    assert len(sessions_made(room)) == 1
    assert len(set(links(room))) == 1
    assert Customer.objects.get().stripe_customer_id == "cus_1"


def test_a_session_that_is_about_to_end_is_not_handed_out_again(room: Backroom) -> None:
    room.presses(f"plan:{room.monthly.id}")
    room.later(timedelta(hours=22, minutes=55))
    room.presses(f"plan:{room.monthly.id}")
    assert len(sessions_made(room)) == 2
    assert len(customers_made(room)) == 1


@pytest.mark.parametrize("status", ["expired", None])
def test_a_session_that_is_closed_or_gone_is_not_handed_out_again(
    room: Backroom, status: str | None
) -> None:
    room.presses(f"plan:{room.monthly.id}")
    [key] = room.stripe.sessions
    if status is None:
        del room.stripe.sessions[key]
    else:
        room.stripe.sessions[key] = session(id=key, status=status, url=None)
    room.presses(f"plan:{room.monthly.id}")
    assert len(sessions_made(room)) == 2


def test_a_session_that_was_paid_meanwhile_opens_the_door_instead(room: Backroom) -> None:
    room.presses(f"plan:{room.once.id}")
    [key] = room.stripe.sessions
    room.stripe.sessions[key] = session(id=key, payment_status="paid", payment_intent="pi_1")
    room.stripe.payments["pi_1"] = payment()
    room.sent()
    room.presses(f"plan:{room.once.id}")
    assert room.right("pi_1").holds
    assert Checkout.objects.get().state == "paid"
    assert links(room) == []


def test_who_holds_a_plan_is_sold_no_second_one(room: Backroom) -> None:
    room.subscribes()
    room.sent()
    room.presses(f"plan:{room.monthly.id}")
    assert sessions_made(room) == []


def test_who_owes_for_a_plan_is_led_to_their_debt_and_not_sold_a_second_one(
    room: Backroom,
) -> None:
    room.subscribes()
    room.subscribes(kind="customer.subscription.updated", status="past_due")
    room.later(8 * DAY)
    room.subscribes(kind="customer.subscription.updated", status="past_due")
    assert not room.right("sub_1").holds
    room.sent()
    room.presses(f"plan:{room.monthly.id}")
    assert sessions_made(room) == []
    [told] = room.calls("sendMessage")
    assert '"callback_data":"portal"' in bytes(told.params).decode()


def test_a_trial_is_given_once(room: Backroom) -> None:
    Plan.objects.filter(id=room.monthly.id).update(trial_days=7)
    from velvetrope.store.revisions import touch  # noqa: PLC0415  Django is set up by now

    touch([room.integration.id])
    room.presses(f"plan:{room.monthly.id}")
    [first] = sessions_made(room)
    assert first.trial_days == 7
    room.subscribes(status="trialing", trial_end=NOW + 7 * DAY)
    gone = "customer.subscription.deleted"
    room.subscribes(kind=gone, status="canceled", ended_at=NOW, trial_end=NOW + 7 * DAY)
    room.later(DAY)
    room.presses(f"plan:{room.monthly.id}")
    assert sessions_made(room)[-1].trial_days is None


def test_an_answer_that_was_lost_does_not_keep_somebody_from_buying_under_a_new_name(
    room: Backroom,
) -> None:
    real = room.stripe.create_customer
    lost = True

    async def lose(request: CustomerRequest, key: str) -> object:
        nonlocal lost
        made = await real(request, key)
        if lost:
            lost = False
            raise RetryLater("stripe_timeout")
        return made

    room.stripe.create_customer = lose  # type: ignore[method-assign, assignment]  # a lost answer
    room.presses(f"plan:{room.monthly.id}")
    Customer.objects.update(first_name="Anna")
    room.run_jobs()
    assert len(links(room)) == 1


def test_what_an_operator_changes_between_two_tries_does_not_end_the_offer(
    room: Backroom,
) -> None:
    real = room.stripe.create_checkout_session
    lost = True

    async def lose(request: CheckoutRequest, key: str) -> object:
        nonlocal lost
        made = await real(request, key)
        if lost:
            lost = False
            raise RetryLater("stripe_timeout")
        return made

    room.stripe.create_checkout_session = lose  # type: ignore[method-assign, assignment]  # the same
    room.presses(f"plan:{room.monthly.id}")
    room.monthly.allow_promotion_codes = True
    room.monthly.save()
    room.run_jobs()
    assert len(links(room)) == 1


def test_a_failure_that_stripe_has_kept_is_got_round_by_another_key(room: Backroom) -> None:
    real = room.stripe.create_checkout_session
    keys = []

    async def stuck(request: CheckoutRequest, key: str) -> object:
        keys.append(key)
        if len(keys) < 3:
            raise RetryLater("stripe_unavailable", replayed=True)
        return await real(request, key)

    room.stripe.create_checkout_session = stuck  # type: ignore[method-assign, assignment]  # the same
    room.presses(f"plan:{room.monthly.id}")
    assert len(set(keys)) == 3
    assert len(links(room)) == 1


def test_a_customer_who_was_deleted_at_stripe_gets_a_new_one(room: Backroom) -> None:
    Customer.objects.update(stripe_customer_id="cus_gone")
    real = room.stripe.create_checkout_session

    async def refuse(request: CheckoutRequest, key: str) -> object:
        if request.customer == "cus_gone":
            raise Permanent("stripe_not_found", param="customer")
        return await real(request, key)

    room.stripe.create_checkout_session = refuse  # type: ignore[method-assign, assignment]  # the same
    room.presses(f"plan:{room.monthly.id}")
    assert len(links(room)) == 1
    assert Customer.objects.get().stripe_customer_id == "cus_1"


def test_what_is_not_for_sale_is_not_offered(room: Backroom) -> None:
    Plan.objects.update(on_sale=False)
    room.presses(f"plan:{room.monthly.id}")
    assert sessions_made(room) == []
    assert len(room.texts()) == 1


@pytest.mark.parametrize(
    "trouble", [NeedsOperator("stripe_key_invalid"), RetryLater("stripe_unavailable")]
)
def test_trouble_at_stripe_is_an_answer_too(
    room: Backroom, trouble: NeedsOperator | RetryLater
) -> None:
    room.stripe.trouble = trouble
    room.presses(f"plan:{room.monthly.id}")
    assert len(room.texts()) == 1
    assert InboxEvent.objects.filter(kind="send_link", state="pending").count() == 1
