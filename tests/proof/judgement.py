"""Whether a story kept the promise, told from what the vendors saw and from the oracle alone."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any, Final

from tests.faults.history import Right

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tests.faults.history import Record
    from tests.proof.story import Story
    from velvetrope.sandbox.handset import Control

#: Seconds before a death within which an answer of Telegram's may not have been written down.
_CUT_OFF: Final = 1.0
_OK: Final = 200
#: Removals of one chat within an hour that need nobody's word (the policy's default).
_BRAKE: Final = 5
_HOUR: Final = 3600.0
#: What the occasions of messages begin with whose words are those of the moment of sending.
_RENEWED: Final = frozenset({"due", "ended", "lost"})


class Broken(AssertionError):  # noqa: N818  says what happened to the promise
    """The promise was broken."""


async def judge(story: Story) -> None:
    """Raise Broken for the first thing that is not as promised."""
    await story.world.learn()
    telegram = story.world.house.telegram
    movements = await seen_by(telegram, "movements", story.knows["movements"])
    looks = await seen_by(story.world.house.stripe, "calls", story.knows["stripe"])
    calls = await seen_by(telegram, "calls", story.knows["calls"])
    names = {(await telegram.get(f"chats/{one}"))["title"]: one for one in story.world.house.chats}
    _nobody_inside_heard_a_goodbye(story, calls, movements, names)
    _nobody_was_put_out_by_mistake(story, movements, looks)
    _nobody_was_let_in_for_nothing(story, movements)
    _the_brake_held(story, movements)
    _nothing_was_said_twice(story, calls, movements)
    await everybody_is_where_they_belong(story)
    _nothing_is_left(story)


async def remember_places(story: Story) -> None:
    """Learn who was brought in or put out after the judgement, for the stories to come."""
    telegram, stays = story.world.house.telegram, story.world.stays
    for one in await seen_by(telegram, "movements", story.knows["movements"]):
        if one["is_in"] and not one["was_in"]:
            stays[_place(one)] = one["actor"]
        elif one["was_in"] and not one["is_in"]:
            stays.pop(_place(one), None)


def _ours(story: Story, movements: Iterable[Record]) -> list[Record]:
    return [one for one in movements if one["actor"] == story.world.house.bot_id]


def _nobody_was_put_out_by_mistake(
    story: Story, movements: Sequence[Record], looks: Sequence[Record]
) -> None:
    bot, stays = story.world.house.bot_id, story.world.stays
    for one in movements:
        if one["is_in"] and not one["was_in"]:
            stays[_place(one)] = one["actor"]
        elif one["was_in"] and not one["is_in"]:
            brought_by = stays.pop(_place(one), None)
            if one["actor"] == bot:
                _judge_removal(story, one, brought_by, looks)
    for one in movements:
        last = [other for other in movements if _place(other) == _place(one)][-1]
        if last["actor"] == bot and last["now"] == "kicked":
            raise Broken(f"banned for good: {last}")


def _judge_removal(
    story: Story, one: Record, brought_by: int | None, looks: Sequence[Record]
) -> None:
    """Judge a removal by what Stripe said when it was asked last before it."""
    history, moment = story.world.history, one["time"]
    if brought_by != story.world.house.bot_id:
        raise Broken(f"who was not let in by the product was put out: {one}")
    if one["was"] in {"administrator", "creator"}:
        raise Broken(f"an administrator was put out: {one}")
    asked = _asked_before(history.names_of(one["user"]), moment, looks)
    rights = {history.right(one["user"], one["chat"], at) for at in (asked, moment)}
    if rights == {Right.IN}:
        raise Broken(f"put out with a right, {moment - asked:.2f} s after a look: {one}")


def _place(one: Record) -> tuple[int, int]:
    return one["chat"], one["user"]


def _asked_before(names: set[str], moment: float, looks: Sequence[Record]) -> float:
    """Tell when Stripe was asked about a person last; the moment itself if it never was."""
    found = [
        look["at"]
        for look in looks
        if look["at"] <= moment
        and look["status"] == 200
        and look["method"] == "GET"
        and not look["fault"]
        and (names & set(look["path"].split("/")) or look["params"].get("customer") in names)
    ]
    return max(found, default=moment)


def _nobody_was_let_in_for_nothing(story: Story, movements: Sequence[Record]) -> None:
    for one in _ours(story, movements):
        if one["is_in"] and not story.world.history.ever(one["user"], one["chat"], one["time"]):
            raise Broken(f"let in without ever having had a right: {one}")


def _the_brake_held(story: Story, movements: Sequence[Record]) -> None:
    """Count people: one who is put out twice within the hour is one member of the chat."""
    removals = defaultdict(list)
    for one in _ours(story, movements):
        if one["was_in"] and not one["is_in"]:
            removals[one["chat"]].append((one["time"], one["user"]))
    for chat, found in removals.items():
        for last, _ in found:
            within = [(time, user) for time, user in found if last - _HOUR < time <= last]
            released = any(within[0][0] - _HOUR < one <= last for one in story.releases)
            if len({user for _, user in within}) > _BRAKE and not released:
                raise Broken(f"{within} were put out of {chat} within an hour")


def _nothing_was_said_twice(
    story: Story, calls: Sequence[Record], movements: Sequence[Record]
) -> None:
    """Count messages: against the product's records, and against what there was to say."""
    history, now = story.world.history, story.world.moment()
    cut_off = [call for call in calls if _was_cut_off(story, call)]
    for person in story.people:
        said = Counter(str(call["params"]["text"]) for call in calls if _was_told(call, person.id))
        doubtful = Counter(
            str(call["params"]["text"]) for call in cut_off if _was_told(call, person.id)
        )
        fixed, renewed = _messages_to(story, person.id)
        others = (said - doubtful) - fixed
        if twice := [text for text in others if text in fixed]:
            raise Broken(f"said more often to {person.id} than meant: {twice}")
        if others.total() > renewed:
            raise Broken(f"{person.id} was told {renewed} times of then, and heard {others}")
        entries = Counter(
            one["chat"]
            for one in _ours(story, movements)
            if one["is_in"] and one["user"] == person.id
        )
        bounds = {
            # A status that is forced opens a subscription without any money.
            "RECEIVED": max(history.receipts(person.id), history.purchases(person.id)),
            "TRIAL": history.purchases(person.id),
            "FAILED": history.failures(person.id),
            "WELCOME": sum(entries.values()),
            "ENDED": history.closings(person.id, now),
        }
        for mark, most in bounds.items():
            number = sum((said - doubtful)[text] for text in said if text.startswith(mark))
            if number > most:
                raise Broken(f"{mark} was said {number} times to {person.id} on {most} occasions")


def _nobody_inside_heard_a_goodbye(
    story: Story,
    calls: Sequence[Record],
    movements: Sequence[Record],
    names: Mapping[str, int],
) -> None:
    """Hold each goodbye against the place of the person at its moment, if the bot let them in."""
    for call in calls:
        text = str(call["params"].get("text", ""))
        if call["status"] != _OK or not text.startswith("ENDED"):
            continue
        person, moment = int(call["params"]["chat_id"]), call["time"]
        for chat in (chat for name, chat in names.items() if f"<b>{name}</b>" in text):
            place = (chat, person)
            last = [one for one in movements if _place(one) == place and one["time"] <= moment]
            by = story.world.stays.get(place)
            if last:
                by = last[-1]["actor"] if last[-1]["is_in"] else None
            if by == story.world.house.bot_id:
                raise Broken(f"told {text!r} while inside: {call}")


def _was_told(call: Record, person: int) -> bool:
    right = call["method"] == "sendMessage" and call["status"] == _OK
    return right and str(call["params"]["chat_id"]) == str(person)


def _was_cut_off(story: Story, call: Record) -> bool:
    return any(0 <= death - call["time"] < _CUT_OFF for death in story.deaths)


def _messages_to(story: Story, person: int) -> tuple[Counter[str], int]:
    """Count the messages that are sent as they were written down, and the others that were sent."""
    rows = story.world.house.ledger.rows(
        "SELECT params, occasion, state FROM store_outboxitem"
        " WHERE method = 'sendMessage' AND chat_id = ?",
        person,
    )
    families = [(row, (row["occasion"] or "").split(":")[0]) for row in rows]
    fixed = [row for row, family in families if family not in _RENEWED]
    renewed = [row for row, family in families if family in _RENEWED and row["state"] == "sent"]
    return Counter(str(json.loads(row["params"])["text"]) for row in fixed), len(renewed)


async def everybody_is_where_they_belong(story: Story) -> None:
    """Compare the members of each chat with the oracle, for everybody who was ever in the world."""
    world, now = story.world, story.world.moment()
    cast = {person.id for person in story.people}
    for chat in world.house.chats:
        room = await world.house.telegram.get(f"chats/{chat}")
        inside = {
            one["id"]
            for one in room["members"]
            if one["is_in"] and one["status"] in {"member", "restricted"}
        }
        for person in inside | cast:
            right = world.history.right(person, chat, now)
            brought_by = world.stays.get((chat, person))
            own = person in inside and brought_by != world.house.bot_id
            if person in inside and right is Right.OUT and not own:
                raise Broken(f"{person} is in {chat} without a right")
            if person in cast and person not in inside and right is Right.IN:
                raise Broken(f"{person} has a right and is not in {chat}")


def _nothing_is_left(story: Story) -> None:
    ledger = story.world.house.ledger
    left = ledger.unfinished()
    if left:
        raise Broken(f"unfinished: {left}")
    if dead := ledger.dead():
        raise Broken(f"dead letters: {dead}")


async def seen_by(control: Control, what: str, after: int) -> list[dict[str, Any]]:
    """Give the records of a simulator since one of them."""
    found: list[dict[str, Any]] = []
    while True:
        page = await control.get(f"{what}?after={after}&limit=5000")
        found += page[what]
        if not page[what] or page[what][-1]["number"] >= page["last"]:
            return found
        after = page[what][-1]["number"]
