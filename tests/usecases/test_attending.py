"""An operator's buttons for one customer: sync now, invite again, write."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.usecases.snapshots import ANN, LOUNGE, NOW, VAULT
from velvetrope.domain.states import Presence
from velvetrope.store.models import AuditEntry, Customer, InboxEvent
from velvetrope.usecases import operations

if TYPE_CHECKING:
    from tests.usecases.backroom import Backroom

ACTOR = "operator:anna"


def test_a_sync_looks_at_stripe_and_at_every_chat(room: Backroom) -> None:
    room.subscribes()
    room.asks()
    room.sent()
    room.later(timedelta(minutes=5))
    room.bot.statuses[LOUNGE, ANN] = "left"
    room.bot.statuses[VAULT, ANN] = "kicked"
    room.stripe.asked.clear()
    operations.sync(room.ann.id, ACTOR)
    room.run_jobs()
    assert room.stripe.asked
    assert room.access(room.lounge).observed == Presence.OUTSIDE
    assert room.access(room.vault).observed == Presence.BANNED


def test_what_an_update_told_after_the_question_counts_more_than_the_answer(
    room: Backroom,
) -> None:
    room.subscribes()
    room.bot.statuses[LOUNGE, ANN] = "left"
    operations.sync(room.ann.id, ACTOR)
    prepared = room.prepare(room.job("sync"))
    room.later(timedelta(seconds=1))
    room.asks()
    room.sent()
    room.finish(prepared)
    assert room.access().observed == Presence.INSIDE
    assert room.access().let_in_at is not None


def test_a_request_at_the_door_is_no_reason_to_forget_it(room: Backroom) -> None:
    room.subscribes()
    room.asks()
    room.bot.statuses[LOUNGE, ANN] = "left"
    room.later(timedelta(seconds=1))
    operations.sync(room.ann.id, ACTOR)
    room.run_jobs()
    assert room.access().observed == Presence.REQUESTED
    assert "approveChatJoinRequest" in room.methods()


def test_reinviting_lifts_a_ban_and_shows_the_doors(room: Backroom) -> None:
    room.subscribes()
    room.sent()
    room.later(timedelta(minutes=5))
    room.bot.statuses[LOUNGE, ANN] = "kicked"
    operations.reinvite(room.ann.id, ACTOR)
    room.run_jobs()
    assert room.methods() == ["unbanChatMember", "sendMessage"]
    (message,) = room.calls("sendMessage")
    assert f"invite:{room.lounge.id}".encode() in bytes(message.params)


def test_who_holds_no_right_is_not_invited(room: Backroom) -> None:
    with pytest.raises(operations.OrderRefusedError, match="no right"):
        operations.reinvite(room.ann.id, ACTOR)


def test_words_go_to_the_person_as_they_are_and_stay_out_of_the_record(room: Backroom) -> None:
    operations.write_to(room.ann.id, " Come <back> & pay \n", ACTOR)
    room.run_jobs()
    assert room.texts() == ["Come &lt;back&gt; &amp; pay"]
    entry = AuditEntry.objects.get(action="member.message_ordered")
    assert entry.actor == ACTOR
    assert entry.after is not None
    assert entry.after["characters"] == 17
    assert "pay" not in str(entry.after)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"blocked_at": NOW}, "blocks the bot"),
        ({"started_at": None}, "never pressed /start"),
        ({"deactivated_at": NOW}, "account is gone"),
    ],
)
def test_who_can_not_be_reached_is_not_written_to(
    room: Backroom, fields: dict[str, object], words: str
) -> None:
    Customer.objects.filter(id=room.ann.id).update(**fields)
    with pytest.raises(operations.OrderRefusedError, match=words):
        operations.write_to(room.ann.id, "Hello", ACTOR)
    assert not InboxEvent.objects.filter(source="job").exists()


def test_a_text_that_telegram_would_not_take_is_refused(room: Backroom) -> None:
    for text in (" \n", "x" * 4097):
        with pytest.raises(operations.OrderRefusedError):
            operations.write_to(room.ann.id, text, ACTOR)
    operations.write_to(room.ann.id, "<" * 4096, ACTOR)
    room.run_jobs()
    assert room.texts() == ["&lt;" * 4096]
