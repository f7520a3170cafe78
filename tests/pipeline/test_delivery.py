from __future__ import annotations

import asyncio
from datetime import timedelta
from time import monotonic
from typing import TYPE_CHECKING, Any

import pytest

from tests.pipeline.works import Doing, event, now, until
from velvetrope.domain.breaker import BreakerPolicy
from velvetrope.domain.errors import NeedsOperator, Permanent, RetryLater
from velvetrope.store.models import Chat, Customer, Integration, OutboxItem

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import msgspec

    from tests.pipeline.works import Works
    from velvetrope.domain.errors import VelvetError
    from velvetrope.pipeline.events import Event, Item
    from velvetrope.pipeline.pipeline import Pipeline
    from velvetrope.pipeline.work import Work

CHANNEL = -1001000000001


class Saying:
    """A handler that sends what the test tells it to: (chat, text, priority, method)."""

    def __init__(self) -> None:
        self.to_say: list[tuple[int, str, str, str]] = []
        self.occasion: str | None = None
        self.as_customers = False

    def apply(self, event: Event, _facts: Any, work: Work) -> None:
        for chat, text, priority, method in self.to_say:
            customer = None
            if self.as_customers:
                key = (event.account, abs(chat))
                customer = work.customer(key) or work.new_customer(key)
            work.send(
                integration_id=event.account,
                method=method,
                params={"chat_id": chat, "text": text},
                chat_id=chat,
                customer=customer,
                priority=priority,
                occasion=self.occasion,
            )
        self.to_say = []


@pytest.fixture
def saying() -> Saying:
    return Saying()


def handlers(saying: Saying) -> dict[tuple[str, str], Doing]:
    return {("telegram", "message"): Doing(saying.apply)}


async def say(
    pipeline: Pipeline,
    saying: Saying,
    texts: Sequence[tuple[int, str]],
    *,
    priority: str = "answer",
    method: str = "sendMessage",
) -> None:
    saying.to_say = [(chat, text, priority, method) for chat, text in texts]
    done = pipeline.stats.events_done.total()
    await pipeline.store(event(user=0))
    await until(lambda: pipeline.stats.events_done.total() > done)


def items(**wanted: object) -> list[OutboxItem]:
    return list(OutboxItem.objects.filter(**wanted).order_by("id"))


async def test_a_chat_is_written_to_in_order_and_one_at_a_time(
    works: Works, saying: Saying
) -> None:
    in_chat: dict[int, int] = {}

    async def answer(_: str, params: Mapping[str, Any]) -> None:
        chat = params["chat_id"]
        in_chat[chat] = in_chat.get(chat, 0) + 1
        assert in_chat[chat] == 1
        await asyncio.sleep(0.01)
        in_chat[chat] -= 1

    works.telegram.answer = answer
    pipeline = await works.start(handlers(saying))
    await say(pipeline, saying, [(1 + n % 20, str(n)) for n in range(80)])
    await until(lambda: len(works.telegram.calls) == 80)
    assert 4 < works.telegram.most_at_once <= 16
    for chat in range(1, 21):
        said = [p["text"] for _, _, p in works.telegram.calls if p["chat_id"] == chat]
        assert said == [str(n) for n in range(chat - 1, 80, 20)]


async def test_grants_overtake_answers_and_answers_overtake_bulk(
    works: Works, saying: Saying
) -> None:
    async def slowly(_: str, __: Mapping[str, Any]) -> None:
        await asyncio.sleep(0.01)

    works.telegram.answer = slowly
    pipeline = await works.start(handlers(saying))
    saying.to_say = [
        (100 + n, priority, priority, "sendMessage")
        for n, priority in enumerate(["answer"] * 60 + ["grant"] * 60)
    ]
    await pipeline.store(event(user=0))
    await until(lambda: len(works.telegram.calls) == 120)
    assert works.telegram.texts[:60].count("grant") >= 58
    await say(pipeline, saying, [(300 + n, "bulk") for n in range(40)], priority="bulk")
    await until(lambda: works.telegram.texts.count("bulk") >= 3)
    await say(pipeline, saying, [(400, "person")])
    await until(lambda: "person" in works.telegram.texts)
    assert works.telegram.texts.count("bulk") < 40


async def test_bulk_keeps_to_thirty_a_second(works: Works, saying: Saying) -> None:
    pipeline = await works.start(handlers(saying))
    await say(pipeline, saying, [(100 + n, "news") for n in range(45)], priority="bulk")
    await until(lambda: len(works.telegram.calls) == 45)
    times = [at for at, _, _ in works.telegram.calls]
    assert times[-1] - times[0] > 1.2
    assert all(later - earlier > 0.9 for earlier, later in zip(times, times[33:], strict=False))


async def test_one_occasion_is_spoken_of_once(works: Works, saying: Saying) -> None:
    saying.occasion = "welcome:1"
    pipeline = await works.start(handlers(saying))
    for _ in range(3):
        await say(pipeline, saying, [(1, "welcome")])
    await works.quiet()
    assert works.telegram.texts == ["welcome"]
    assert await works.read(OutboxItem.objects.count) == 1


async def test_telegrams_wish_for_silence_is_obeyed_and_kept(works: Works, saying: Saying) -> None:
    refused = False

    async def answer(_: str, __: Mapping[str, Any]) -> None:
        nonlocal refused
        if not refused:
            refused = True
            raise RetryLater("too_many_requests", retry_after=1.0)

    works.telegram.answer = answer
    pipeline = await works.start(handlers(saying))
    await say(pipeline, saying, [(1, "first")])
    await until(lambda: works.read(lambda: Integration.objects.get().paused_until is not None))
    await say(pipeline, saying, [(2, "second")])
    await works.stop()
    assert len(works.telegram.calls) == 1
    await works.start(handlers(saying))
    await until(lambda: len(works.telegram.calls) == 3)
    await works.quiet()
    times = [at for at, _, _ in works.telegram.calls]
    assert times[1] - times[0] >= 0.99
    attempts = await works.read(lambda: [one.attempts for one in items(state="sent")])
    assert attempts == [1, 1]  # being asked for patience is no failure


async def test_a_group_that_wants_silence_doesnt_silence_the_others(
    works: Works, saying: Saying
) -> None:
    async def answer(_: str, params: Mapping[str, Any]) -> None:
        if params["chat_id"] == CHANNEL and len(works.telegram.calls) == 1:
            raise RetryLater("too_many_requests", retry_after=0.5)

    works.telegram.answer = answer
    pipeline = await works.start(handlers(saying))
    await say(pipeline, saying, [(CHANNEL, "group")])
    await until(lambda: pipeline.stats.items["sendMessage", "retried"])
    await say(pipeline, saying, [(1, "person"), (CHANNEL, "group too")])
    await until(lambda: len(works.telegram.calls) == 4)
    assert works.telegram.texts == ["group", "person", "group", "group too"]
    assert await works.read(lambda: Integration.objects.get().paused_until) is None


class Watching:
    """An outcome that remembers blocked people and what it was told."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.failed: list[str] = []
        self.overtaken: list[str] = []

    def on_sent(self, item: Item, result: msgspec.Raw, work: Work) -> None:
        self.sent.append(bytes(result).decode())
        if item.customer_id is not None and (row := work.customer_by_id(item.customer_id)):
            row.first_name = "Reached"
            work.save(row)

    def on_failed(self, item: Item, error: VelvetError, work: Work) -> None:
        self.failed.append(error.code)
        if item.customer_id is not None and (row := work.customer_by_id(item.customer_id)):
            row.blocked_at = work.now
            work.save(row)

    def on_overtaken(self, item: Item, work: Work) -> None:  # noqa: ARG002  the port's signature
        self.overtaken.append(item.method)


async def test_what_follows_from_an_answer_is_written_with_it(works: Works, saying: Saying) -> None:
    saying.as_customers = True
    watching = Watching()
    pipeline = await works.start(handlers(saying), outcomes={"sendMessage": watching})
    await say(pipeline, saying, [(5, "hello")])
    await works.quiet()
    assert watching.sent == ['{"message_id":1}']
    assert await works.read(lambda: Customer.objects.get().first_name) == "Reached"


async def test_a_message_to_somebody_who_never_began_is_left_out_and_no_dead_letter(
    works: Works, saying: Saying
) -> None:
    async def answer(_: str, __: Mapping[str, Any]) -> None:
        raise Permanent("cannot_initiate")

    works.telegram.answer = answer
    pipeline = await works.start(handlers(saying))
    await say(pipeline, saying, [(7, "hello")])
    await works.quiet()
    (item,) = await works.read(items)
    assert (item.state, item.error_code) == ("skipped", "cannot_initiate")


async def test_somebody_who_blocks_the_bot_is_not_written_to(works: Works, saying: Saying) -> None:
    async def answer(_: str, params: Mapping[str, Any]) -> None:
        if params["chat_id"] == 5:
            raise Permanent("blocked_by_user")

    works.telegram.answer = answer
    saying.as_customers = True
    watching = Watching()
    pipeline = await works.start(handlers(saying), outcomes={"sendMessage": watching})
    await say(pipeline, saying, [(5, "one"), (5, "two"), (6, "other")])
    await works.quiet()
    await say(pipeline, saying, [(5, "three")])
    await works.quiet()
    assert sorted(works.telegram.texts) == ["one", "other"]
    assert watching.failed == ["blocked_by_user"]
    skipped = await works.read(lambda: items(state="skipped"))
    assert [one.error_code for one in skipped] == ["blocked_by_user"] * 3


async def test_what_cannot_be_sent_is_a_dead_letter(works: Works, saying: Saying) -> None:
    async def refuse(_: str, __: Mapping[str, Any]) -> None:
        raise Permanent("bad_request", description="wrong")

    works.telegram.answer = refuse
    watching = Watching()
    pipeline = await works.start(handlers(saying), outcomes={"sendMessage": watching})
    await say(pipeline, saying, [(5, "hello")])
    await works.quiet()
    (dead,) = await works.read(lambda: items(state="dead"))
    assert (dead.error_code, dead.attempts) == ("bad_request", 1)
    assert watching.failed == ["bad_request"]


async def test_passing_trouble_is_tried_eight_times(works: Works, saying: Saying) -> None:
    async def refuse(_: str, __: Mapping[str, Any]) -> None:
        raise RetryLater("telegram_unavailable")

    works.telegram.answer = refuse
    quick = BreakerPolicy(cool_down=0.01, cap=0.01)
    pipeline = await works.start(handlers(saying), breaker_policy=quick)
    await say(pipeline, saying, [(5, "hello")])
    await works.quiet()
    (dead,) = await works.read(lambda: items(state="dead"))
    assert (len(works.telegram.calls), dead.attempts) == (8, 8)


async def test_a_telegram_that_is_down_is_asked_seldom(works: Works, saying: Saying) -> None:
    down = True

    async def answer(_: str, __: Mapping[str, Any]) -> None:
        if down:
            raise RetryLater("telegram_unavailable")

    works.telegram.answer = answer
    rare = BreakerPolicy(failures=3, cool_down=0.3, cap=0.3)
    pipeline = await works.start(handlers(saying), breaker_policy=rare)
    await say(pipeline, saying, [(n, "hello") for n in range(100, 150)])
    await until(lambda: pipeline.load().remotes_down)
    calls = len(works.telegram.calls)
    assert calls <= 16 + 3
    down = False
    await works.quiet()
    assert len(await works.read(lambda: items(state="sent"))) == 50


async def test_what_needs_the_operator_waits_and_goes_out_when_it_is_mended(
    works: Works, saying: Saying
) -> None:
    broken = True

    async def answer(_: str, params: Mapping[str, Any]) -> None:
        if broken and params["chat_id"] == CHANNEL:
            raise NeedsOperator("missing_rights")

    works.telegram.answer = answer
    watching = Watching()
    pipeline = await works.start(handlers(saying), outcomes={"approveChatJoinRequest": watching})
    approvals = [(CHANNEL, str(n)) for n in range(3)]
    await say(pipeline, saying, approvals, method="approveChatJoinRequest", priority="grant")
    await works.quiet()
    await say(pipeline, saying, [(CHANNEL, "late")], method="approveChatJoinRequest")
    await say(pipeline, saying, [(7, "person")])
    await works.quiet()
    assert watching.failed == ["missing_rights"]
    assert len(works.telegram.calls) == 2  # one approval that failed, and the person
    suspended = await works.read(lambda: items(state="suspended"))
    assert [one.error_code for one in suspended] == ["missing_rights"] * 4
    await works.stop()
    pipeline = await works.start(handlers(saying))
    await works.quiet()
    assert len(works.telegram.calls) == 2
    broken = False
    assert await pipeline.resume(works.integration.id, CHANNEL) == 4
    await works.quiet()
    assert sorted(works.telegram.texts[2:]) == ["0", "1", "2", "late"]


async def test_a_bot_without_a_valid_token_is_silent_as_a_whole(
    works: Works, saying: Saying
) -> None:
    async def refuse(_: str, __: Mapping[str, Any]) -> None:
        raise NeedsOperator("bot_unauthorized")

    works.telegram.answer = refuse
    pipeline = await works.start(handlers(saying))
    await say(pipeline, saying, [(1, "a")])
    await works.quiet()
    await say(pipeline, saying, [(n, "b") for n in range(2, 40)])
    await works.quiet()
    assert len(works.telegram.calls) == 1
    assert len(await works.read(lambda: items(state="suspended"))) == 39
    works.telegram.answer = None
    await pipeline.resume(works.integration.id)
    await works.quiet()
    assert len(await works.read(lambda: items(state="sent"))) == 39


async def test_a_bot_that_was_switched_off_keeps_silent(works: Works, saying: Saying) -> None:
    pipeline = await works.start(handlers(saying))
    assert works.db is not None
    await works.db.write(lambda: Integration.objects.update(active=False))
    await say(pipeline, saying, [(1, "a")])
    await works.quiet()
    assert works.telegram.calls == []
    assert [one.error_code for one in await works.read(items)] == ["bot_inactive"]


async def test_a_link_into_a_chat_is_put_in_when_the_message_is_sent(works: Works) -> None:
    def offer(event: Event, _facts: Any, work: Work) -> None:
        row = [{"text": "Get in", "url": "invite:7"}, {"text": "Help", "callback_data": "help"}]
        work.send(
            integration_id=event.account,
            method="sendMessage",
            params={"chat_id": 1, "text": "Paid", "reply_markup": {"inline_keyboard": [row]}},
            chat_id=1,
        )

    pipeline = await works.start({("telegram", "message"): Doing(offer)})
    await pipeline.store(event())
    await works.quiet()
    ((_, _, params),) = works.telegram.calls
    ((button, other),) = params["reply_markup"]["inline_keyboard"]
    assert button == {"text": "Get in", "url": "https://t.me/+chat7"}
    assert other == {"text": "Help", "callback_data": "help"}


async def test_a_group_that_became_a_supergroup_is_called_by_its_new_id(
    works: Works, saying: Saying
) -> None:
    async def answer(_: str, params: Mapping[str, Any]) -> None:
        if params["chat_id"] == -5:
            raise RetryLater("chat_migrated", migrate_to_chat_id=CHANNEL)

    works.telegram.answer = answer
    watching = Watching()
    pipeline = await works.start(handlers(saying), outcomes={"sendMessage": watching})
    await say(pipeline, saying, [(-5, "hello")])
    await works.quiet()
    assert [p["chat_id"] for _, _, p in works.telegram.calls] == [-5, CHANNEL]
    assert watching.failed == ["chat_migrated"]
    assert len(watching.sent) == 1


async def test_what_a_process_had_in_hand_is_sent_by_the_next(works: Works, saying: Saying) -> None:
    async def hang(_: str, __: Mapping[str, Any]) -> None:
        await asyncio.sleep(60)

    works.telegram.answer = hang
    pipeline = await works.start(handlers(saying))
    await say(pipeline, saying, [(n, "hello") for n in range(1, 31)])
    await until(lambda: works.telegram.running == 16)
    started = monotonic()
    await works.stop(0.2)
    assert monotonic() - started < 2
    works.telegram.answer = None
    works.telegram.calls.clear()
    await works.start(handlers(saying))
    await until(lambda: len(works.telegram.calls) == 30)


async def test_an_outcome_that_fails_does_not_send_again(works: Works, saying: Saying) -> None:
    class Broken(Watching):
        def on_sent(self, item: Item, result: msgspec.Raw, work: Work) -> None:
            super().on_sent(item, result, work)
            raise ValueError("broken")

    pipeline = await works.start(handlers(saying), outcomes={"sendMessage": Broken()})
    await say(pipeline, saying, [(1, "hello")])
    await works.quiet()
    (item,) = await works.read(items)
    assert (item.state, item.error_code) == ("sent", "outcome_failed")
    assert "ValueError: broken" in item.error
    assert len(works.telegram.calls) == 1


async def test_bulk_of_any_size_is_taken_up_by_and_by(works: Works, saying: Saying) -> None:
    pipeline = await works.start(handlers(saying))
    await say(pipeline, saying, [(1000 + n, "x") for n in range(700)], priority="bulk")
    states = await works.read(lambda: set(OutboxItem.objects.values_list("state", flat=True)))
    assert states <= {"pending", "claimed", "sent"}
    await until(lambda: len(works.telegram.calls) >= 10)
    at = now() + timedelta(days=1)
    assert await works.read(lambda: OutboxItem.objects.filter(due_at__lt=at).count()) == 0
    assert await works.read(Chat.objects.count) == 1


async def test_a_call_that_was_given_up_while_it_was_under_way_stays_given_up(
    works: Works, saying: Saying
) -> None:
    going_on = asyncio.Event()

    async def wait(_method: str, _params: Mapping[str, Any]) -> None:
        await going_on.wait()

    works.telegram.answer = wait
    saying.to_say = [(1, "hello", "answer", "sendMessage")]
    pipeline = await works.start(handlers(saying))
    await pipeline.store(event())
    await until(lambda: works.telegram.calls)
    assert works.db is not None
    await works.db.write(lambda: OutboxItem.objects.update(state="discarded"))
    going_on.set()
    await works.quiet()
    assert await works.read(lambda: OutboxItem.objects.get().state) == "discarded"
