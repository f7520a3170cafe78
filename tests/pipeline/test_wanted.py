"""What has waited is asked for once more before it is done; what has moved is found."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from tests.pipeline.works import Doing, event, until
from velvetrope.domain.errors import RetryLater
from velvetrope.store.models import OutboxItem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.pipeline.works import Works
    from velvetrope.pipeline.events import Event, Item
    from velvetrope.pipeline.work import Work

CHANNEL = -1001000000001
GROUP = -500


def asking(
    method: str, chat: int, occasion: str | None = None, **params: object
) -> dict[tuple[str, str], Doing]:
    def ask(event: Event, _: Any, work: Work) -> None:
        work.send(
            integration_id=event.account,
            method=method,
            params={"chat_id": chat, **params},
            chat_id=chat,
            priority="grant",
            occasion=occasion,
        )

    return {("telegram", "message"): Doing(ask)}


async def closed(works: Works) -> OutboxItem:
    def row() -> OutboxItem | None:
        return OutboxItem.objects.exclude(finished_at=None).first()

    found = await until(lambda: works.read(row), what="the end of the call")
    assert isinstance(found, OutboxItem)
    return found


async def test_a_call_that_the_facts_have_overtaken_is_not_made(works: Works) -> None:
    def never(_: Item) -> bool:
        return False

    pipeline = await works.start(asking("kick", CHANNEL), checks={"kick": never})
    await pipeline.store(event())
    row = await closed(works)
    assert (row.state, row.error_code, row.attempts) == ("skipped", "not_wanted", 0)
    assert works.telegram.calls == []


async def test_a_call_is_looked_at_again_before_each_try(works: Works) -> None:
    wanted = True

    def check(_: Item) -> bool:
        return wanted

    async def answer(_: str, __: Mapping[str, Any]) -> None:
        nonlocal wanted
        wanted = False  # the facts change while the first try fails
        raise RetryLater("telegram_unavailable")

    works.telegram.answer = answer
    pipeline = await works.start(asking("kick", CHANNEL), checks={"kick": check})
    await pipeline.store(event())
    assert (await closed(works)).state == "skipped"
    assert len(works.telegram.calls) == 1


async def test_a_message_is_put_into_the_words_of_the_moment_at_which_it_is_sent(
    works: Works,
) -> None:
    def now(item: Item) -> bytes:
        return item.params.replace(b"in 3 days", b"tomorrow")

    handlers = asking("sendMessage", 7, occasion="due:trial:1", text="It ends in 3 days.")
    pipeline = await works.start(handlers, refreshes={"due": now})
    await pipeline.store(event())
    assert (await closed(works)).state == "sent"
    assert [params["text"] for _, _, params in works.telegram.calls] == ["It ends tomorrow."]


async def test_a_message_that_is_not_true_any_more_is_not_sent(works: Works) -> None:
    def never(_: Item) -> None:
        return None

    handlers = asking("sendMessage", 7, occasion="due:trial:1", text="hello")
    pipeline = await works.start(handlers, refreshes={"due": never})
    await pipeline.store(event())
    row = await closed(works)
    assert (row.state, row.error_code) == ("skipped", "not_wanted")
    assert works.telegram.calls == []


async def test_a_message_that_has_to_wait_is_given_back_and_taken_up_in_time(
    works: Works,
) -> None:
    morning = works.clock() + timedelta(hours=9)
    shift = timedelta()

    def not_at_night(item: Item) -> bytes | datetime:
        return item.params if works.clock() + shift >= morning else morning

    handlers = asking("sendMessage", 7, occasion="due:trial:1", text="good morning")
    pipeline = await works.start(handlers, refreshes={"due": not_at_night})
    await pipeline.store(event())

    def waiting() -> OutboxItem | None:
        return OutboxItem.objects.filter(due_at=morning, state="pending").first()

    row = await until(lambda: works.read(waiting), what="the wait")
    assert isinstance(row, OutboxItem)
    assert (row.attempts, row.finished_at) == (0, None)
    assert works.telegram.calls == []
    shift = timedelta(hours=9)
    await works.read(lambda: OutboxItem.objects.update(due_at=works.clock()))
    pipeline.wake()
    assert (await closed(works)).state == "sent"
    assert len(works.telegram.calls) == 1


async def test_a_message_stays_with_its_person_when_the_chat_of_its_link_has_moved(
    works: Works,
) -> None:
    asked = 0

    async def links(_: int) -> str:
        nonlocal asked
        asked += 1
        if asked == 1:
            raise RetryLater(
                "chat_migrated", migrate_to_chat_id=CHANNEL, method="createChatInviteLink"
            )
        return "https://t.me/+new"

    markup = {"inline_keyboard": [[{"text": "in", "url": "invite:1"}]]}
    handlers = asking("sendMessage", 7, text="hello", reply_markup=markup)
    pipeline = await works.start(handlers, links=links)
    await pipeline.store(event())
    assert (await closed(works)).state == "sent"
    assert [params["chat_id"] for _, _, params in works.telegram.calls] == [7]


async def test_a_call_to_a_chat_that_has_moved_twice_in_a_circle_is_not_repeated_without_end(
    works: Works,
) -> None:
    async def answer(_: str, __: Mapping[str, Any]) -> None:
        raise RetryLater("chat_migrated", migrate_to_chat_id=CHANNEL, method="kick")

    works.telegram.answer = answer
    pipeline = await works.start(asking("kick", GROUP))
    await pipeline.store(event())
    assert (await closed(works)).state == "dead"
    await asyncio.sleep(0)
    assert len(works.telegram.calls) <= 9
    assert {params["chat_id"] for _, _, params in works.telegram.calls[1:]} == {CHANNEL}


async def test_a_stored_call_whose_chat_was_moved_by_hand_still_finds_it(works: Works) -> None:
    async def answer(_: str, params: Mapping[str, Any]) -> None:
        if params["chat_id"] == GROUP:
            raise RetryLater("chat_migrated", migrate_to_chat_id=CHANNEL, method="kick")

    works.telegram.answer = answer
    pipeline = await works.start({})
    await works.read(
        lambda: OutboxItem.objects.create(
            integration=works.integration,
            chat_id=CHANNEL,  # as the verification has written it
            method="kick",
            params=b'{"chat_id": -500}',
            priority="grant",
            created_at=works.clock(),
        )
    )
    pipeline.wake()
    assert (await closed(works)).state == "sent"
    assert len(works.telegram.calls) == 2
