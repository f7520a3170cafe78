"""A subscription that is for something else now, and prices that nobody knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.usecases.snapshots import ANN, DAY, LOUNGE, VAULT, price, tag
from velvetrope.store.models import Alert, Plan, PlanChat
from velvetrope.usecases import operations
from velvetrope.usecases.operations import PlanChoices

if TYPE_CHECKING:
    from tests.usecases.backroom import Backroom
    from velvetrope.store.models import Chat

pytestmark = pytest.mark.both_databases

UPDATED = "customer.subscription.updated"


def open_alerts() -> list[tuple[str, str]]:
    return list(Alert.objects.filter(closed_at=None).values_list("code", "subject"))


def calls_about_doors(room: Backroom) -> list[str]:
    return [call.method for call in room.calls() if call.method != "sendMessage"]


def moves_to(room: Backroom, price_id: str, product: str = "", **fields: object) -> None:
    products = (product or f"prod_{price_id}",)
    room.subscribes("sub_1", UPDATED, price_ids=(price_id,), product_ids=products, **fields)


# From one plan to another


def test_an_upgrade_opens_what_is_new_and_leaves_the_rest_alone(room: Backroom) -> None:
    room.subscribes()
    room.enters()
    moves_to(room, "price_vip")
    assert calls_about_doors(room) == []
    assert (room.access().desired, room.access(room.vault).desired) == (True, True)
    assert len(room.texts()) == 1
    room.sent()
    moves_to(room, "price_vip")
    assert room.texts() == []


def test_a_downgrade_closes_what_only_the_old_plan_opened(room: Backroom) -> None:
    room.subscribes(price_ids=("price_vip",), metadata=tag(plan="price_vip"))
    room.enters(LOUNGE)
    room.enters(VAULT)
    moves_to(room, "price_month")
    assert (room.access().desired, room.access(room.vault).desired) == (True, False)
    assert len(room.texts()) == 1
    room.bot.statuses |= {(LOUNGE, ANN): "member", (VAULT, ANN): "member"}
    room.run_jobs()
    left = [call.chat_id for call in room.calls("unbanChatMember")]
    assert left == [VAULT]


def test_another_price_of_the_same_product_is_the_same_plan(room: Backroom) -> None:
    room.subscribes()
    room.enters()
    moves_to(room, "price_yearly", product="prod_price_month")
    row = room.right("sub_1")
    assert (row.plan_id, row.holds, row.price_id) == (room.monthly.id, True, "price_yearly")
    assert room.methods() == []
    assert open_alerts() == []


def test_of_several_plans_of_a_product_the_one_that_the_person_has_stays(room: Backroom) -> None:
    twin = Plan.objects.create(
        integration=room.integration,
        stripe_price_id="price_twin",
        product_id="prod_price_month",
        interval="month",
        sellable=True,
        position=9,
    )
    PlanChat.objects.create(plan=twin, chat=room.vault)
    room.subscribes(price_ids=("price_twin",))
    moves_to(room, "price_new", product="prod_price_month")
    assert room.right("sub_1").plan_id == twin.id


# Prices that nobody sells


def test_a_price_that_nobody_sells_keeps_what_was_and_is_alerted_once(room: Backroom) -> None:
    room.subscribes()
    room.enters()
    for _ in range(3):
        moves_to(room, "price_odd")
    row = room.right("sub_1")
    assert (row.plan_id, row.holds, row.price_id) == (room.monthly.id, True, "price_odd")
    assert open_alerts() == [("price_unknown", "price:price_odd")]
    assert room.methods() == []


def test_an_upgrade_is_not_taken_back_by_a_price_that_nobody_sells(room: Backroom) -> None:
    room.subscribes()
    moves_to(room, "price_vip")
    moves_to(room, "price_odd")
    assert room.right("sub_1").plan_id == room.vip.id


@pytest.mark.parametrize("ends", ["known price", "no subscription"])
def test_the_alert_ends_when_nobody_pays_that_price_any_more(room: Backroom, ends: str) -> None:
    room.subscribes()
    moves_to(room, "price_odd")
    room.sweep()
    assert open_alerts() != []
    if ends == "known price":
        moves_to(room, "price_vip")
    else:
        moves_to(room, "price_odd", status="canceled", ended_at=room.now)
    room.sweep()
    assert open_alerts() == []


def test_a_price_that_comes_on_sale_settles_who_pays_it_already(room: Backroom) -> None:
    room.subscribes()
    moves_to(room, "price_odd")
    plan = Plan.objects.create(
        integration=room.integration, stripe_price_id="price_odd", interval="month", sellable=True
    )
    PlanChat.objects.create(plan=plan, chat=room.vault)
    room.stripe.prices["price_odd"] = price(plan)
    room.later(DAY / 24)
    room.sweep()
    assert open_alerts() == []
    assert room.right("sub_1").plan_id == plan.id
    assert room.access(room.vault).desired


def test_somebody_who_pays_for_what_nobody_knows_is_not_overlooked(room: Backroom) -> None:
    metadata = tag(plan=None)
    room.subscribes(price_ids=("price_odd",), product_ids=("prod_odd",), metadata=metadata)
    assert open_alerts() == [("price_unknown", "subscription:sub_1")]
    room.sweep()
    assert open_alerts() != []


def test_a_status_that_nobody_knows_changes_nothing_and_is_alerted_until_it_is_over(
    room: Backroom,
) -> None:
    room.subscribes()
    room.subscribes(kind=UPDATED, status="dormant")
    assert room.right("sub_1").holds
    assert open_alerts() == [("subscription_status_unknown", "status:dormant")]
    room.subscribes(kind=UPDATED)
    room.sweep()
    assert open_alerts() == []


# What an operator changes


def opens(plan: Plan, *chats: Chat) -> None:
    choices = PlanChoices(
        position=0,
        on_sale=True,
        allow_promotion_codes=False,
        trial_days=None,
        duration_days=None,
        chat_ids=[chat.id for chat in chats],
    )
    operations.change_plan(plan.id, choices, "op")


def test_a_chat_that_comes_to_a_plan_opens_for_who_has_it_already(room: Backroom) -> None:
    room.subscribes()
    room.enters()
    opens(room.monthly, room.lounge, room.vault)
    room.run_jobs()
    assert room.access(room.vault).desired
    assert len(room.texts()) == 1
    assert calls_about_doors(room) == []
    room.sent()
    room.asks(VAULT)
    assert calls_about_doors(room) == ["approveChatJoinRequest"]


def test_a_chat_that_leaves_a_plan_closes_but_for_who_holds_another_plan(room: Backroom) -> None:
    room.subscribes(price_ids=("price_vip",), metadata=tag(plan="price_vip"))
    room.enters(LOUNGE)
    room.enters(VAULT)
    opens(room.vip, room.vault)
    room.run_jobs()
    assert (room.access().desired, room.access(room.vault).desired) == (False, True)
    assert len(room.texts()) == 1
    room.sent()
    room.pays(metadata=tag(plan="price_once"))
    opens(room.vip, room.lounge)
    room.run_jobs()
    assert room.access().desired


def test_a_change_reaches_every_customer_however_many_there_are(room: Backroom) -> None:
    people = [1000 + number for number in range(230)]
    for person in people:
        room.person(person)
        key = f"sub_{person}"
        room.subscribes(key, metadata=tag(person), customer=f"cus_{person}")
    opens(room.monthly, room.vault)
    ran = room.run_jobs()
    assert ran.count("review") == 3
    for person in people:
        customer = room.integration.customer_set.get(telegram_user_id=person)
        assert customer.access_set.get(chat=room.vault).desired
        assert not customer.access_set.get(chat=room.lounge).desired


def test_an_edit_that_opens_the_same_chats_judges_nobody(room: Backroom) -> None:
    room.subscribes()
    opens(room.monthly, room.lounge)
    assert "review" not in room.run_jobs()
