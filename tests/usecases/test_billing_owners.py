"""Whose Stripe's objects are, and what is nobody's here."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.usecases.snapshots import (
    ANN,
    BOT,
    LOUNGE,
    NOW,
    subscription,
    tag,
)
from velvetrope.domain.errors import NeedsOperator
from velvetrope.gateways.stripe.snapshots import CustomerSnapshot
from velvetrope.store.encryption import Secret
from velvetrope.store.models import (
    Alert,
    AuditEntry,
    Checkout,
    Customer,
    Entitlement,
    OutboxItem,
    StripeAccount,
)

if TYPE_CHECKING:
    from tests.usecases.backroom import Backroom

UPDATED = "customer.subscription.updated"
DELETED = "customer.subscription.deleted"
COMPLETED = "checkout.session.completed"


def test_a_tag_of_a_bot_that_is_not_here_makes_it_foreign(room: Backroom) -> None:
    outcome = room.subscribes(metadata=tag(bot=BOT + 1))
    assert outcome == "foreign"
    assert not Entitlement.objects.exists()


def test_what_carries_no_tag_is_its_customers(room: Backroom) -> None:
    room.stripe.customers["cus_1"] = CustomerSnapshot(
        id="cus_1", deleted=False, metadata=tag(plan=None), livemode=False
    )
    room.subscribes(metadata={})
    assert room.right("sub_1").customer_id == room.ann.id


def test_a_customers_tag_of_another_bot_makes_it_foreign(room: Backroom) -> None:
    room.stripe.customers["cus_1"] = CustomerSnapshot(
        id="cus_1", deleted=False, metadata=tag(bot=BOT + 1), livemode=False
    )
    assert room.subscribes(metadata={}) == "foreign"


def test_a_tag_of_another_bot_counts_more_than_the_customers(room: Backroom) -> None:
    room.stripe.customers["cus_1"] = CustomerSnapshot(
        id="cus_1", deleted=False, metadata=tag(plan=None), livemode=False
    )
    assert room.subscribes(metadata=tag(bot=BOT + 1)) == "foreign"
    assert not Entitlement.objects.exists()


def test_who_owns_another_stripe_account_can_sell_nothing_of_a_bot(room: Backroom) -> None:
    room.account = StripeAccount.objects.create(
        name="elsewhere", api_key=Secret("sk_test_elsewhere")
    ).id
    assert room.subscribes() == "foreign"
    assert not Entitlement.objects.exists()


def test_other_products_of_a_customer_give_no_rights(room: Backroom) -> None:
    Customer.objects.update(stripe_customer_id="cus_1")
    outcome = room.subscribes(
        metadata={}, price_ids=("price_elsewhere",), product_ids=("prod_elsewhere",)
    )
    assert outcome == "ignored"
    assert not Entitlement.objects.exists()
    assert not Alert.objects.exists()


def test_what_was_sold_here_is_known_by_its_session(room: Backroom) -> None:
    key = room.completes(metadata={}, customer=None)
    assert Checkout.objects.get(stripe_session_id=key).state == "pending"


def test_nobody_is_foreign(room: Backroom) -> None:
    assert room.subscribes(metadata={}) == "foreign"
    assert room.pays(metadata={}) == "foreign"


def test_a_tag_that_was_edited_by_hand_moves_no_right_and_breaks_nothing(room: Backroom) -> None:
    room.subscribes()
    assert room.subscribes(kind=UPDATED, metadata=tag(person=ANN + 1)) == "handled"
    assert room.right("sub_1").customer_id == room.ann.id
    room.subscribes(kind=DELETED, metadata={}, status="canceled", ended_at=NOW)
    assert not room.right("sub_1").holds


def test_somebody_who_never_pressed_start_is_known_by_what_they_bought(room: Backroom) -> None:
    room.subscribes(metadata=tag(person=5))
    assert Customer.objects.get(telegram_user_id=5).stripe_customer_id == "cus_1"


@pytest.mark.parametrize("kind", [UPDATED, "customer.deleted", "price.updated"])
def test_events_of_the_other_mode_are_foreign(room: Backroom, kind: str) -> None:
    room.subscribes()
    room.stripe.subscriptions.clear()
    asked = len(room.stripe.asked)
    named = {"id": "sub_1", "object": "subscription", "customer": "cus_1"}
    assert room.stripe_says(kind, named, live=True) == "foreign"
    assert len(room.stripe.asked) == asked


def test_a_deleted_customer_loses_what_ended_with_it(room: Backroom) -> None:
    room.subscribes()
    room.stripe.subscriptions["sub_1"] = subscription(status="canceled", ended_at=NOW)
    room.later(timedelta(minutes=1))
    assert room.stripe_says("customer.deleted", {"id": "cus_1", "object": "customer"}) == "handled"
    assert not room.right("sub_1").holds
    assert Customer.objects.get().stripe_customer_id is None
    assert room.stripe_says("customer.deleted", {"id": "cus_1", "object": "customer"}) == "foreign"


def test_events_that_name_nothing_are_ignored(room: Backroom) -> None:
    for kind in (COMPLETED, UPDATED, "invoice.paid", "charge.refunded", "customer.deleted"):
        assert room.stripe_says(kind, {}) == "ignored"


def test_trouble_of_the_key_is_told_as_it_is(room: Backroom) -> None:
    room.stripe.keyless = NeedsOperator("stripe_key_missing")
    with pytest.raises(NeedsOperator):
        room.subscribes()


def test_an_archived_price_is_not_sold_and_tells_the_operator(room: Backroom) -> None:
    from tests.usecases.snapshots import price  # noqa: PLC0415  beside its only use

    room.stripe.prices["price_month"] = price(room.monthly, active=False)
    named = {"id": "price_month", "object": "price"}
    assert room.stripe_says("price.updated", named) == "handled"
    room.monthly.refresh_from_db()
    assert not room.monthly.sellable
    assert AuditEntry.objects.filter(action="plan_not_sellable").count() == 1
    assert room.stripe_says("product.updated", {"id": "prod_x", "object": "product"}) == "foreign"
    product = {"id": "prod_price_vip", "object": "product"}
    assert room.stripe_says("product.updated", product) == "handled"


def test_somebody_banned_earlier_is_unbanned_when_they_are_granted_access(room: Backroom) -> None:
    from velvetrope.usecases import operations  # noqa: PLC0415  beside its only use

    room.bot.statuses[LOUNGE, ANN] = "kicked"
    operations.grant(room.ann.id, room.monthly.id, None, "", "operator:olga")
    room.run_jobs()
    assert len(room.calls("unbanChatMember")) == 1
    assert OutboxItem.objects.filter(method="sendMessage").count() == 1
