"""The oracle that knows the time, on small histories whose outcome is plain to see."""

from __future__ import annotations

from typing import Any

import pytest

from tests.faults.history import DAY, Gift, History, Right, Shop

BOT, ANN, LOUNGE = 700, 42, -100
IN, OUT, EITHER = Right.IN, Right.OUT, Right.EITHER
SHOP = Shop(
    bot=BOT, opens={"month": frozenset({LOUNGE}), "once": frozenset({LOUNGE})}, days={"once": 30}
)
TAG = {"velvetrope_integration": str(BOT), "telegram_user_id": str(ANN)}


class Told:
    """A history that is told event by event, one second after another unless said otherwise."""

    def __init__(self) -> None:
        self.history = History(SHOP)
        self.now = 1000.0

    def tell(self, record: dict[str, Any], kind: str = "", later: float = 1.0) -> None:
        self.now += later
        event = {"type": kind, "at": self.now, "data": {"object": dict(record)}}
        self.history.feed([event])

    def subscribed(self, status: str = "active", later: float = 1.0, **fields: Any) -> None:
        record = {
            "id": "sub_1",
            "object": "subscription",
            "status": status,
            "metadata": TAG,
            "customer": "cus_1",
            "latest_invoice": "in_1",
            "pause_collection": None,
            "items": {"data": [{"price": {"id": "month"}}]},
        }
        self.tell({**record, **fields}, later=later)

    def paid(self, invoice: str = "in_1", payment: str = "pi_1") -> None:
        of = {"subscription_details": {"subscription": "sub_1"}}
        bill = {"id": invoice, "object": "invoice", "parent": of}
        self.tell(bill)
        self.money(payment, tagged=False)
        pair = {"object": "invoice_payment", "id": "inpay_1", "invoice": invoice}
        self.tell({**pair, "payment": {"payment_intent": payment}}, "invoice_payment.paid")
        self.tell(bill, "invoice.paid")

    def money(self, name: str = "pi_1", *, tagged: bool = True, status: str = "succeeded") -> None:
        tag = {**TAG, "velvetrope_plan": "once"} if tagged else {}
        kept = {"id": name, "object": "payment_intent", "amount": 900, "created": 1000}
        self.tell({**kept, "customer": "cus_1", "status": status, "metadata": tag})

    def back(self, kind: str, status: str, amount: int = 900) -> None:
        name = {"id": f"{kind}_1", "object": kind, "payment_intent": "pi_1", "amount": amount}
        self.tell({**name, "status": status})

    def right(self, later: float = 0.0) -> Right:
        return self.history.right(ANN, LOUNGE, self.now + later)


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.mark.parametrize(
    ("status", "right"),
    [
        ("active", IN),
        ("trialing", IN),
        ("past_due", IN),
        ("canceled", OUT),
        ("unpaid", OUT),
        ("paused", OUT),
        ("incomplete", OUT),
        ("on_the_moon", EITHER),
    ],
)
def test_a_subscription_holds_by_its_status(told: Told, status: str, right: Right) -> None:
    told.subscribed(status)
    assert told.right() is right


def test_grace_ends_days_after_the_first_failure_though_more_follow(told: Told) -> None:
    told.subscribed("past_due")
    told.subscribed("past_due", later=5 * DAY)
    assert (told.right(), told.right(later=2 * DAY - 1), told.right(later=2 * DAY)) == (IN, IN, OUT)
    told.history.decree(told.now, grace_days=3)
    assert told.right() is OUT


def test_each_moment_is_judged_by_what_was_known_then(told: Told) -> None:
    told.subscribed()
    then = told.now
    told.subscribed("canceled")
    assert (told.history.right(ANN, LOUNGE, then), told.right()) == (IN, OUT)
    assert told.history.right(ANN, LOUNGE, then - 1) is OUT
    assert told.history.ever(ANN, LOUNGE, told.now)
    assert told.history.closings(ANN, told.now) == 2  # once for each price that opens the chat


@pytest.mark.parametrize("subscribed", [True, False])
@pytest.mark.parametrize(
    ("kind", "status", "amount", "right"),
    [
        ("refund", "succeeded", 900, OUT),
        ("refund", "pending", 900, OUT),
        ("refund", "failed", 900, IN),
        ("refund", "succeeded", 100, IN),
        ("dispute", "needs_response", 900, OUT),
        ("dispute", "warning_needs_response", 900, IN),
        ("dispute", "lost", 900, OUT),
        ("dispute", "won", 900, IN),
    ],
)
def test_money_that_went_back_ends_the_right(
    told: Told, subscribed: bool, kind: str, status: str, amount: int, right: Right
) -> None:
    if subscribed:
        told.subscribed()
        told.paid()
    else:
        told.money()
    assert told.right() is IN
    told.back(kind, status, amount)
    assert told.right() is right


def test_a_newer_paid_period_makes_up_for_a_refund(told: Told) -> None:
    told.subscribed()
    told.paid()
    told.back("refund", "succeeded")
    told.subscribed(latest_invoice="in_2")
    assert told.right() is OUT
    told.paid("in_2", "pi_2")
    assert told.right() is IN


def test_a_refund_of_the_last_period_says_nothing_while_the_new_one_is_unpaid(told: Told) -> None:
    told.subscribed()
    told.paid()
    told.tell({"id": "in_2", "object": "invoice", "parent": None})
    told.subscribed(latest_invoice="in_2")
    told.back("refund", "succeeded")
    assert told.right() is EITHER


def test_a_single_payment_lasts_its_days(told: Told) -> None:
    told.money(status="processing")
    assert told.right() is OUT
    told.money()
    ends = 1000 + 30 * DAY - told.now
    assert (told.right(later=ends - 1), told.right(later=ends)) == (IN, EITHER)
    in_doubt, over = told.now + ends, told.now + ends + 5 * DAY
    most = [told.history.closings(ANN, moment) for moment in (in_doubt - 1, in_doubt, over)]
    assert most[0] == 0
    assert most[1] == most[2] > 0  # it may have ended already, and ends once
    assert told.right(later=ends + 10) is OUT


def test_a_paused_collection_counts_as_the_policy_says(told: Told) -> None:
    told.subscribed(pause_collection={"behavior": "void"})
    assert told.right() is IN
    told.history.decree(told.now, collection_pause_keeps=False)
    assert told.right() is OUT


def test_a_status_that_nobody_knows_says_nothing_of_a_pause_either(told: Told) -> None:
    told.history.decree(told.now, collection_pause_keeps=False)
    told.subscribed("on_the_moon", pause_collection={"behavior": "void"})
    assert told.right() is EITHER


def test_a_grant_is_sure_from_when_it_was_done_until_it_is_taken_back(told: Told) -> None:
    gift = Gift(ANN, "month", ordered=1000, until=9000, since=1010, revoked=2000, over=2010)
    told.history.gifts.append(gift)
    rights = [told.history.right(ANN, LOUNGE, at) for at in (999, 1005, 1500, 2005, 2020, 9500)]
    assert rights == [OUT, EITHER, IN, EITHER, OUT, OUT]


def test_what_others_sell_gives_no_right(told: Told) -> None:
    told.subscribed(metadata={"telegram_user_id": str(ANN)})
    told.subscribed(metadata={**TAG, "velvetrope_integration": "701"})
    assert told.right() is OUT


def test_purchases_and_failures_are_counted(told: Told) -> None:
    told.subscribed()
    told.subscribed("past_due")
    told.subscribed("past_due")
    told.subscribed("active")
    told.subscribed("past_due")
    told.money()
    history = told.history
    assert (history.purchases(ANN), history.receipts(ANN), history.failures(ANN)) == (2, 1, 2)
