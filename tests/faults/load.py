"""People who talk and people who buy, some at a time, for as long as a scenario lasts.

A talker asks for several pages without waiting for the answers, so that it can be seen in which
order they come; a buyer goes from the first word into the channel.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from velvetrope.sandbox.handset import eventually, session_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from random import Random

    from tests.e2e.house import House
    from velvetrope.sandbox.handset import Message, Person

#: What is asked for; each has an answer of its own, which doesn't depend on the person.
QUESTIONS: Final = ("/help", "/terms", "/privacy", "/paysupport", "/plans", "/status", "hello")
#: Questions of one talker: as many messages as a private chat may get at once.
ASKED: Final = 5
#: Seconds that anybody waits for anything, the harm included.
PATIENCE: Final = 150.0


@dataclass(frozen=True, slots=True)
class Talk:
    """What one person asked, in order."""

    person: Person
    questions: list[str]


class Load:
    """Visitors of one house; `phrasebook` tells the answer of each question."""

    def __init__(self, house: House, phrasebook: dict[str, str], link: str, rng: Random) -> None:
        self.house = house
        self.phrasebook = phrasebook
        self.talks: list[Talk] = []
        self.talked = 0
        self.bought = 0
        #: Those who paid and asked to enter.
        self.asked: set[int] = set()
        self._link = link
        self._rng = rng
        self._closing = asyncio.Event()
        self._talkers = 1

    def close(self) -> None:
        """Let nobody else come; those who are there finish."""
        self._closing.set()

    async def run(self, *, talkers: int, buyers: int) -> None:
        """Keep so many people at it until the load is closed."""

        self._talkers = talkers

        async def again(visit: Callable[[], Awaitable[None]]) -> None:
            while not self._closing.is_set():
                await visit()

        async with asyncio.TaskGroup() as group:
            for visit, number in ((self.talk, talkers), (self.buy, buyers)):
                for _ in range(number):
                    group.create_task(again(visit))

    async def flows(self) -> None:
        """Wait until people have been served since now: each talker once, on average."""
        talked = self.talked + self._talkers

        async def served() -> bool:
            return self.talked >= talked

        await eventually(served, "people are served", patience=PATIENCE)

    async def talk(self) -> None:
        """Ask for several pages at once, and wait until all of them were given."""
        person = await self.house.person(name="Tom")
        questions = self._rng.sample(QUESTIONS, ASKED)
        self.talks.append(Talk(person, questions))
        for question in questions:
            await person.tell(question)
        wanted = {self.phrasebook[question] for question in questions}

        async def heard() -> bool:
            return wanted <= set(await heard_by(person))

        await eventually(heard, f"talker {person.id} hears everything", patience=PATIENCE)
        self.talked += 1

    async def buy(self) -> None:
        """Choose a plan, pay, follow the link, and come in."""
        person = await self.house.person(name="Bea")
        await person.tell("/start")
        plans = await self._hears(person, "plan:")
        data = plans.button("plan:").callback_data
        press = {"bot": person.bot, "message_id": plans.id, "data": data, "wait": 0}
        await person.phone.post(f"users/{person.id}/callbacks", press)
        offer = await self._hears(person, "http", "/checkout/")
        url = next(one.url for one in offer.buttons if "/checkout/" in one.url)
        await self.house.pay(session_of(url))
        self.asked.add(person.id)
        await person.follow(self._link)

        async def inside() -> bool:
            return await person.is_in(self.house.chat)

        await eventually(inside, f"buyer {person.id} is in", patience=PATIENCE)
        self.bought += 1

    @staticmethod
    async def _hears(person: Person, start: str, part: str = "") -> Message:
        """Wait for a message with a button whose data or address begins so."""

        async def found() -> Message | None:
            for message in reversed(await person.messages()):
                for button in message.buttons:
                    told = button.callback_data or button.url
                    if told.startswith(start) and part in told:
                        return message
            return None

        return await eventually(found, f"{person.id} is shown {start}{part}", patience=PATIENCE)


async def heard_by(person: Person) -> list[str]:
    """Give what the bot said to a person, in order."""
    return [one.text for one in await person.messages() if one.from_ == person.bot]


async def learn(house: House) -> dict[str, str]:
    """Ask every question once and write the answers down."""
    book: dict[str, str] = {}
    for question in QUESTIONS:
        person = await house.person(name="Tom")
        book[question] = (await person.say(question)).text
    assert len(set(book.values())) == len(QUESTIONS), book
    return book
