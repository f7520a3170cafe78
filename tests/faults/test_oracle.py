"""The oracle itself, on small truths whose outcome is plain to see."""

from __future__ import annotations

from typing import Any

import pytest

from tests.faults.oracle import expected_members, holders

BOT, ANN = 700, 42


def truth(**rows: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    kinds = ("subscriptions", "payments", "invoice_payments", "refunds", "disputes")
    return {kind: rows.get(kind, []) for kind in kinds}


def tagged(person: int = ANN, bot: int = BOT) -> dict[str, dict[str, str]]:
    return {"metadata": {"velvetrope_integration": str(bot), "telegram_user_id": str(person)}}


def subscribed(status: str = "active", **rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Give somebody a subscription whose latest invoice was paid by pi_1."""
    return truth(
        subscriptions=[{"status": status, "latest_invoice": "in_1", **tagged()}],
        invoice_payments=[{"invoice": "in_1", "payment": {"payment_intent": "pi_1"}}],
        payments=[{"id": "pi_1", "status": "succeeded", "amount": 900, "metadata": {}}],
        **rows,
    )


def paid_once(**rows: list[dict[str, Any]]) -> dict[str, Any]:
    payment = {"id": "pi_1", "status": "succeeded", "amount": 900, **tagged()}
    return truth(payments=[payment], **rows)


def refund(amount: int, status: str = "succeeded") -> list[dict[str, Any]]:
    return [{"payment_intent": "pi_1", "amount": amount, "status": status}]


def dispute(status: str) -> list[dict[str, Any]]:
    return [{"payment_intent": "pi_1", "status": status}]


@pytest.mark.parametrize(
    ("status", "holds"),
    [("active", True), ("trialing", True), ("canceled", False), ("incomplete", False)],
)
def test_a_subscription_holds_by_its_status(status: str, holds: bool) -> None:
    assert holders(subscribed(status), BOT) == ({ANN} if holds else set())


@pytest.mark.parametrize("make", [subscribed, paid_once])
@pytest.mark.parametrize(
    ("rows", "holds"),
    [
        ({}, True),
        ({"refunds": refund(100)}, True),
        ({"refunds": refund(900)}, False),
        ({"refunds": refund(400) + refund(500)}, False),
        ({"refunds": refund(900, "failed")}, True),
        ({"disputes": dispute("needs_response")}, False),
        ({"disputes": dispute("warning_needs_response")}, True),
        ({"disputes": dispute("won")}, True),
        ({"disputes": dispute("lost")}, False),
    ],
)
def test_money_that_went_back_ends_the_right(
    make: Any, rows: dict[str, list[dict[str, Any]]], holds: bool
) -> None:
    assert holders(make(**rows), BOT) == ({ANN} if holds else set())


def test_what_belongs_to_another_bot_or_to_nobody_counts_for_nobody() -> None:
    foreign = {"id": "pi_1", "status": "succeeded", "amount": 900}
    others = [{**foreign, **tagged(bot=701)}, {**foreign, "metadata": None}]
    assert holders(truth(payments=others), BOT) == set()


def test_members_are_those_who_hold_and_asked() -> None:
    assert expected_members(paid_once(), BOT, {ANN, 43}) == {ANN}
    assert expected_members(paid_once(), BOT, {43}) == set()
