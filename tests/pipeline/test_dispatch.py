from __future__ import annotations

import asyncio
from datetime import timedelta
from functools import partial
from statistics import median
from time import monotonic
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from django.db import transaction

from tests.pipeline.works import Doing, event, now, until
from velvetrope.domain.backoff import Backoff
from velvetrope.domain.breaker import BreakerPolicy
from velvetrope.domain.errors import NeedsOperator, Permanent, RetryLater
from velvetrope.pipeline import jobs
from velvetrope.pipeline.dispatch.alone import Capacity
from velvetrope.pipeline.routes import Periodic
from velvetrope.store.models import Customer, InboxEvent, Lane, OutboxItem
from velvetrope.store.serving import AlreadyServedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.pipeline.works import Works
    from velvetrope.pipeline.events import Event
    from velvetrope.pipeline.work import Work

MESSAGE = ("telegram", "message")


def user_of(event: Event) -> int:
    return int(event.lane.rpartition(":")[2])


def greet(event: Event, facts: Any, work: Work) -> None:  # noqa: ARG001  port
    user = user_of(event)
    key = (event.account, user)
    customer = work.customer(key) or work.new_customer(key, first_name="A", started_at=work.now)
    work.send(
        integration_id=event.account,
        method="sendMessage",
        params={"chat_id": user, "text": f"hello {event.external_id}"},
        chat_id=user,
        customer=customer,
    )


GREET = Doing(greet, about=lambda event: [(event.account, user_of(event))])


class Noting:
    """A handler that notes what it does and fails as told."""

    def __init__(self, fails: Callable[[Event], Exception | None] = lambda _: None) -> None:
        self.tried: list[str] = []
        self.done: list[str] = []
        self._fails = fails
        self.handler = Doing(self._apply, self._prepare)

    async def _prepare(self, event: Event) -> None:
        self.tried.append(event.external_id)
        error = self._fails(event)
        if error is not None:
            raise error

    def _apply(self, event: Event, facts: Any, work: Work) -> None:  # noqa: ARG002  port
        self.done.append(event.external_id)


def row(external_id: str) -> InboxEvent:
    return InboxEvent.objects.get(external_id=external_id)


async def test_an_update_is_stored_handled_and_answered(works: Works) -> None:
    pipeline = await works.start({MESSAGE: GREET})
    assert await pipeline.store(event(user=7, external_id="1"))
    await works.quiet()
    assert works.telegram.texts == ["hello 1"]
    stored = await works.read(InboxEvent.objects.get)
    assert (stored.state, stored.outcome) == ("done", "handled")
    item = await works.read(OutboxItem.objects.get)
    assert (item.state, item.message_id, item.cause) == ("sent", 1, stored.id)
    assert await works.read(lambda: Customer.objects.get().telegram_user_id) == 7


async def test_the_same_update_counts_once(works: Works) -> None:
    pipeline = await works.start({MESSAGE: GREET})
    answers = await asyncio.gather(
        *(pipeline.store(event(user=7, external_id="5")) for _ in range(20))
    )
    assert sorted(answers) == [False] * 19 + [True]
    await works.quiet()
    assert len(works.telegram.calls) == 1


async def test_many_lanes_make_one_customer_each_and_keep_their_order(works: Works) -> None:
    pipeline = await works.start({MESSAGE: GREET})
    updates = [event(user=1 + n % 50, external_id=f"{n}") for n in range(200)]
    await asyncio.gather(*(pipeline.store(update) for update in updates))
    await until(lambda: len(works.telegram.calls) == 200, seconds=20)
    assert await works.read(Customer.objects.count) == 50
    for user in range(1, 51):
        said = [p["text"] for _, _, p in works.telegram.calls if p["chat_id"] == user]
        assert said == [f"hello {n}" for n in range(user - 1, 200, 50)]


async def test_one_lane_runs_one_event_at_a_time_and_in_order(works: Works) -> None:
    running = 0

    async def slowly(event: Event) -> None:
        nonlocal running
        running += 1
        assert running == 1
        await asyncio.sleep(0.002 if int(event.external_id) % 2 else 0)
        running -= 1

    done: list[str] = []
    handler = Doing(lambda event, _facts, _work: done.append(event.external_id), slowly)
    pipeline = await works.start({MESSAGE: handler})
    for n in range(30):
        await pipeline.store(event(external_id=str(n)))
    await works.quiet()
    assert done == [str(n) for n in range(30)]


async def test_lanes_run_side_by_side(works: Works) -> None:
    everybody = asyncio.Barrier(20)

    async def wait_for_all(_: Event) -> None:
        await asyncio.wait_for(everybody.wait(), 5)

    pipeline = await works.start({MESSAGE: Doing(preparing=wait_for_all)})
    for user in range(20):
        await pipeline.store(event(user=user))
    await works.quiet()
    assert await works.read(InboxEvent.objects.filter(state="done").count) == 20


async def test_a_poisoned_event_holds_its_own_lane_only_until_it_is_dead(works: Works) -> None:
    noting = Noting(lambda event: ValueError("poison") if event.external_id == "bad" else None)
    patient = Backoff(base=0.3, factor=1, cap=0.3)
    pipeline = await works.start({MESSAGE: noting.handler}, backoff=patient)
    await pipeline.store(event(user=1, external_id="bad"))
    await pipeline.store(event(user=1, external_id="behind"))
    for n in range(20):
        await pipeline.store(event(user=2, external_id=f"other {n}"))
    await until(lambda: len(noting.done) == 20)
    assert "behind" not in noting.done
    await until(lambda: "behind" in noting.done)
    assert noting.tried.count("bad") == 8
    dead = await works.read(lambda: row("bad"))
    assert (dead.state, dead.attempts, dead.error_code) == ("dead", 8, "unexpected")
    assert "ValueError: poison" in dead.error
    assert await works.read(Lane.objects.count) == 0


async def test_a_handler_that_fails_in_its_second_phase_has_no_effect(works: Works) -> None:
    def half(event: Event, facts: Any, work: Work) -> None:
        greet(event, facts, work)
        if user_of(event) % 2:
            raise LookupError

    pipeline = await works.start({MESSAGE: Doing(half, about=GREET.about)})
    await asyncio.gather(*(pipeline.store(event(user=user)) for user in range(20)))
    await until(lambda: works.pipeline.stats.events_dead.total() == 10)
    await works.quiet()
    users = await works.read(lambda: set(Customer.objects.values_list("telegram_user_id")))
    assert users == {(user,) for user in range(0, 20, 2)}
    assert len(works.telegram.calls) == 10


async def test_a_broken_constraint_fails_its_own_event_only(works: Works) -> None:
    def clash(event: Event, facts: Any, work: Work) -> None:
        greet(event, facts, work)
        if user_of(event) == 3:
            work.save(Customer(integration_id=999, telegram_user_id=1, created_at=work.now))

    pipeline = await works.start({MESSAGE: Doing(clash, about=GREET.about)})
    await asyncio.gather(*(pipeline.store(event(user=user)) for user in range(10)))
    await until(lambda: works.pipeline.stats.events_dead.total() == 1)
    await works.quiet()
    assert await works.read(Customer.objects.count) == 9


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Permanent("gone_for_good"), "gone_for_good"),
        (NeedsOperator("mend_it"), "mend_it"),
        (msgspec.ValidationError("what was stored can't be read"), "unexpected"),
    ],
)
async def test_what_cannot_work_is_a_dead_letter_at_once(
    works: Works, error: Exception, code: str
) -> None:
    noting = Noting(lambda _: error)
    pipeline = await works.start({MESSAGE: noting.handler})
    await pipeline.store(event(external_id="1"))
    await works.quiet()
    dead = await works.read(lambda: row("1"))
    assert (dead.state, dead.error_code, len(noting.tried)) == ("dead", code, 1)


async def test_traces_of_dead_letters_hold_no_secrets(works: Works) -> None:
    token = "123456789:" + "A" * 35
    noting = Noting(lambda _: Permanent("bad", seen=f"https://host/bot{token}/x"))
    pipeline = await works.start({MESSAGE: noting.handler})
    await pipeline.store(event(external_id="1"))
    await works.quiet()
    dead = await works.read(lambda: row("1"))
    assert "Permanent" in dead.error
    assert token not in dead.error


async def test_an_unknown_kind_is_kept_as_unhandled_and_done_with_by_that(works: Works) -> None:
    pipeline = await works.start()
    assert [await pipeline.store(event(kind="poll", external_id="1")) for _ in "ab"] == [
        True,
        False,
    ]
    assert pipeline.load().events == 0
    stored = await works.read(lambda: row("1"))
    assert (stored.state, stored.outcome) == ("done", "unhandled")
    assert stored.finished_at == stored.received_at
    assert pipeline.stats.events_done["telegram", "unhandled"] == 1


async def test_retry_after_is_obeyed_and_kept_over_a_restart(works: Works) -> None:
    noting = Noting(
        lambda event: RetryLater("slow_down", retry_after=1.0) if not event.attempts else None
    )
    pipeline = await works.start({MESSAGE: noting.handler})
    started = monotonic()
    await pipeline.store(event(external_id="1"))
    await until(pipeline.stats.events_retried.total)
    lane = await works.read(Lane.objects.get)
    assert timedelta(seconds=0.5) < lane.retry_at - now() <= timedelta(seconds=1)
    await works.stop()
    await works.start({MESSAGE: noting.handler})
    assert works.pipeline.load().lanes <= 1
    await until(lambda: noting.done)
    assert monotonic() - started >= 1.0
    assert noting.tried == ["1", "1"]
    assert await works.read(lambda: row("1").attempts) == 1
    await until(lambda: works.read(lambda: not Lane.objects.exists()))


async def test_tries_are_counted_over_restarts(works: Works) -> None:
    noting = Noting(lambda _: RetryLater("never"))
    backoff = Backoff(base=0.01, factor=1, cap=0.01, tries=4)
    for _ in range(6):
        pipeline = await works.start({MESSAGE: noting.handler}, backoff=backoff)
        await pipeline.store(event(external_id="1"))
        await until(lambda: noting.tried or works.read(lambda: row("1").state == "dead"))
        await works.stop()
    assert len(noting.tried) == 4


@pytest.mark.sqlite_only
async def test_a_lane_that_waits_holds_no_task(works: Works) -> None:
    noting = Noting(lambda _: RetryLater("later", retry_after=60))
    pipeline = await works.start({MESSAGE: noting.handler})
    before = len(asyncio.all_tasks())
    await asyncio.gather(*(pipeline.store(event(user=user)) for user in range(100)))
    await until(lambda: pipeline.load().lanes_held == 100)
    assert len(asyncio.all_tasks()) <= before + 1


async def test_everything_pending_goes_on_after_a_start(works: Works) -> None:
    pipeline = await works.start({MESSAGE: GREET}, serving=False)
    updates = [event(user=1 + n % 7, external_id=str(n)) for n in range(700)]
    await asyncio.gather(*(pipeline.store(update) for update in updates))
    await works.stop()
    noting = Noting()
    await works.start({MESSAGE: noting.handler})
    await until(lambda: len(noting.done) == 700, seconds=10)
    for lane in range(7):
        mine = [int(one) for one in noting.done if int(one) % 7 == lane]
        assert mine == sorted(mine)


@pytest.mark.sqlite_only
async def test_more_than_memory_should_hold_waits_in_the_database_in_order(works: Works) -> None:
    noting = Noting()
    capacity = Capacity(events=40, claimed_items=10)
    pipeline = await works.start({MESSAGE: noting.handler}, capacity=capacity)
    seen = 0

    async def post(user: int) -> None:
        nonlocal seen
        for n in range(100):
            await pipeline.store(event(user=user, external_id=f"{user}/{n:03}"))
            seen = max(seen, pipeline.load().events)

    await asyncio.gather(*(post(user) for user in range(10)))
    await until(lambda: len(noting.done) == 1000, seconds=60)
    assert seen < 200
    for user in range(10):
        mine = [one for one in noting.done if one.startswith(f"{user}/")]
        assert mine == sorted(mine)


def _has_done_last(noting: Noting, name: str) -> bool:
    return noting.done[-1:] == [name]


async def test_a_job_of_another_thread_is_found_and_done(works: Works) -> None:
    noting = Noting()
    await works.start({("job", "recount"): noting.handler})

    def order(name: str) -> tuple[bool, bool]:
        with transaction.atomic():
            lane = "job:recount"
            return (
                jobs.enqueue("recount", {"n": 1}, account=1, lane=lane, external_id=name),
                jobs.enqueue("recount", {"n": 2}, account=1, lane=lane, external_id=name),
            )

    took = []
    for name in "abcdefghi":
        started = monotonic()
        assert await asyncio.to_thread(order, name) == (True, False)
        await until(partial(_has_done_last, noting, name))
        took.append(monotonic() - started)
    assert noting.done == list("abcdefghi")
    assert median(took) < 0.25  # it is woken, not found by chance


async def test_a_deferred_job_runs_when_it_is_due(works: Works) -> None:
    def defer(event: Event, facts: Any, work: Work) -> None:  # noqa: ARG001  port
        for key, at in (("now", None), ("soon", work.now + timedelta(seconds=0.3))):
            work.defer("tick", {}, lane=f"job:{key}", account=1, external_id=key, at=at)
            work.defer("tick", {}, lane=f"job:{key}", account=1, external_id=key, at=at)

    noting = Noting()
    await works.start({MESSAGE: Doing(defer), ("job", "tick"): noting.handler})
    started = monotonic()
    await works.pipeline.store(event())
    await until(lambda: noting.done == ["now"])
    await until(lambda: noting.done == ["now", "soon"])
    assert monotonic() - started >= 0.3


async def test_a_remote_that_is_down_is_left_alone_and_uses_no_tries(works: Works) -> None:
    down = True
    calls = 0

    async def fetch(event: Event) -> None:  # noqa: ARG001  port
        nonlocal calls
        calls += 1
        if down:
            raise RetryLater("stripe_unavailable")

    await works.start(
        {("stripe", "invoice.paid"): Doing(preparing=fetch)},
        breaker_policy=BreakerPolicy(failures=3, cool_down=0.2, cap=0.2),
    )
    for n in range(20):
        paid = event(source="stripe", kind="invoice.paid", lane=f"stripe:1:cus_{n}")
        await works.pipeline.store(paid)
    await until(lambda: works.pipeline.stats.events_retried["stripe", "circuit_open"] >= 17)
    assert calls <= 5
    assert works.pipeline.load().remotes_down == ("stripe:1",)
    await asyncio.sleep(0)
    down = False
    await until(lambda: works.pipeline.stats.events_done["stripe", "handled"] == 20, seconds=10)
    attempts = await works.read(lambda: set(InboxEvent.objects.values_list("attempts", flat=True)))
    assert max(attempts) <= 5


@pytest.mark.sqlite_only
async def test_two_processes_cannot_serve_one_file(works: Works) -> None:
    await works.start()
    first = works.db, works.pipeline
    with pytest.raises(AlreadyServedError, match=r"serves .* already"):
        await works.start()
    assert works.db is not None
    await works.db.stop()
    works.db, works._pipeline = first


async def test_stopping_finishes_what_runs_and_leaves_the_rest_stored(works: Works) -> None:
    async def slowly(_: Event) -> None:
        await asyncio.sleep(0.2)

    handler = Doing(preparing=slowly)
    pipeline = await works.start({MESSAGE: handler})
    for n in range(5):
        await pipeline.store(event(external_id=str(n)))
    await until(lambda: pipeline.load().events)
    started = monotonic()
    await works.stop()
    assert monotonic() - started < 2
    await works.start(serving=False)
    states = await works.read(
        lambda: list(InboxEvent.objects.order_by("id").values_list("state", flat=True))
    )
    assert states[0] == "done"
    assert set(states[1:]) <= {"claimed", "pending"}


async def test_stopping_does_not_wait_for_ever(works: Works) -> None:
    async def hang(_: Event) -> None:
        await asyncio.sleep(60)

    pipeline = await works.start({MESSAGE: Doing(preparing=hang)})
    await pipeline.store(event())
    await until(lambda: pipeline.load().lanes == 1)
    started = monotonic()
    await works.stop(0.3)
    assert monotonic() - started < 2


async def test_one_event_can_be_run_by_a_process_that_does_not_serve(works: Works) -> None:
    pipeline = await works.start({MESSAGE: GREET}, serving=False)
    update = event(user=7, external_id="1")
    await pipeline.store(update)
    assert await pipeline.run_one(update.id) == "handled"
    assert await pipeline.run_one(update.id) is None
    assert works.telegram.calls == []
    await works.stop()
    await works.start()
    await until(lambda: works.telegram.texts == ["hello 1"])


async def test_an_event_that_failed_there_is_left_to_the_one_that_serves(works: Works) -> None:
    noting = Noting(lambda event: None if event.attempts else RetryLater("not_yet"))
    pipeline = await works.start({MESSAGE: noting.handler}, serving=False)
    update = event(external_id="1")
    await pipeline.store(update)
    with pytest.raises(RetryLater):
        await pipeline.run_one(update.id)
    await works.stop()
    await works.start({MESSAGE: noting.handler})
    await until(lambda: noting.done == ["1"])


async def test_an_event_that_an_operator_took_away_has_no_effect(works: Works) -> None:
    going_on = asyncio.Event()

    async def wait(_: Event) -> None:
        await going_on.wait()

    pipeline = await works.start({MESSAGE: Doing(greet, wait, GREET.about)})
    await pipeline.store(event(user=1, external_id="taken"))
    await pipeline.store(event(user=2, external_id="kept"))
    assert works.db is not None
    await works.db.write(
        lambda: InboxEvent.objects.filter(external_id="taken").update(state="discarded")
    )
    going_on.set()
    await works.quiet()
    assert works.telegram.texts == ["hello kept"]
    assert await works.read(lambda: row("taken").state) == "discarded"


@pytest.mark.sqlite_only
async def test_missed_ticks_do_not_pile_up(works: Works) -> None:
    runs: list[float] = []

    async def tick() -> None:
        runs.append(monotonic())
        if len(runs) == 1:
            await asyncio.sleep(0.25)
        if len(runs) == 2:
            raise ValueError("a failing run doesn't end it")

    await works.start(periodic=[Periodic("tick", 0.05, tick)])
    await until(lambda: len(runs) == 5)
    assert runs[1] - runs[0] >= 0.25
    assert runs[4] - runs[1] >= 0.1
    assert works.pipeline.stats.periodic["tick", "failed"] == 1
