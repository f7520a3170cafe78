from __future__ import annotations

import asyncio
import threading
import time
from functools import partial
from operator import mul
from typing import TYPE_CHECKING

import pytest
from django.db import IntegrityError, connection, connections, transaction

from tests.pipeline.works import event, until
from velvetrope.domain.errors import RetryLater
from velvetrope.pipeline.database import Database
from velvetrope.pipeline.dialect import dialect_of_database
from velvetrope.pipeline.writer import Operation, Ran, Urgency
from velvetrope.store.models import InboxEvent, StripeAccount
from velvetrope.store.reading import reading

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from tests.pipeline.works import Works


@pytest.fixture
async def db(database: str) -> AsyncIterator[Database]:  # noqa: ARG001  its file is used
    db = Database(dialect_of_database())
    await db.start()
    yield db
    await db.stop()


def add(name: str) -> None:
    StripeAccount.objects.create(name=name, api_key=None, from_environment=True)


def rename(name: str) -> None:
    account = StripeAccount.objects.get()
    account.name = name
    account.save()


def full(pages: int) -> None:
    """Make the file as good as full for this connection."""
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA max_page_count = {pages}")


async def test_functions_that_wait_together_share_a_commit(db: Database) -> None:
    await db.write(lambda: add("first"))
    before = db.writer.transactions
    results = await asyncio.gather(*(db.write(partial(mul, n, 2)) for n in range(100)))
    assert results == [n * 2 for n in range(100)]
    assert db.writer.transactions - before < 30


class Noted(Operation[int, int]):
    """Notes how many items each run took, and runs once it may."""

    at_once = 20

    def __init__(self, urgency: Urgency) -> None:
        self.urgency = urgency
        self.may_run = threading.Event()
        self.runs: list[int] = []

    def run(self, items: Sequence[int]) -> Ran[int]:
        self.may_run.wait(5)
        self.runs.append(len(items))
        return Ran(list(items))


async def test_other_work_keeps_what_comes_in_waiting_in_small_batches_only(db: Database) -> None:
    incoming, ordinary = Noted(Urgency.INCOMING), Noted(Urgency.ORDINARY)
    ordinary.may_run.set()
    waiting = [db.submit(incoming, 1), *(db.submit(ordinary, n) for n in range(40))]
    incoming.may_run.set()
    await asyncio.gather(*waiting)
    assert max(ordinary.runs) < ordinary.at_once

    ordinary.may_run.clear()
    waiting = [db.submit(ordinary, n) for n in range(60)]
    ordinary.may_run.set()
    await asyncio.gather(*waiting)
    assert max(ordinary.runs) == ordinary.at_once


async def test_while_the_database_stands_still_those_who_brought_something_can_be_sent_away(
    db: Database,
) -> None:
    incoming, ordinary = Noted(Urgency.INCOMING), Noted(Urgency.ORDINARY)
    ordinary.may_run.set()
    in_hand = db.submit(incoming, 1)
    await until(lambda: db.writer.busy_for > 0)
    waiting, other = db.submit(incoming, 2), db.submit(ordinary, 3)
    assert db.writer.send_incoming_away() == 2
    for sent_away in (in_hand, waiting):
        with pytest.raises(RetryLater, match="database_silent"):
            await sent_away
    incoming.may_run.set()
    assert await other == 3
    assert sum(incoming.runs) == 2  # it is written nevertheless, and known when it comes again


async def test_only_the_culprit_of_a_shared_transaction_fails(db: Database) -> None:
    await db.write(lambda: add("first"))
    wrong = [db.write(lambda: add("second")), db.write(lambda: 1 / 0)]
    right = [db.write(partial(rename, f"name {n}")) for n in range(10)]
    found = await asyncio.gather(*wrong[:1], *right, *wrong[1:], return_exceptions=True)
    assert isinstance(found[0], IntegrityError)
    assert isinstance(found[-1], ZeroDivisionError)
    assert found[1:-1] == [None] * 10
    assert await db.read(lambda: StripeAccount.objects.get().name) == "name 9"


async def test_what_a_failing_function_wrote_is_gone(db: Database) -> None:
    def write_and_fail() -> None:
        add("half")
        raise LookupError

    with pytest.raises(LookupError):
        await db.write(write_and_fail)
    assert await db.read(StripeAccount.objects.count) == 0


@pytest.mark.sqlite_only
async def test_a_full_disk_is_told_to_everybody_as_passing_trouble(works: Works) -> None:
    pipeline = await works.start(serving=False)
    assert works.db is not None
    db = works.db
    pages = await db.read(lambda: _pragma("page_count"))
    await db.write(lambda: full(pages))
    big = [event(payload=b"x" * 20_000) for _ in range(5)]
    found = await asyncio.gather(*(pipeline.store(one) for one in big), return_exceptions=True)
    assert {type(one) for one in found} == {RetryLater}
    assert {one.code for one in found if isinstance(one, RetryLater)} == {"database_unavailable"}
    assert await db.read(InboxEvent.objects.count) == 0
    assert await pipeline.store(big[0])  # the connection was opened anew: there is room again


@pytest.mark.sqlite_only
async def test_a_database_that_another_process_locks_is_passing_trouble(
    database: str,
) -> None:
    values = connections.settings["default"]
    values["OPTIONS"] = {"timeout": 0.05}  # for the threads that are about to start
    db = Database(dialect_of_database())
    await db.start()
    import sqlite3  # noqa: PLC0415  another process's view of the file

    other = sqlite3.connect(database.removeprefix("sqlite:///"))
    try:
        await db.write(lambda: None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(RetryLater) as raised:
            await db.write(lambda: add("first"))
        assert raised.value.code == "database_unavailable"
        assert await db.read(StripeAccount.objects.count) == 0  # readers don't care
        other.rollback()
        await db.write(lambda: add("first"))
    finally:
        other.close()
        await db.stop()
        values["OPTIONS"] = {}


async def test_no_more_than_a_bound_may_wait(db: Database) -> None:
    db.ordinary.bound = 3
    waiting = [asyncio.ensure_future(db.write(lambda: time.sleep(0.05))) for _ in range(8)]
    found = await asyncio.gather(*waiting, return_exceptions=True)
    refused = [one for one in found if isinstance(one, RetryLater)]
    assert refused
    assert {one.code for one in refused} == {"database_busy"}


async def test_a_console_that_writes_is_not_starved_by_a_busy_pipeline(works: Works) -> None:
    pipeline = await works.start(serving=False)
    waits: list[float] = []
    stop = threading.Event()

    def console() -> None:
        while not stop.is_set():
            started = time.monotonic()
            with transaction.atomic():
                rename_to = f"Account {len(waits)}"
                StripeAccount.objects.update(name=rename_to)
            waits.append(time.monotonic() - started)
            started = time.monotonic()
            StripeAccount.objects.update(name=f"{rename_to} again")  # without a transaction
            waits.append(time.monotonic() - started)
        connections.close_all()

    async def flood() -> None:
        for _ in range(60):
            await pipeline.store(event(payload=b"x" * 2_000))

    thread = threading.Thread(target=console)
    thread.start()
    try:
        await asyncio.gather(*(flood() for _ in range(32)))
    finally:
        stop.set()
        thread.join()
    assert len(waits) > 20
    assert max(waits) < 1.0
    assert await works.read(InboxEvent.objects.count) == 32 * 60


async def test_reading_takes_no_turn_among_writers(db: Database) -> None:
    holding, let_go = threading.Event(), threading.Event()

    def hold() -> None:
        add("not yet")
        holding.set()
        let_go.wait(5)

    writing = asyncio.ensure_future(db.write(hold))
    await until(holding.is_set)

    def look() -> int:
        with reading():
            return StripeAccount.objects.count()

    assert await db.read(look) == 0
    let_go.set()
    await writing
    assert await db.read(look) == 1


async def test_a_block_that_reads_cannot_write(db: Database) -> None:
    def cheat() -> None:
        with reading():
            add("never")

    with pytest.raises(Exception, match=r"read.?only"):
        await db.read(cheat)
    await db.write(lambda: add("still possible"))


def _pragma(name: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA {name}")
        return int(cursor.fetchone()[0])


@pytest.mark.sqlite_only
@pytest.mark.parametrize(
    ("name", "value"),
    [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1), ("busy_timeout", 5000)],
)
async def test_every_connection_is_set_up_to_lose_nothing(
    db: Database, name: str, value: object
) -> None:
    def ask() -> object:
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA {name}")
            return cursor.fetchone()[0]

    assert await db.read(ask) == value
    assert await db.write(ask) == value
