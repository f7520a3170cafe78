"""The journey of a customer, played over HTTP: each step is named and timed."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from velvetrope.sandbox.handset import Control, Person, eventually, members, session_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from velvetrope.sandbox.world import World

#: A little more than a month of any length, and the slack that a renewal has.
MONTH: Final = 32 * 24 * 3600


class StepFailedError(Exception):
    """A step of the journey did not end as it should."""


@dataclass
class Log:
    """What was done and how long it took."""

    say: Callable[[str], None]
    steps: list[tuple[str, float]] = field(default_factory=list)

    @contextlib.contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time a step; a failure is said with the step's name."""
        began = time.perf_counter()
        try:
            yield
        except Exception as error:
            self.say(f"  ✗ {name}: {error}")
            raise StepFailedError(name) from error
        took = time.perf_counter() - began
        self.steps.append((name, took))
        self.say(f"  ✓ {name:<62} {took * 1000:8.0f} ms")


async def play(telegram: Control, stripe: Control, world: World, log: Log) -> None:
    """Play everything that a visitor of the demo would try; raises StepFailedError."""
    for language, person_id in world.people.items():
        person = Person(telegram, person_id, world.bot_username)
        log.say(f"A person whose phone speaks {language}:")
        await _buy_and_enter(person, stripe, world, log)
    log.say("The life of a subscription:")
    first = Person(telegram, next(iter(world.people.values())), world.bot_username)
    await _cancel_and_leave(first, stripe, world, log)
    log.say("A shared link:")
    await _stranger(telegram, world, log)


async def _buy_and_enter(person: Person, stripe: Control, world: World, log: Log) -> None:
    with log.step("/start is answered with the plans"):
        plans = await person.say("/start")
        plans.button("plan:")
    with log.step("a plan's button gives the way to Checkout"):
        offer = await person.press(plans, "plan:")
        url = offer.button("http").url
    after = await person.last_id()
    with log.step("the payment arrives and the door is offered"):
        await stripe.post(f"checkouts/{session_of(url)}/pay", {"card": "good"})
        paid = await person.hears_after(after)
        link = paid.button("https://t.me/+").url
    with log.step("the request to enter is approved"):
        await person.follow(link)
        await person.gets_in(world.chat_id)
    with log.step("/status says that the subscription runs"):
        await person.say("/status")


async def _cancel_and_leave(person: Person, stripe: Control, world: World, log: Log) -> None:
    subscription = await _subscription_of(person, stripe)
    with log.step("cancelled at the end of the period: still inside"):
        await stripe.post(f"subscriptions/{subscription}", {"cancel": "at_period_end"})
        if not await person.is_in(world.chat_id):
            raise StepFailedError("removed too early")
    with log.step("the period ends: out, with a message and a way back"):
        after = await person.last_id()
        await stripe.post("clock", {"seconds": MONTH})
        await person.gets_out(world.chat_id)
        goodbye = await person.hears_after(after)
        goodbye.button("plan:")


async def _stranger(telegram: Control, world: World, log: Log) -> None:
    with log.step("a stranger with the link is declined, with the plans"):
        made = await telegram.post("users", {"first_name": "Sam", "language_code": "en"})
        stranger = Person(telegram, made["id"], world.bot_username)
        room = await telegram.get(f"chats/{world.chat_id}")
        links = [link for link in room["invite_links"] if link["creates_join_request"]]
        await stranger.follow(links[0]["invite_link"])
        told = await stranger.hears_after(0)
        told.button("plan:")

        async def declined() -> bool:
            room = await telegram.get(f"chats/{world.chat_id}")
            waiting = [
                one
                for one in room["join_requests"]
                if one["user"] == stranger.id and one["state"] == "pending"
            ]
            return not waiting

        await eventually(declined, "the stranger's request is answered")
        if stranger.id in await members(telegram, world.chat_id):
            raise StepFailedError("a stranger got in")


async def _subscription_of(person: Person, stripe: Control) -> str:
    state = await stripe.get("state")
    for one in state["subscriptions"]:
        if one["metadata"].get("telegram_user_id") == str(person.id):
            return str(one["id"])
    raise StepFailedError(f"no subscription of person {person.id}")
