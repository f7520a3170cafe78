"""Whether a story ended as it must, whatever happened to the server on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.faults.calls import calls_after
from tests.faults.oracle import expected_members, holders

if TYPE_CHECKING:
    from tests.e2e.house import House
    from tests.faults.crowd import Crowd
    from velvetrope.sandbox.handset import Control


async def judge(house: House, crowd: Crowd, *, deaths: int) -> None:
    """Compare the chat, the product's records and what was said with what Stripe implies."""
    truth = await house.truth()
    strangers = {house.owner, house.bot_id}
    members = await house.members() - strangers
    expected = expected_members(truth, house.bot_id, crowd.asked)
    assert members == expected, _difference(house, members, expected)
    recorded, right = recorded_holders(house), holders(truth, house.bot_id)
    assert recorded == right, f"{recorded - right} should not hold; {right - recorded} should"
    await nothing_was_lost(house)
    assert not house.ledger.dead()
    await nothing_was_made_twice(house, truth)
    await few_messages_were_doubled(house, deaths)


def recorded_holders(house: House) -> set[int]:
    rows = house.ledger.rows(
        "SELECT DISTINCT c.telegram_user_id AS person FROM store_entitlement e"
        " JOIN store_customer c ON c.id = e.customer_id WHERE e.holds"
    )
    return {row["person"] for row in rows}


async def nothing_was_lost(house: House) -> None:
    """Find every delivery that was acknowledged among the events that are done."""
    updates, events = house.ledger.events("telegram"), house.ledger.events("stripe")
    account = house.ledger.count("SELECT id FROM store_stripeaccount")
    taken = {
        str(one["update_id"])
        for one in await _all(house.telegram, "deliveries")
        if one["status"] == 200 and one["bot"] == house.bot_id
    }
    lost = {one for one in taken if updates.get((house.id, one)) != "done"}
    assert taken
    assert not lost, f"{len(lost)} of {len(taken)} updates"
    taken = {one["event"] for one in await _all(house.stripe, "deliveries") if one["status"] == 200}
    lost = {one for one in taken if events.get((account, one)) != "done"}
    assert taken
    assert not lost, f"{len(lost)} of {len(taken)} events"


async def nothing_was_made_twice(house: House, truth: dict[str, list[dict[str, Any]]]) -> None:
    owners = [(one["metadata"] or {}).get("telegram_user_id") for one in truth["customers"]]
    assert len(owners) == len(set(owners)), "somebody has two customers at Stripe"
    opened = house.ledger.rows(
        "SELECT external_id FROM store_entitlement GROUP BY external_id HAVING count(*) > 1"
    )
    assert not opened


async def few_messages_were_doubled(house: House, deaths: int) -> None:
    """Count what was said more often than the product knows: only what a death cut off."""
    calls = await calls_after(house, 0, "sendMessage")
    answered = [one for one in calls if one["status"] == 200]
    surely = len([one for one in answered if not one.get("fault")])  # others may be nonsense
    known = house.ledger.calls_sent("sendMessage")
    # Calls of one bot that are under way, or not written down yet, at the same time at most.
    at_once = 64
    assert known <= len(answered), (known, len(answered))
    assert surely <= known + deaths * at_once, (known, surely, deaths)


def _difference(house: House, members: set[int], expected: set[int]) -> str:
    rows = house.ledger.rows(
        "SELECT c.telegram_user_id AS person, a.desired, a.observed, a.requested_at, a.let_in_at,"
        " a.action, a.problem FROM store_access a JOIN store_customer c ON c.id = a.customer_id"
    )
    wrong = [row for row in rows if row["person"] in members ^ expected]
    return f"inside by mistake: {members - expected}; missing: {expected - members}; {wrong}"


async def _all(control: Control, what: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    after = 0
    while True:
        page = await control.get(f"{what}?after={after}&limit=1000")
        found += page[what]
        if not page[what] or page[what][-1]["number"] >= page["last"]:
            return found
        after = page[what][-1]["number"]
