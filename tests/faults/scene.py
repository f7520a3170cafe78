"""A harm done to an installation that people use: before, meanwhile, afterwards, the verdict."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from random import Random
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import aiohttp

from tests.e2e.house import build_house
from tests.faults.calls import calls_after, last_call
from tests.faults.calm import calm
from tests.faults.door import Answer, Door, open_door
from tests.faults.load import PATIENCE, Load, heard_by, learn
from tests.faults.verdict import History, judge
from velvetrope.sandbox.handset import Control, eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable

    import pytest

    from tests.e2e.house import House
    from tests.faults.fleet import Fleet
    from tests.processes import Sandbox

#: Vendors try again sooner than they would, so that their patience is not what is measured.
HASTE: Final = 0.02

#: Names a recovery among what a test reports of itself.
RECOVERY: Final = "recovery"
SERVICE_UNAVAILABLE: Final = 503
#: Lines of the log that one process may write in a minute of trouble, so that somebody reads them.
MOST_LINES: Final = 120

Harm: TypeAlias = AbstractAsyncContextManager[None]


@dataclass
class Recovery:
    """What one harm led to; times in seconds, counted from its end."""

    scenario: str
    database: str
    #: How long the harm lasted.
    lasted: float = 0.0
    #: Until somebody who came then had an answer.
    answered: float = 0.0
    #: Until nothing of what had waited was left.
    caught_up: float = 0.0
    events: int = 0
    #: Lines of the log from the harm's beginning until all was well, in a minute at most.
    lines: float = 0.0


@dataclass
class Scene:
    """One house, what was done to it so far, and those who know what it should answer."""

    house: House
    fleet: Fleet
    door: Door
    phrasebook: dict[str, str]
    link: str
    #: Everybody who asked to enter, ever.
    asked: set[int]
    #: The last event of a time when the clock was wrong.
    times_from: int = 0
    #: Events that were brought broken on purpose.
    poison: set[str] = field(default_factory=set)
    #: How often answers may have been lost, ever.
    losses: int = 0
    keep: Callable[[Recovery], None] = field(default=lambda _: None)
    #: What was answered at the door during the harm.
    meanwhile: list[Answer] = field(default_factory=list)
    #: The log's lines from the harm's beginning until all was well.
    said: list[dict[str, Any]] = field(default_factory=list)

    async def play(
        self,
        scenario: str,
        harm: Harm,
        *,
        loses_answers: bool = False,
        moves_clock: bool = False,
        talkers: int = 6,
        buyers: int = 2,
        patience: float = PATIENCE,
    ) -> Recovery:
        """Do a harm while people come, see that all recovers by itself, and judge.

        `loses_answers`: answers of Telegram, or the record of them, may be lost by it.
        `moves_clock`: what the product writes down of time meanwhile tells nothing about order.
        """
        recovery = Recovery(scenario, self.fleet.database_name)
        self.losses += int(loses_answers)
        load = Load(self.house, self.phrasebook, self.link, Random(scenario))
        before = len(self.house.ledger.events("telegram"))
        async with self._visited(load, talkers, buyers):
            await load.flows()
            began, since, rung = monotonic(), datetime.now(UTC), len(self.door.answers)
            async with self._rung(), harm:
                pass
            over = monotonic()
            recovery.lasted = over - began
            self.meanwhile = self.door.answers[rung:]
            await self.has_an_answer(patience)
            recovery.answered = monotonic() - over
            await load.flows()
        await calm(self.house, patience=patience)
        recovery.caught_up = monotonic() - over
        until = datetime.now(UTC)
        self.said = list(self.fleet.said_between(since, until))
        minutes = (until - since).total_seconds() / 60
        recovery.lines = len(self.said) / max(minutes, 1)
        assert recovery.lines <= MOST_LINES * len(self.fleet.parts), self.said[-50:]
        recovery.events = len(self.house.ledger.events("telegram")) - before
        self.asked |= load.asked
        if moves_clock:
            self.times_from = self.house.ledger.count("SELECT max(id) FROM store_inboxevent")
        history = History(self.asked, self.losses, self.times_from, self.poison)
        await judge(self.house, load, self.door, history)
        self.keep(recovery)
        return recovery

    @asynccontextmanager
    async def _visited(self, load: Load, talkers: int, buyers: int) -> AsyncIterator[None]:
        """Have people come meanwhile; those who are there at the end get what they came for."""
        running = asyncio.create_task(load.run(talkers=talkers, buyers=buyers))
        try:
            yield
            load.close()
            await running
        finally:
            running.cancel()

    @asynccontextmanager
    async def _rung(self) -> AsyncIterator[None]:
        """Have somebody at the door all the time, who notes what is answered."""
        over = asyncio.Event()
        ringing = asyncio.create_task(self.door.ring_until(over))
        try:
            yield
        finally:
            over.set()
            await ringing

    async def has_an_answer(self, patience: float = PATIENCE) -> None:
        """Have somebody new ask for something, and wait until they are answered."""
        person = await self.house.person(name="Pru")
        await person.tell("/help")

        async def answered() -> bool:
            return bool(await heard_by(person))

        await eventually(answered, "somebody is answered again", patience=patience)

    async def move_to(self, session: aiohttp.ClientSession) -> None:
        """Speak to the vendors and to the door from another event loop from now on.

        What a scenario did to the vendors is undone.
        """
        self.house = replace(
            self.house,
            telegram=Control(session, self.house.telegram.url),
            stripe=Control(session, self.house.stripe.url),
        )
        self.door = self.door.of(self.house, session)
        for vendor in (self.house.telegram, self.house.stripe):
            await vendor.post("faults", {"reset": True, "retry_scale": HASTE})

    def told(self, message: str) -> list[dict[str, Any]]:
        """Give what the log said of something since the last harm began."""
        return [one for one in self.said if one["message"] == message]

    # Waiting for facts, for harms

    async def refused(self, times: int = 3) -> None:
        """Wait until so many deliveries were answered 503 at the door, from now on."""
        mark = len(self.door.answers)

        async def seen() -> bool:
            return (
                sum(one.status == SERVICE_UNAVAILABLE for one in self.door.answers[mark:]) >= times
            )

        await eventually(seen, "deliveries are refused", patience=30)

    async def is_called(self, times: int = 5) -> None:
        """Wait until Telegram was called so often, from now on."""
        mark = await last_call(self.house)

        async def seen() -> bool:
            return len(await calls_after(self.house, mark)) >= times

        await eventually(seen, "Telegram is called", patience=30)


async def build_scene(sandbox: Sandbox, fleet: Fleet) -> Scene:
    """Start a fleet, connect a bot, let somebody in who shares the link, learn the answers."""
    await asyncio.to_thread(fleet.start)
    async with aiohttp.ClientSession() as session:
        house = await build_house(session, sandbox, fleet)
        sharer = await house.person(name="Sharer")
        await house.let_in(sharer)
        link = await house.invitation(sharer)
        door = await open_door(house, session)
        return Scene(house, fleet, door, await learn(house), link, {sharer.id})


def shown(request: pytest.FixtureRequest) -> Callable[[Recovery], None]:
    """Have the recoveries of a test stand in the table at the end of the run."""

    def keep(recovery: Recovery) -> None:
        request.node.user_properties.append((RECOVERY, asdict(recovery)))

    return keep


def table(records: Iterable[dict[str, Any]]) -> list[str]:
    """Write recoveries as lines of a table in Markdown."""
    lines = [
        "| harm | database | lasted s | answers after s | caught up after s | updates | log/min |",
        "|---|---|--:|--:|--:|--:|--:|",
    ]
    for one in sorted(records, key=lambda one: (one["scenario"], one["database"])):
        numbers = (one["lasted"], one["answered"], one["caught_up"])
        lines.append(
            f"| {one['scenario']} | {one['database']} | "
            + " | ".join(f"{number:.1f}" for number in numbers)
            + f" | {one['events']} | {one['lines']:.0f} |"
        )
    return lines
