"""Whether people got what they asked for, once and in order, judged from outside the product."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from tests.faults.judgement import (
    few_messages_were_doubled,
    nothing_was_lost,
    nothing_was_made_twice,
    recorded_holders,
)
from tests.faults.load import heard_by
from tests.faults.oracle import expected_members, holders

if TYPE_CHECKING:
    from collections.abc import Collection

    from tests.e2e.house import House
    from tests.faults.door import Door
    from tests.faults.load import Load


@dataclass(frozen=True, slots=True)
class History:
    """What happened to a house since it was built, as far as a verdict needs it."""

    #: Everybody who asked to enter.
    asked: set[int]
    #: How often answers of Telegram may have been lost: by deaths, by outages that cut calls off.
    losses: int
    #: Events with greater ids have times that may be compared: the clock has not jumped since.
    times_from: int
    #: The ids of events that were broken on purpose, and so may be dead.
    poison: set[str]


async def judge(house: House, load: Load, door: Door, history: History) -> None:
    """Judge everything since the house was built, of talkers those of this load."""
    await nothing_was_lost(house)
    states = house.ledger.events("stripe")
    account = house.ledger.count("SELECT id FROM store_stripeaccount")
    lost = {one for one in door.taken if states.get((account, one)) != "done"}
    assert not lost, f"acknowledged and lost: {lost}"
    nothing_else_is_dead(house, history.poison)
    truth = await house.truth()
    await nothing_was_made_twice(house, truth)
    assert recorded_holders(house) == holders(truth, house.bot_id)
    members = await house.members() - {house.owner, house.bot_id}
    assert members == expected_members(truth, house.bot_id, history.asked)
    effects_are_there_once(house, [talk.person.id for talk in load.talks])
    lanes_kept_their_order(house, history.times_from)
    await answers_came_in_order(load, history.losses)
    await few_messages_were_doubled(house, history.losses)


def nothing_else_is_dead(house: House, poison: Collection[str]) -> None:
    rows = house.ledger.rows(
        "SELECT source AS what, external_id AS name, error_code, error FROM store_inboxevent"
        " WHERE state = 'dead' UNION ALL"
        " SELECT o.method, e.external_id, o.error_code, o.error FROM store_outboxitem o"
        " LEFT JOIN store_inboxevent e ON e.id = o.cause WHERE o.state IN ('dead', 'suspended')"
    )
    dead = [row for row in rows if row["name"] not in poison]
    assert not dead, dead


def effects_are_there_once(house: House, people: Collection[int]) -> None:
    """Find just one answer for each thing that a talker said."""
    lanes = {f"tg:{house.id}:{person}" for person in people}
    rows = house.ledger.rows(
        "SELECT e.id, e.lane, count(o.id) AS answers FROM store_inboxevent e"
        " LEFT JOIN store_outboxitem o ON o.cause = e.id AND o.method = 'sendMessage'"
        " WHERE e.source = 'telegram' AND e.kind = 'message' GROUP BY e.id, e.lane"
    )
    wrong = [row for row in rows if row["lane"] in lanes and row["answers"] != 1]
    assert not wrong, wrong


def lanes_kept_their_order(house: House, times_from: int) -> None:
    """Compare the order of storing with that of handling, in every lane of Telegram's.

    Telegram brings the next update of a chat when the one before was taken; Stripe's events may
    come to two processes at once, and have no order.
    """
    rows = house.ledger.rows(
        "SELECT lane, id, finished_at FROM store_inboxevent WHERE state = 'done'"
        " AND source = 'telegram' AND outcome <> 'unhandled' AND id > ? ORDER BY lane, id",
        times_from,
    )
    wrong = [
        (before, after)
        for before, after in pairwise(rows)
        if before["lane"] == after["lane"] and before["finished_at"] > after["finished_at"]
    ]
    assert not wrong, wrong[:5]


async def answers_came_in_order(load: Load, losses: int) -> None:
    """Hear each answer, in the order of the questions, and hardly any of them twice."""
    for talk in load.talks:
        heard = await heard_by(talk.person)
        wanted = [load.phrasebook[question] for question in talk.questions]
        assert list(dict.fromkeys(heard)) == wanted, (talk.person.id, talk.questions, heard)
        most = max(heard.count(text) for text in wanted)
        assert most <= 1 + losses, f"person {talk.person.id} heard the same {most} times"
