"""Who should be in a chat, computed from Stripe's own records and from who asked to enter.

Written from the access policy of the design, without a line of the product: what both agree on is
not agreed on by a common mistake. Times don't matter here, since the stories that are judged last
for seconds.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any, TypeAlias

Record: TypeAlias = Mapping[str, Any]
State: TypeAlias = Mapping[str, Sequence[Record]]

_IN = frozenset({"active", "trialing", "past_due"})
_MONEY_STAYED = frozenset({"won", "prevented"})


def expected_members(state: State, bot: int, asked: Collection[int]) -> set[int]:
    """Give those who pay and whose last word at the door was to come in.

    `state` is what Stripe's `/control/state` gives of one account, `bot` the bot's Telegram id.
    """
    return holders(state, bot) & set(asked)


def holders(state: State, bot: int) -> set[int]:
    """Give the Telegram ids of those who hold a right to what the bot sells."""
    taken_back = payments_taken_back(state)
    paid_by: dict[str, set[str]] = defaultdict(set)
    for pair in state["invoice_payments"]:
        paid_by[pair["invoice"]].add(pair["payment"]["payment_intent"])
    found = set()
    for subscription in state["subscriptions"]:
        person = owner(subscription, bot)
        latest = paid_by[subscription["latest_invoice"]]
        if person and subscription["status"] in _IN and not latest & taken_back:
            found.add(person)
    for payment in state["payments"]:
        person = owner(payment, bot)
        if person and payment["status"] == "succeeded" and payment["id"] not in taken_back:
            found.add(person)
    return found


def payments_taken_back(state: State) -> set[str]:
    """Give the payments whose money went back: refunded in full, or disputed and not won."""
    refunded: dict[str, int] = defaultdict(int)
    for refund in state["refunds"]:
        if refund["status"] in {"succeeded", "pending"}:
            refunded[refund["payment_intent"]] += refund["amount"]
    full = {
        payment["id"]
        for payment in state["payments"]
        if payment["amount"] and refunded[payment["id"]] >= payment["amount"]
    }
    disputed = {
        dispute["payment_intent"]
        for dispute in state["disputes"]
        if dispute["status"] not in _MONEY_STAYED and not dispute["status"].startswith("warning_")
    }
    return full | disputed


def owner(record: Record, bot: int) -> int | None:
    """Give the Telegram id of the person to whom an object of Stripe belongs."""
    tag = record.get("metadata") or {}
    if tag.get("velvetrope_integration") != str(bot):
        return None
    return int(tag["telegram_user_id"])
