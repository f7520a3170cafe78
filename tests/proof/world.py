"""One bot with two channels, five prices and the people of many stories, over months of their time.

A world is made once and serves many examples; each brings new people into it.
"""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import tempfile
import time
from contextlib import AsyncExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import aiohttp

from tests.e2e.house import ONCE, build_house
from tests.faults.calm import on_the_way
from tests.faults.history import DAY, History, Shop
from tests.processes import STRIPE_API_KEY, Sandbox
from tests.proof.home import Home, unmeasured
from tests.proof.standby import CALM, TICK

if TYPE_CHECKING:
    from tests.e2e.house import House

#: Where files live in memory, if the system has such a place: a disk adds nothing to the proof.
_MEMORY: Final = Path("/dev/shm")  # noqa: S108  a folder of its own is made there
_MONTH: Final = {"amount": 900, "currency": "eur", "interval": "month"}
#: The prices: for the first chat, for both, paid once for 30 days, once for ever, with a trial.
PRICES: Final = (_MONTH, {**_MONTH, "amount": 1900}, ONCE, {**ONCE, "amount": 9900}, _MONTH)
MONTHLY, BOTH, THIRTY_DAYS, FOR_EVER, TRIAL = range(5)
_CHATS: Final = ((0,), (0, 1), (0,), (1,), (1,))
_DAYS: Final = 30
_TRIAL_DAYS: Final = 7
#: Own words of the operator's, by which messages are counted whatever the product's wording is.
MARKS: Final = {
    "payment.received": "RECEIVED {plan}",
    "payment.trial_began": "TRIAL {plan} {date}",
    "payment.failed_until": "FAILED {plan} {date}",
    "entry.let_in": "WELCOME {chat}",
    "ended.chats": "ENDED {chats}",
}
#: Vendors try again at once.
HASTE: Final = {"telegram": 0.01, "stripe": 0.0005}
#: Time passes in steps of this many seconds at most, and what is periodic runs in between.
STEP: Final = 2 * DAY


class World:
    """Everything that the stories of one world share; made by `open`, ended by `close`."""

    house: House
    home: Home
    history: History
    #: The links to the channels, which everybody knows.
    links: list[str]

    def __init__(self, migrated: Path) -> None:
        self._migrated = migrated
        self._stack = AsyncExitStack()
        self._seen = 0
        self.stories = 0
        #: Who is in which chat, and who brought them there; who came before is not known.
        self.stays: dict[tuple[int, int], int] = {}

    async def open(self) -> None:
        folder = Path(tempfile.mkdtemp(prefix="proof-", dir=_MEMORY if _MEMORY.is_dir() else None))
        self._stack.callback(shutil.rmtree, folder, ignore_errors=True)
        for name in ("sandbox", "home"):
            (folder / name).mkdir()
        sandbox = Sandbox(folder / "sandbox")
        sandbox.process.env = unmeasured(sandbox.process.env)
        self.sandbox = self._stack.enter_context(sandbox)
        self.home = Home(folder / "home", self._migrated, self.sandbox)
        self._stack.callback(self.home.close)
        timeout = aiohttp.ClientTimeout(total=60)
        self.session = await self._stack.enter_async_context(aiohttp.ClientSession(timeout=timeout))
        self.home.start()
        self.house = await build_house(
            self.session, self.sandbox, self.home, prices=list(PRICES), chats=2
        )
        await self.clear()
        await self.quiet()
        self.home.stop()
        self._arrange()
        self.home.start()
        prices = self.house.prices
        self.history = History(
            Shop(
                bot=self.house.bot_id,
                opens={
                    price: frozenset(self.house.chats[chat] for chat in chats)
                    for price, chats in zip(prices, _CHATS, strict=True)
                },
                days={prices[THIRTY_DAYS]: _DAYS},
            )
        )
        await self.learn()
        self.links = [await self._link(chat) for chat in self.house.chats]

    async def close(self) -> None:
        await self._stack.aclose()

    def _arrange(self) -> None:
        """Have each plan open its own chats, as the console would."""
        with closing(sqlite3.connect(self.home.database)) as base, base:
            base.execute("DELETE FROM store_planchat")
            for price, chats in zip(self.house.prices, _CHATS, strict=True):
                for chat in chats:
                    base.execute(
                        "INSERT INTO store_planchat (plan_id, chat_id) SELECT p.id, c.id"
                        " FROM store_plan p, store_chat c"
                        " WHERE p.stripe_price_id = ? AND c.telegram_id = ?",
                        (price, self.house.chats[chat]),
                    )
            for column, value, plan in (
                ("duration_days", _DAYS, THIRTY_DAYS),
                ("trial_days", _TRIAL_DAYS, TRIAL),
            ):
                base.execute(
                    f"UPDATE store_plan SET {column} = ? WHERE stripe_price_id = ?",  # noqa: S608
                    (value, self.house.prices[plan]),
                )
            for key, text in MARKS.items():
                base.execute(
                    "INSERT INTO store_textoverride (integration_id, language, key, text)"
                    " SELECT id, 'en', ?, ? FROM store_integration",
                    (key, text),
                )
            base.execute("UPDATE store_integration SET revision = revision + 1")

    async def _link(self, chat: int) -> str:
        """Make the link that the door of a chat has; the bot finds it in its records."""
        for _ in range(2):
            rows = self.house.ledger.rows(
                "SELECT invite_link FROM store_chat WHERE telegram_id = ?", chat
            )
            if rows[0]["invite_link"]:
                return str(rows[0]["invite_link"])
            first = await self.house.person()
            await self.house.buy(first, BOTH)
            await self.quiet()
        raise AssertionError(f"no link to {chat}")

    # Time

    def moment(self) -> float:
        """Give the sandbox's time without asking for it."""
        return time.time() + float(self.sandbox.clock_file.read_text())

    async def now(self) -> float:
        found: float = (await self.house.stripe.get("clock"))["now"]
        return found

    async def pass_time(self, seconds: float) -> None:
        """Let time go by for everybody."""
        while seconds > 0:
            await self.house.stripe.post("clock", {"seconds": min(seconds, STEP)})
            seconds -= STEP
            await self.tick()

    async def tick(self) -> None:
        """Have the server, if it runs, do what it does every now and then."""
        if self.home.is_up:
            await self._ask(TICK)

    # Quiet

    async def clear(self) -> None:
        """End all faults."""
        for control, haste in (
            (self.house.telegram, HASTE["telegram"]),
            (self.house.stripe, HASTE["stripe"]),
        ):
            await control.post("faults", {"reset": True, "retry_scale": haste})

    async def quiet(self, *, patience: float = 30.0) -> None:
        """Wait until nothing is on its way any more, neither at the vendors nor in the product."""
        deadline, clean = time.monotonic() + patience, 0
        while clean < 2:
            left = (await self._ask(CALM))["left"] or await on_the_way(self.house)
            clean = 0 if left else clean + 1
            if left:
                if time.monotonic() > deadline:
                    raise AssertionError(f"not quiet: {left} {self.house.ledger.unfinished()}")
                await asyncio.sleep(0.01)

    async def hear_telegram(self) -> None:
        """Give the server a moment to hear what Telegram has to tell."""
        for _ in range(100):
            if await self.has_heard_telegram():
                return
            await asyncio.sleep(0.01)

    async def has_heard_telegram(self) -> bool:
        state = await self.house.telegram.get("state")
        return not any(bot["webhook"]["pending"] for bot in state["bots"])

    async def learn(self) -> None:
        """Hear of everything that happened at Stripe since the last time."""
        while True:
            page = await self.house.stripe.get(f"events?after={self._seen}&limit=5000")
            self.history.feed(page["events"])
            if not page["events"]:
                return
            self._seen = page["events"][-1]["number"]

    async def _ask(self, path: str) -> dict[str, Any]:
        async with self.session.get(f"{self.home.url}{path}") as answer:
            assert answer.status == 200, await answer.text()
            found: dict[str, Any] = await answer.json(content_type=None)
            return found

    async def call_stripe(self, path: str, fields: dict[str, str]) -> dict[str, Any]:
        """Do as another program with the same account's key would; {} if no answer comes."""
        headers = {"Authorization": f"Bearer {STRIPE_API_KEY}"}
        url = f"{self.sandbox.stripe_url}/v1/{path}"
        try:
            async with self.session.post(url, data=fields, headers=headers) as answer:
                found: dict[str, Any] = await answer.json()
                return found
        except (aiohttp.ClientError, ValueError):
            return {}
