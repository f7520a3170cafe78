from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.pipeline.works import Doing, event, now
from velvetrope.domain.states import Presence
from velvetrope.store.models import Access, AuditEntry, Chat, Customer, Integration

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.pipeline.works import Works
    from velvetrope.pipeline.events import CustomerKey, Event
    from velvetrope.pipeline.work import Work

MESSAGE = ("telegram", "message")


def key_of(event: Event) -> CustomerKey:
    return event.account, int(event.lane.rpartition(":")[2])


def doing(apply: Callable[[Event, Work], Any]) -> dict[tuple[str, str], Doing]:
    def run(event: Event, _facts: Any, work: Work) -> None:
        apply(event, work)

    return {MESSAGE: Doing(run, about=lambda event: [key_of(event)])}


async def run(works: Works, apply: Callable[[Event, Work], Any], *users: int) -> None:
    pipeline = await works.start(doing(apply))
    await asyncio.gather(*(pipeline.store(event(user=user)) for user in users or (1,)))
    await works.quiet()
    assert not pipeline.stats.events_dead, pipeline.stats.events_dead
    await works.stop()


def visit(event: Event, work: Work) -> None:
    if work.customer(key_of(event)) is None:
        work.new_customer(key_of(event), first_name="New")


async def test_rows_of_a_customer_include_what_was_just_saved(works: Works) -> None:
    def enter(event: Event, work: Work) -> None:
        customer = work.customer(key_of(event)) or work.new_customer(key_of(event))
        assert work.accesses(customer) == []
        chat = work.integration(event.account).chats[0]
        work.save(Access(customer_id=customer.id, chat_id=chat.id, desired=True))
        (access,) = work.accesses(customer)
        access.observed = Presence.INSIDE.value
        work.save(access)
        assert work.customer(key_of(event)) is customer

    await run(works, enter, 1, 2, 3)
    await works.start(serving=False)
    found = await works.read(lambda: list(Access.objects.values_list("desired", "observed")))
    assert found == [(True, "inside")] * 3


async def test_changes_that_were_not_saved_are_forgotten(works: Works) -> None:
    await run(works, visit)

    def change(event: Event, work: Work) -> None:
        customer = work.customer(key_of(event))
        assert customer is not None
        customer.first_name = "Changed"

    await run(works, change)
    await works.start(serving=False)
    assert await works.read(lambda: Customer.objects.get().first_name) == "New"


async def test_only_columns_that_changed_are_written(works: Works) -> None:
    await run(works, visit)

    def change(event: Event, work: Work) -> None:
        customer = work.customer(key_of(event))
        assert customer is not None
        # What somebody else wrote into another column in the meantime stays.
        Customer.objects.filter(id=customer.id).update(username="console")
        customer.first_name = "Changed"
        work.save(customer)

    await run(works, change)
    await works.start(serving=False)
    row = await works.read(Customer.objects.get)
    assert (row.first_name, row.username) == ("Changed", "console")


async def test_events_of_other_lanes_see_one_anothers_changes(works: Works) -> None:
    await run(works, visit)

    def count_up(event: Event, work: Work) -> None:
        customer = work.customer((event.account, 1))
        assert customer is not None
        customer.first_name = str(int(customer.first_name or "0") + 1)
        work.save(customer)

    def reset(event: Event, work: Work) -> None:
        customer = work.customer((event.account, 1))
        assert customer is not None
        customer.first_name = "0"
        work.save(customer)

    await run(works, reset)
    await run(works, count_up, *range(1, 101))
    await works.start(serving=False)
    name = await works.read(lambda: Customer.objects.get(telegram_user_id=1).first_name)
    assert name == "100"


async def test_queries_see_earlier_events_after_settling(works: Works) -> None:
    counts: list[int] = []

    def look(event: Event, work: Work) -> None:
        work.settle()
        counts.append(Customer.objects.count())
        work.new_customer(key_of(event))

    await run(works, look, *range(1, 51))
    assert counts[-50:] == list(range(50))


async def test_configuration_is_read_once_for_a_batch_and_anew_when_it_changed(
    works: Works,
) -> None:
    def rename(event: Event, work: Work) -> None:
        assert work.integration(event.account).chats[0].title == ""
        chat = work.chat(Chat.objects.get().id)
        chat.title = "Renamed"
        work.save(chat)

    await run(works, rename)
    titles: list[str] = []
    await run(works, lambda e, work: titles.append(work.integration(e.account).chats[0].title))
    assert titles == ["Renamed"]
    await works.start(serving=False)
    assert await works.read(lambda: Integration.objects.get().revision) > 0


async def test_what_was_done_is_audited_with_its_cause(works: Works) -> None:
    def note(_: Event, work: Work) -> None:
        work.audit("customer.seen", subject="customer", subject_id=7, after={"n": 1})

    await run(works, note)
    await works.start(serving=False)
    entry = await works.read(AuditEntry.objects.get)
    assert (entry.actor, entry.subject_id, entry.after) == ("product", "7", {"n": 1})
    assert entry.cause is not None
    assert entry.at <= now()


async def test_a_batch_asks_for_all_its_customers_at_once(works: Works) -> None:
    await run(works, visit, *range(1, 41))
    statements: list[int] = []

    def look(event: Event, work: Work) -> None:
        with CaptureQueriesContext(connection) as seen:
            customer = work.customer(key_of(event))
            assert customer is not None
            work.entitlements(customer)
            work.accesses(customer)
        statements.append(len(seen))

    pipeline = await works.start(doing(look), serving=False)
    for user in range(1, 41):
        await pipeline.store(event(user=user))
    await works.stop()
    statements.clear()
    await works.start(doing(look))
    await works.quiet()
    assert len(statements) == 40
    assert sum(statements) <= 3 * 5  # three for a batch, and few batches
