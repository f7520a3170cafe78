"""The world of money and of people changes: nobody is lost, robbed or charged unseen."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec
import pytest

from tests.usecases.snapshots import ANN, DAY, NOW, payment, price, subscription, tag
from velvetrope.domain.errors import NeedsOperator, Permanent, RetryLater
from velvetrope.domain.states import ItemState
from velvetrope.store.models import (
    Alert,
    AuditEntry,
    Customer,
    Entitlement,
    InboxEvent,
    Plan,
    StripeAccount,
)
from velvetrope.usecases import checkout, operations
from velvetrope.usecases.account_watch import watch_accounts
from velvetrope.usecases.alert_dead import sweep_dead_letters

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.usecases.backroom import Backroom

BEN = 78
ACTOR = "operator:olga"


def is_open(room: Backroom) -> list[tuple[str, str]]:
    assert room.account
    rows = Alert.objects.filter(closed_at=None).order_by("id")
    return list(rows.values_list("code", "subject"))


def paid_by(room: Backroom, person: int, payer: str, key: str) -> None:
    """Have a Stripe customer pay for a person's subscription, as its metadata says."""
    known = subscription(id=key, customer=payer, metadata=tag(person))
    room.stripe.subscriptions[key] = known
    named = {"id": key, "object": "subscription", "customer": payer}
    room.stripe_says("customer.subscription.updated", named)


def customer(person: int) -> Customer:
    return Customer.objects.get(telegram_user_id=person)


def holders() -> dict[str, int]:
    rows = Entitlement.objects.filter(holds=True)
    return dict(rows.values_list("external_id", "customer__telegram_user_id"))


# A Telegram account is deleted


def goes_away(room: Backroom) -> None:
    room.subscribes()
    (call, *others) = room.calls("sendMessage")
    room.failed(call, Permanent("user_deactivated"), ItemState.SKIPPED)
    for other in others:
        other.delete()
    room.ann.refresh_from_db()


def test_a_deleted_account_that_pays_on_is_told_once_and_keeps_its_right(room: Backroom) -> None:
    goes_away(room)
    assert room.ann.deactivated_at == room.ann.blocked_at == NOW
    assert is_open(room) == [("pays_unreachable", f"customer:{room.ann.id}")]
    room.subscribes(kind="customer.subscription.updated", latest_invoice="in_2")
    assert len(is_open(room)) == 1
    assert room.texts() == []
    assert holders() == {"sub_1": ANN}
    assert room.access().desired


def test_the_alert_is_over_when_the_subscription_ends(room: Backroom) -> None:
    goes_away(room)
    room.subscribes(kind="customer.subscription.deleted", status="canceled", ended_at=NOW)
    assert is_open(room) == []


def test_the_alert_is_over_when_the_person_is_back(room: Backroom) -> None:
    goes_away(room)
    room.later(timedelta(minutes=1))
    room.update("message", words(room, "/start"))
    room.ann.refresh_from_db()
    assert room.ann.deactivated_at is None
    assert is_open(room) == []


def words(room: Backroom, text: str) -> Mapping[str, object]:
    return {
        "message_id": 5,
        "date": int(room.now.timestamp()),
        "chat": {"id": ANN, "type": "private"},
        "from": {"id": ANN, "is_bot": False, "first_name": "Ann", "language_code": "en"},
        "text": text,
    }


def test_a_deleted_account_that_pays_nothing_is_nobodys_business(room: Backroom) -> None:
    room.update("message", words(room, "/start"))
    room.failed(room.calls()[0], Permanent("user_deactivated"), ItemState.SKIPPED)
    room.ann.refresh_from_db()
    assert room.ann.deactivated_at == NOW
    assert is_open(room) == []


def test_who_blocks_the_bot_has_not_deleted_their_account(room: Backroom) -> None:
    room.subscribes()
    room.failed(room.calls()[0], Permanent("blocked_by_user"), ItemState.SKIPPED)
    room.ann.refresh_from_db()
    assert (room.ann.blocked_at, room.ann.deactivated_at) == (NOW, None)
    assert is_open(room) == []


# Two who pay for one another


@pytest.fixture
def crossed(room: Backroom) -> Backroom:
    """Give a room where Ann's card pays for Ben and Ben's for Ann."""
    Customer.objects.filter(id=room.ann.id).update(stripe_customer_id="cus_ann")
    ben = room.person(BEN)
    Customer.objects.filter(id=ben.id).update(stripe_customer_id="cus_ben")
    paid_by(room, ANN, "cus_ben", "sub_ann")
    paid_by(room, BEN, "cus_ann", "sub_ben")
    return room


def test_a_right_is_whose_the_subscription_says_whoever_pays(crossed: Backroom) -> None:
    assert holders() == {"sub_ann": ANN, "sub_ben": BEN}
    assert (customer(ANN).stripe_customer_id, customer(BEN).stripe_customer_id) == (
        "cus_ann",
        "cus_ben",
    )
    known = subscription(id="sub_ann", customer="cus_ben", metadata=tag(ANN), status="canceled")
    crossed.stripe.subscriptions["sub_ann"] = known
    named = {"id": "sub_ann", "object": "subscription", "customer": "cus_ben"}
    crossed.stripe_says("customer.subscription.deleted", named)
    assert holders() == {"sub_ben": BEN}


def test_the_portal_is_of_whoever_pays_for_the_subscription(crossed: Backroom) -> None:
    portals = {}
    for person in (ANN, BEN):
        key = (crossed.integration.id, person)
        portals[person] = asyncio.run(
            checkout.offer_portal(crossed.services, key, language="en")
        ).rpartition("/")[2]
    assert portals == {ANN: "cus_ben", BEN: "cus_ann"}


def test_the_portal_is_the_persons_own_again_when_that_is_over(crossed: Backroom) -> None:
    Entitlement.objects.filter(external_id="sub_ann").update(status="canceled", holds=False)
    key = (crossed.integration.id, ANN)
    url = asyncio.run(checkout.offer_portal(crossed.services, key, language="en"))
    assert url.endswith("cus_ann")


def test_one_who_pays_for_two_is_linked_to_neither_in_place_of_the_other(room: Backroom) -> None:
    room.person(BEN)
    paid_by(room, ANN, "cus_ann", "sub_ann")
    paid_by(room, BEN, "cus_ann", "sub_ben")
    assert holders() == {"sub_ann": ANN, "sub_ben": BEN}
    assert customer(ANN).stripe_customer_id == "cus_ann"
    assert customer(BEN).stripe_customer_id is None
    # Nothing in a payment without a word of its own tells for whom it is but its customer.
    room.pays(metadata={}, customer="cus_ann", id="pi_9")
    assert "pi_9" not in holders() or holders()["pi_9"] == ANN


def test_the_payers_deletion_ends_what_they_paid_for_and_nothing_else(crossed: Backroom) -> None:
    deleted(crossed, "cus_ben", "sub_ann")
    assert holders() == {"sub_ben": BEN}
    assert customer(BEN).stripe_customer_id is None
    assert customer(ANN).stripe_customer_id == "cus_ann"


# A Stripe customer is deleted


def deleted(room: Backroom, name: str, *subscriptions: str) -> str:
    for key in subscriptions:
        known = room.stripe.subscriptions[key]
        room.stripe.subscriptions[key] = msgspec.structs.replace(
            known, status="canceled", ended_at=room.now
        )
    named = {"id": name, "object": "customer", "deleted": True}
    return room.stripe_says("customer.deleted", named)


def test_a_deleted_stripe_customer_ends_rights_and_is_put_on_record(room: Backroom) -> None:
    room.subscribes()
    room.sent()
    assert deleted(room, "cus_1", "sub_1") == "handled"
    assert holders() == {}
    assert customer(ANN).stripe_customer_id is None
    assert len(room.texts()) == 1  # the person hears that it is over
    entry = AuditEntry.objects.get(action="stripe_customer_deleted")
    assert entry.before == {"stripe_customer": "cus_1"}
    assert deleted(room, "cus_1") == deleted(room, "cus_unknown") == "foreign"
    assert AuditEntry.objects.filter(action="stripe_customer_deleted").count() == 1


def test_who_buys_again_becomes_a_new_stripe_customer(room: Backroom) -> None:
    room.presses(f"plan:{room.monthly.id}")
    first = customer(ANN).stripe_customer_id
    assert first is not None
    room.sent()
    deleted(room, first)
    room.stripe.customers[first] = msgspec.structs.replace(
        room.stripe.customers[first], deleted=True
    )
    room.stripe.sessions.clear()
    room.presses(f"plan:{room.monthly.id}")
    second = customer(ANN).stripe_customer_id
    assert second not in {None, first}


# What is sold


def seen(room: Backroom, plan: Plan, **fields: object) -> None:
    room.stripe.prices[plan.stripe_price_id] = price(plan, **fields)
    kind = "product.updated" if "product_name" in fields else "price.updated"
    key = plan.product_id if kind.startswith("product") else plan.stripe_price_id
    room.stripe_says(kind, {"id": key, "object": kind.split(".", maxsplit=1)[0]})


def test_an_archived_price_is_told_not_sold_and_sold_again_when_it_is_back(room: Backroom) -> None:
    room.subscribes()
    seen(room, room.monthly, active=False)
    assert is_open(room) == [("price_archived", f"plan:{room.monthly.id}")]
    assert not Plan.objects.get(id=room.monthly.id).sellable
    assert holders() == {"sub_1": ANN}
    seen(room, room.monthly, active=True)
    assert is_open(room) == []
    assert Plan.objects.get(id=room.monthly.id).sellable


def test_an_archived_product_is_told_as_one(room: Backroom) -> None:
    seen(room, room.monthly, product_active=False, product_name="x")
    assert is_open(room) == [("product_archived", f"plan:{room.monthly.id}")]


def test_taking_an_archived_plan_off_sale_ends_its_alert(room: Backroom) -> None:
    seen(room, room.monthly, active=False)
    operations.change_plan(
        room.monthly.id,
        operations.PlanChoices(
            on_sale=False,
            position=0,
            allow_promotion_codes=False,
            trial_days=None,
            duration_days=None,
            chat_ids=[room.lounge.id],
        ),
        ACTOR,
    )
    room.run_jobs()
    assert is_open(room) == []


def test_a_new_name_is_everywhere_at_once(room: Backroom) -> None:
    seen(room, room.monthly, product_name="Gold")
    room.update("message", words(room, "/plans"))
    keyboards = [msgspec.json.decode(call.params)["reply_markup"] for call in room.calls()]
    assert "Gold" in str(keyboards)


def test_a_new_name_of_which_nobody_told_is_seen_by_the_sweep(room: Backroom) -> None:
    room.stripe.prices["price_month"] = price(room.monthly, product_name="Gold")
    room.later(timedelta(hours=6, minutes=1))
    room.sweep()
    assert Plan.objects.get(id=room.monthly.id).product_name == "Gold"


# The key of the Stripe account


def looked_at(room: Backroom) -> None:
    asyncio.run(watch_accounts(room.services))


def test_a_key_of_another_account_is_told_and_nobody_is_removed(room: Backroom) -> None:
    looked_at(room)
    assert StripeAccount.objects.get().stripe_id == "acct_1"
    room.subscribes()
    room.enters()
    room.stripe.account = "acct_2"
    room.stripe.subscriptions.clear()
    looked_at(room)
    looked_at(room)
    assert is_open(room) == [("stripe_account_differs", "")]
    assert Alert.objects.get().data == {"known": "acct_1", "seen": "acct_2"}
    room.later(40 * DAY)
    room.sweep()
    assert holders() == {"sub_1": ANN}
    assert room.access().observed == "inside"
    assert room.calls("unbanChatMember") == []
    room.stripe.account = "acct_1"
    looked_at(room)
    assert ("stripe_account_differs", "") not in is_open(room)


def test_an_account_on_which_nothing_rests_may_be_another_one(room: Backroom) -> None:
    looked_at(room)
    room.stripe.account = "acct_2"
    looked_at(room)
    assert is_open(room) == []
    assert StripeAccount.objects.get().stripe_id == "acct_2"


def test_a_revoked_key_is_told_and_what_failed_for_it_is_done_afterwards(room: Backroom) -> None:
    room.stripe.trouble = NeedsOperator("stripe_key_invalid")
    looked_at(room)
    assert is_open(room) == [("stripe_key_invalid", "")]
    named = {"id": "sub_1", "object": "subscription", "customer": "cus_1"}
    event = room.stripe_event("customer.subscription.created", named)
    with pytest.raises(NeedsOperator):
        room.take(event)
    row = InboxEvent.objects.filter(id=event.id)
    row.update(state="dead", error_code="stripe_key_invalid")
    room.stripe.trouble = None
    looked_at(room)
    assert is_open(room) == []
    assert row.get().state == "pending"


def test_a_permission_that_is_lacking_for_one_thing_is_not_tried_at_every_look(
    room: Backroom,
) -> None:
    named = {"id": "sub_1", "object": "subscription", "customer": "cus_1"}
    event = room.stripe_event("customer.subscription.created", named)
    row = InboxEvent.objects.filter(id=event.id)
    row.update(state="dead", error_code="stripe_permission")
    looked_at(room)
    assert row.get().state == "dead"
    StripeAccount.objects.update(problem={"code": "stripe_permission", "data": {}})
    looked_at(room)
    assert row.get().state == "pending"


def test_an_outage_of_stripe_is_no_alert(room: Backroom) -> None:
    room.stripe.trouble = RetryLater("stripe_unavailable")
    looked_at(room)
    assert is_open(room) == []


def test_a_key_that_is_put_in_is_tried_at_once(room: Backroom) -> None:
    StripeAccount.objects.update(
        from_environment=False, api_key=room.integration.token, livemode=False
    )
    room.stripe.trouble = NeedsOperator("stripe_key_invalid")
    looked_at(room)
    room.stripe.trouble = None
    operations.change_stripe_account(
        room.account, name="shop", api_key=f"sk_test_{'x' * 24}", webhook_secrets="", actor=ACTOR
    )
    assert is_open(room)
    room.run_jobs()
    assert ("stripe_key_invalid", "") not in is_open(room)


# What failed for good


def test_dead_letters_open_one_alert_for_each_owner(room: Backroom) -> None:
    for source, account in (("telegram", room.integration.id), ("stripe", room.account)):
        for number in range(3):
            InboxEvent.objects.create(
                source=source,
                account=account,
                external_id=f"x{number}",
                kind="message",
                lane="x",
                payload=b"{}",
                state="dead",
                received_at=NOW,
            )
    sweep_dead_letters(NOW)
    sweep_dead_letters(NOW)
    rows = Alert.objects.filter(closed_at=None)
    whose = {(row.integration_id, row.stripe_account_id, row.data["number"]) for row in rows}
    assert whose == {(room.integration.id, None, 3), (None, room.account, 3)}
    InboxEvent.objects.filter(source="stripe").update(state="discarded")
    sweep_dead_letters(NOW)
    assert [row.integration_id for row in Alert.objects.filter(closed_at=None)] == [
        room.integration.id
    ]
    InboxEvent.objects.update(state="done")
    sweep_dead_letters(NOW)
    assert is_open(room) == []


def test_a_payment_keeps_who_paid_it(room: Backroom) -> None:
    room.stripe.payments["pi_1"] = payment(customer="cus_other")
    room.pays(customer="cus_other")
    assert Entitlement.objects.get().stripe_customer_id == "cus_other"
