from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.pipeline.works import Doing, event, now, until
from velvetrope.domain.errors import Permanent, RetryLater
from velvetrope.store.models import Customer, InboxEvent, Lane, OutboxItem

if TYPE_CHECKING:
    from tests.pipeline.works import Works
    from velvetrope.pipeline.events import Event
    from velvetrope.pipeline.work import Work


def greet(event: Event, facts: Any, work: Work) -> None:  # noqa: ARG001  port
    user = int(event.lane.rpartition(":")[2])
    key = (event.account, user)
    customer = work.customer(key) or work.new_customer(key, first_name="A", started_at=work.now)
    work.send(
        integration_id=event.account,
        method="sendMessage",
        params={"chat_id": user, "text": f"hello {event.external_id}"},
        chat_id=user,
        customer=customer,
    )


GREET = Doing(greet, about=lambda event: [(event.account, int(event.lane.rpartition(":")[2]))])


async def test_an_update_is_stored_handled_and_answered(works: Works) -> None:
    pipeline = await works.start({("telegram", "message"): GREET})
    assert await pipeline.store(event(works.integration.id, 7, external_id="1"))
    await works.quiet()
    assert works.telegram.texts == ["hello 1"]
    row = await works.read(lambda: InboxEvent.objects.get())
    assert (row.state, row.outcome) == ("done", "handled")
    item = await works.read(lambda: OutboxItem.objects.get())
    assert (item.state, item.message_id, item.cause) == ("sent", 1, row.id)
    assert await works.read(lambda: Customer.objects.get().telegram_user_id) == 7


async def test_the_same_update_counts_once(works: Works) -> None:
    pipeline = await works.start({("telegram", "message"): GREET})
    answers = await asyncio.gather(
        *(pipeline.store(event(works.integration.id, 7, external_id="5")) for _ in range(20))
    )
    assert sorted(answers) == [False] * 19 + [True]
    await works.quiet()
    assert len(works.telegram.calls) == 1


async def test_many_lanes_make_one_customer_each_and_keep_their_order(works: Works) -> None:
    pipeline = await works.start({("telegram", "message"): GREET})
    updates = [event(works.integration.id, user, external_id=f"{n}") for n, user in enumerate(
        [1 + n % 50 for n in range(200)])]
    await asyncio.gather(*(pipeline.store(update) for update in updates))
    await until(lambda: len(works.telegram.calls) == 200, seconds=20)
    assert await works.read(Customer.objects.count) == 50
    for user in range(1, 51):
        said = [p["text"] for _, _, p in works.telegram.calls if p["chat_id"] == user]
        assert said == [f"hello {n}" for n in range(user - 1, 200, 50)]
