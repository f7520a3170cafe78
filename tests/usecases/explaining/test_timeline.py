"""Timelines: what is in them, in which order, and what finding them costs."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.usecases.snapshots import ANN
from velvetrope.domain.errors import Permanent
from velvetrope.store.models import Chat, Customer, OutboxItem
from velvetrope.usecases import operations

if TYPE_CHECKING:
    from tests.usecases.backroom import Backroom
    from velvetrope.usecases.explaining import Story

KEEPER = 5


def explained(room: Backroom, most: int | None = 200) -> Story:
    from velvetrope.usecases.explaining import explain_customer  # noqa: PLC0415  Django is set up

    customer = Customer.objects.select_related("integration").get(id=room.ann.id)
    return explain_customer(customer, room.now, most)


def texts(room: Backroom) -> list[str]:
    return [entry.text for entry in explained(room).entries]


def lounge(room: Backroom) -> Any:
    return next(one for one in explained(room).places if one.title == "Lounge")


def pay_and_enter(room: Backroom) -> None:
    room.subscribes()
    room.later(timedelta(minutes=1))
    room.asks()
    room.sent()


def test_a_stranger_at_the_door_is_told_from_who_is_to_be_let_in(room: Backroom) -> None:
    room.asks()
    assert lounge(room).sentence == (
        "Should be out, because nothing that opens this chat was ever paid for or given; "
        "outside: asked to enter on 1 March, 12:00, not yet paid."
    )
    room.subscribes()
    assert "asked to enter on 1 March, 12:00, and is being let in" in lounge(room).sentence


def test_who_let_a_person_in_and_who_took_them_out_is_said(room: Backroom) -> None:
    pay_and_enter(room)
    assert lounge(room).sentence.endswith("is in, let in by the bot on 1 March, 12:01.")
    room.later(timedelta(minutes=1))
    room.moves("left", by=ANN)
    assert "is out, having left by themselves on 1 March, 12:02" in lounge(room).sentence
    room.moves("kicked", by=KEEPER)
    assert f"was banned there by ({KEEPER}), an administrator" in lounge(room).sentence
    assert f"({KEEPER}), an administrator, banned them from «Lounge»." in texts(room)


def test_who_is_held_inside_is_said_to_hear_of_the_end_when_they_are_out(room: Backroom) -> None:
    pay_and_enter(room)
    Chat.objects.update(brake_at=room.now)
    room.subscribes(kind="customer.subscription.deleted", status="canceled", ended_at=room.now)
    room.deliver()
    assert "Hears once they are out: «access has ended»." in texts(room)
    room.moves("left", by=ANN)
    room.deliver()
    assert "Told: «access has ended»." in texts(room)


def test_who_was_in_before_the_product_is_left_alone_and_said_to_be(room: Backroom) -> None:
    room.moves("member", by=ANN)
    assert lounge(room).sentence.endswith(
        "is inside, and left alone because the bot did not let them in."
    )
    room.subscribes()
    assert lounge(room).sentence.endswith("is in, having come in by themselves on 1 March, 12:00.")


def test_a_right_that_somebody_else_pays_for_says_so(room: Backroom) -> None:
    room.subscribes()
    assert "somebody else" not in lounge(room).sentence
    Customer.objects.filter(id=room.ann.id).update(stripe_customer_id="cus_of_ann")
    assert "(somebody else pays for it)" in lounge(room).sentence


def test_a_removal_that_waits_for_the_operator_says_so(room: Backroom) -> None:
    pay_and_enter(room)
    room.subscribes(status="canceled", kind="customer.subscription.deleted")
    access = room.access()
    access.problem = "removals_held"
    access.save()
    place = lounge(room)
    assert place.sentence.endswith("still inside, because removals of this chat wait for you.")
    assert "«Removals»" in place.fix
    assert place.tone == "bad"


def test_what_telegram_refuses_is_said_with_the_way_to_mend_it(room: Backroom) -> None:
    room.subscribes()
    room.asks()
    (call,) = room.calls("approveChatJoinRequest")
    room.failed(call, Permanent("missing_rights"))
    place = lounge(room)
    assert "could not be let in: the bot lacks rights in the chat" in place.sentence
    assert "switch" in place.fix
    assert any("in vain" in text for text in texts(room))


def test_trouble_of_the_whole_chat_comes_first(room: Backroom) -> None:
    pay_and_enter(room)
    Chat.objects.filter(id=room.lounge.id).update(problem={"code": "bot_not_in_chat"})
    assert lounge(room).fix.startswith("The bot is not in the chat.")
    assert lounge(room).tone == "bad"


def test_an_order_is_told_with_its_end(room: Backroom) -> None:
    pay_and_enter(room)
    operations.write_to(room.ann.id, "A private word", "operator:anna")
    wrote = "Operator anna wrote to the person through the bot"
    assert f"{wrote} – it is under way." in texts(room)
    room.run_jobs()
    assert f"{wrote} – it is about to be sent." in texts(room)
    room.sent()
    assert f"{wrote} – it has arrived." in texts(room)
    assert "private word" not in " ".join(texts(room))


def test_the_newest_entries_are_kept_where_there_are_too_many(room: Backroom) -> None:
    pay_and_enter(room)
    whole = explained(room, None).entries
    some = explained(room, 3)
    assert some.entries == whole[-3:]
    assert some.has_earlier
    assert not explained(room, len(whole)).has_earlier
    assert [one.at for one in whole] == sorted(one.at for one in whole)


def test_questions_are_answered_before_and_after_a_payment(room: Backroom) -> None:
    paid, coming, told = (one.answer for one in explained(room).answers)
    assert paid == "No, and they never opened a payment page."
    assert coming.startswith("Nothing by itself")
    assert told.startswith("Nothing of its own accord")
    pay_and_enter(room)
    paid, coming, told = (one.answer for one in explained(room).answers)
    assert paid.startswith("Yes: the monthly subscription to «price_month», since 1 March")
    assert coming.startswith("31 March: the next payment for the monthly subscription")
    assert told == "«Welcome, you are in», on 1 March, 12:01."


def test_a_trial_is_no_payment(room: Backroom) -> None:
    room.subscribes(status="trialing", trial_end=room.now + timedelta(days=7))
    paid = explained(room).answers[0].answer
    assert paid.startswith("Not yet: the free trial")


@pytest.mark.sqlite_only
def test_no_table_is_read_from_end_to_end(room: Backroom) -> None:
    """Events have no index by customer: they have to be found by others."""
    pay_and_enter(room)
    assert OutboxItem.objects.exists()
    with CaptureQueriesContext(connection) as asked:
        explained(room)
    plans = []
    with connection.cursor() as cursor:
        for query in asked.captured_queries:
            cursor.execute(f"EXPLAIN QUERY PLAN {query['sql']}")
            plans += [row[3] for row in cursor.fetchall()]
    big = ("inboxevent", "outboxitem", "auditentry", "entitlement", "access", "checkout")
    dead = "inbox_dead"  # all failed events, which are few
    scans = [step for step in plans if step.startswith("SCAN") and dead not in step]
    assert [step for step in scans if any(f"store_{name}" in step for name in big)] == []
    assert len(asked.captured_queries) <= 25
