"""A lost database comes back from what Stripe knows, and nobody hears of it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.usecases.snapshots import ANN, BOT, DAY, LOUNGE, NOW, payment, session, subscription, tag
from velvetrope.gateways.stripe.metadata import OwnerTag, build
from velvetrope.gateways.stripe.snapshots import CustomerSnapshot, UndoneMoney
from velvetrope.store.models import (
    Access,
    AuditEntry,
    Checkout,
    Customer,
    Entitlement,
    InboxEvent,
    OutboxItem,
)
from velvetrope.usecases import operations

if TYPE_CHECKING:
    from tests.usecases.backroom import Backroom

pytestmark = pytest.mark.both_databases

BEN = 78


def rebuilt(room: Backroom, *, into_existing: bool = False) -> None:
    operations.rebuild([room.integration.id], "operator:olga", into_existing=into_existing)
    for _ in range(20):
        room.run_jobs()
        if not InboxEvent.objects.filter(source="job", state="pending").exists():
            return
        room.later(timedelta(seconds=10))
    raise AssertionError("a rebuild without end")


def lost(room: Backroom) -> None:
    """Lose everything but what the operator puts in again."""
    for model in (Access, Entitlement, Checkout, OutboxItem, AuditEntry, InboxEvent, Customer):
        model.objects.all().delete()
    assert room.integration.pk


def pays_at_stripe(room: Backroom, person: int = ANN, key: str = "cus_1", **tagged: Any) -> None:
    """Have a customer made at Stripe as Checkout makes it."""
    values: dict[str, Any] = {
        "installation": "test",
        "integration": BOT,
        "telegram_user_id": person,
        "telegram_chat_id": person,
        "language": "uk",
    }
    room.stripe.customers[key] = CustomerSnapshot(
        id=key,
        deleted=False,
        metadata=build(OwnerTag(**(values | tagged))),
        livemode=False,
        name="Ann",
        created=NOW,
    )


def state() -> dict[str, Any]:
    """Give what has to be the same afterwards."""
    return {
        "customers": sorted(Customer.objects.values_list("telegram_user_id", "stripe_customer_id")),
        "rights": sorted(
            Entitlement.objects.values_list(
                "external_id",
                "customer__telegram_user_id",
                "plan",
                "kind",
                "status",
                "starts_at",
                "period_end",
                "ends_at",
                "holds",
                "reason",
                "refund",
                "dispute",
            )
        ),
        "places": sorted(
            (*row[:-1], row[-1] is not None)
            for row in Access.objects.exclude(observed="unknown").values_list(
                "customer__telegram_user_id", "chat", "desired", "observed", "let_in_at"
            )
        ),
    }


def test_what_was_before_is_there_again_and_nobody_hears_of_it(room: Backroom) -> None:
    pays_at_stripe(room)
    room.subscribes()
    room.enters()
    room.subscribes("sub_2", metadata=tag(plan="price_vip"), price_ids=("price_vip",))
    room.pays(metadata=tag(plan="price_once"))
    room.pays(id="pi_2", amount_refunded=900)
    room.stripe.lists["refunds"] = [
        UndoneMoney(id="re_1", payment_intent="pi_2", status="succeeded")
    ]
    room.sent()
    before = state()
    lost(room)
    rebuilt(room)
    assert state() == before
    assert room.methods() == []
    assert not OutboxItem.objects.exclude(state="skipped").exists()
    assert Customer.objects.get().telegram_language == "uk"
    room.subscribes(kind="customer.subscription.updated")
    assert room.texts() == []  # it was all said before


def test_somebody_who_has_only_ever_looked_at_checkout_is_known_again(room: Backroom) -> None:
    lost(room)
    pays_at_stripe(room, BEN, "cus_2")
    rebuilt(room)
    ben = Customer.objects.get()
    assert (ben.telegram_user_id, ben.stripe_customer_id) == (BEN, "cus_2")
    assert (ben.first_name, ben.started_at, ben.created_at) == ("Ann", NOW, NOW)


def test_of_two_stripe_customers_of_a_person_the_newer_one_counts(room: Backroom) -> None:
    lost(room)
    pays_at_stripe(room, ANN, "cus_2")
    pays_at_stripe(room, ANN, "cus_1")
    old = room.stripe.customers["cus_1"]
    room.stripe.customers["cus_1"] = CustomerSnapshot(
        id="cus_1", deleted=False, metadata=old.metadata, livemode=False, created=NOW - DAY
    )
    rebuilt(room)
    assert Customer.objects.get().stripe_customer_id == "cus_2"


def test_a_person_whose_stripe_customer_is_gone_is_known_by_what_they_bought(
    room: Backroom,
) -> None:
    lost(room)
    room.stripe.subscriptions["sub_1"] = subscription(status="canceled", ended_at=NOW)
    rebuilt(room)
    ann = Customer.objects.get()
    assert (ann.telegram_user_id, ann.started_at) == (ANN, NOW)
    assert not room.right("sub_1").holds


def test_a_purchase_that_cost_nothing_comes_back(room: Backroom) -> None:
    lost(room)
    free = session(payment_status="no_payment_required")
    room.stripe.sessions[free.id] = free
    rebuilt(room)
    assert room.right(free.id).holds
    assert room.methods() == []


def test_a_refunded_subscription_stays_refunded(room: Backroom) -> None:
    lost(room)
    room.stripe.subscriptions["sub_1"] = subscription()
    room.stripe.payments["pi_1"] = payment(
        amount_refunded=900, subscription="sub_1", invoice="in_1", metadata={}
    )
    room.stripe.lists["refunds"] = [
        UndoneMoney(id="re_1", payment_intent="pi_1", status="succeeded")
    ]
    rebuilt(room)
    assert room.right("sub_1").reason == "refunded"
    assert room.methods() == []


def test_whoever_is_inside_with_a_right_can_leave_later_and_others_are_left_alone(
    room: Backroom,
) -> None:
    lost(room)
    room.stripe.subscriptions |= {
        "sub_1": subscription(id="sub_1"),
        "sub_2": subscription(
            id="sub_2", metadata=tag(person=BEN), customer="cus_2", status="canceled", ended_at=NOW
        ),
    }
    room.bot.statuses |= {(LOUNGE, ANN): "member", (LOUNGE, BEN): "member"}
    rebuilt(room)
    ann = Access.objects.get(customer__telegram_user_id=ANN)
    ben = Access.objects.get(customer__telegram_user_id=BEN)
    assert (ann.observed, ann.let_in_at is not None) == ("inside", True)
    assert (ben.observed, ben.let_in_at) == ("inside", None)
    after = AuditEntry.objects.get(action="reconciled.chats").after
    assert isinstance(after, dict)
    assert after["inside_without_right"] == 1
    assert room.methods() == []


def test_what_others_sell_from_the_account_stays_theirs(room: Backroom) -> None:
    lost(room)
    pays_at_stripe(room, BEN, "cus_9", integration=BOT + 1)
    room.stripe.subscriptions |= {
        "sub_1": subscription(id="sub_1", metadata={}, customer="cus_8"),
        "sub_2": subscription(id="sub_2", metadata=tag(bot=BOT + 1)),
    }
    room.stripe.payments["pi_1"] = payment(metadata={}, amount_refunded=900)
    room.stripe.lists["refunds"] = [
        UndoneMoney(id="re_1", payment_intent="pi_1", status="succeeded")
    ]
    rebuilt(room)
    assert not Customer.objects.exists()
    assert not Entitlement.objects.exists()


def test_a_database_with_customers_is_not_rebuilt_unless_told(room: Backroom) -> None:
    room.subscribes()
    with pytest.raises(operations.NothingToReconcileError, match="customers already"):
        rebuilt(room)
    room.sent()
    before = state()
    rebuilt(room, into_existing=True)
    assert state() == before
