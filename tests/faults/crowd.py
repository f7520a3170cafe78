"""People who come, pay, enter, go and change their minds, at random but repeatably.

They are patient: whatever they wait for may take as long as a server needs to be started again.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from velvetrope.sandbox.handset import SandboxError, eventually, session_of

if TYPE_CHECKING:
    from random import Random

    from tests.e2e.house import House
    from velvetrope.sandbox.handset import Message, Person

PATIENCE: Final = 45.0
MONTHLY, ONCE = 0, 2


class Crowd:
    """Visitors of one house; `asked` are those whose last word at the door was to come in."""

    def __init__(self, house: House, link: str, rng: Random) -> None:
        self.house = house
        self.link = link
        self.asked: set[int] = set()
        self.people: list[int] = []
        self.deeds: Counter[str] = Counter()
        self._rng = rng
        self._closing = asyncio.Event()

    def close(self) -> None:
        """Let nobody else come; those who are there finish."""
        self._closing.set()

    async def come(self, at_once: int, at_least: int) -> None:
        """Let visitors come one after another, some at a time, until the house closes."""

        async def queue(seed: int) -> None:
            rng = type(self._rng)(seed)
            while not self._closing.is_set() or len(self.people) < at_least:
                person = await self.house.person(rng.choice(["en", "uk", "ru"]))
                self.people.append(person.id)
                await Visitor(self, person, rng).live()

        async with asyncio.TaskGroup() as group:
            for _ in range(at_once):
                group.create_task(queue(self._rng.randrange(2**32)))


class Visitor:
    """One person with a story."""

    def __init__(self, crowd: Crowd, person: Person, rng: Random) -> None:
        self._crowd = crowd
        self._house = crowd.house
        self._person = person
        self._rng = rng

    async def live(self) -> None:
        """Do one of the things that people do, from the first word to the last."""
        plans = await self._start()
        await self._wander()
        if self._happens(0.15):
            await self._knock_unpaid()
        if not await self._buy(plans):
            return
        deed = self._rng.choice(
            ["stay", "cancel", "cancel", "refund", "part", "dispute", "leave", "block", "return"]
        )
        self._note(deed)
        await getattr(self, f"_{deed}")()

    # What they do once they have paid

    async def _stay(self) -> None:
        await self._person.tell("/status")

    async def _cancel(self) -> None:
        await self._lose()
        if self._happens(0.5):
            await self._person.tell("/status")

    async def _refund(self) -> None:
        payment = await self._payment()
        await self._house.stripe.post(f"payments/{payment}/refund")

    async def _part(self) -> None:
        payment = await self._payment()
        await self._house.stripe.post(f"payments/{payment}/refund", {"amount": 100})

    async def _dispute(self) -> None:
        if self._person.id in self._crowd.asked:
            await self._until(self._is_in, is_so=True)
        payment = await self._payment()
        dispute = await self._house.stripe.post(f"payments/{payment}/dispute")
        if self._happens(0.5):
            return
        if self._person.id in self._crowd.asked:
            await self._until(self._is_in, is_so=False)
        verdict = self._rng.choice(["won", "lost"])
        await self._house.stripe.post(f"disputes/{dispute['id']}", {"status": verdict})
        if verdict == "won":
            await self._until_restored()
            await self._knock()

    async def _leave(self) -> None:
        if self._person.id not in self._crowd.asked:
            return
        await self._until(self._is_in, is_so=True)
        self._crowd.asked.discard(self._person.id)
        await self._house.telegram.post(
            f"users/{self._person.id}/leave", {"chat": self._house.chat}
        )
        if self._happens(0.5):
            await self._knock()

    async def _block(self) -> None:
        user = f"users/{self._person.id}"
        await self._house.telegram.post(f"{user}/block", {"bot": self._house.bot})
        if self._happens(0.5):
            await self._lose()
        if self._happens(0.5):
            await self._house.telegram.post(f"{user}/unblock", {"bot": self._house.bot})

    async def _return(self) -> None:
        """Come in, be put out, and buy again."""
        await self._knock()
        await self._until(self._is_in, is_so=True)
        await self._lose()
        await self._until(self._is_in, is_so=False)
        self._crowd.asked.discard(self._person.id)
        await self._buy(await self._start())

    # The steps

    async def _start(self) -> Message:
        after = await self._person.last_id()
        await self._person.tell("/start")

        async def shown() -> Message | None:
            for message in await self._person.messages():
                if message.id > after and len(_plans_in(message)) > ONCE:
                    return message
            return None

        what = f"person {self._person.id} is shown the plans"
        return await eventually(shown, what, self._recall, patience=PATIENCE)

    async def _wander(self) -> None:
        words = ["/help", "/status", "/plans", "hello", "/privacy", "/nonsense"]
        for text in self._rng.sample(words, self._rng.randrange(3)):
            await self._person.tell(text)

    async def _knock_unpaid(self) -> None:
        self._note("knock unpaid")
        await self._person.follow(self._crowd.link)
        await self._until(self._is_declined, is_so=True)

    async def _knock(self) -> None:
        self._crowd.asked.add(self._person.id)
        await self._person.follow(self._crowd.link)

    async def _buy(self, plans: Message) -> bool:
        """Choose a plan, pay for it or not, ask to enter before or after; tells if it is paid."""
        price = self._rng.choice([MONTHLY, MONTHLY, ONCE])
        after = await self._person.last_id()
        press = {
            "bot": self._house.bot,
            "message_id": plans.id,
            "data": _plans_in(plans)[price],
            "wait": 0,
        }
        await self._house.telegram.post(f"users/{self._person.id}/callbacks", press)
        link = await self._link_to_pay(after)
        if self._happens(0.4):
            self._note("knock first")
            await self._knock()
        if self._happens(0.1):
            self._note("abandon")
            return False
        session = session_of(link)
        if self._happens(0.2):
            self._note("declined card")
            try:
                await self._house.pay(session, "declined")
            except SandboxError:
                pass
            else:
                raise AssertionError("the card was not declined")
        if price == ONCE and self._happens(0.3):
            if not await self._pay_late(session):
                return False
        else:
            await self._house.pay(session)
        if self._happens(0.9) and not await self._is_in():
            await self._knock()
        return True

    async def _pay_late(self, session: str) -> bool:
        self._note("late money")
        payment = (await self._house.pay(session, "delayed"))["payment_intent"]
        comes = self._happens(0.7)
        await self._house.stripe.post(f"payments/{payment}/settle", {"succeeded": comes})
        return comes

    async def _lose(self) -> None:
        """End what was bought last."""
        kind, found = await self._bought()
        if kind == "subscription":
            await self._house.stripe.post(f"subscriptions/{found}", {"cancel": "now"})
        else:
            await self._house.stripe.post(f"payments/{found}/refund")

    async def _payment(self) -> str:
        """Give the payment of what was bought last."""
        kind, found = await self._bought()
        if kind == "payment":
            return found
        state = await self._house.truth()
        subscription = next(one for one in state["subscriptions"] if one["id"] == found)
        return await self._house.payment_for(subscription)

    async def _bought(self) -> tuple[str, str]:
        state = await self._house.truth()
        mine: list[tuple[int, str, str]] = [
            (one["created"], kind, one["id"])
            for kind, rows in (
                ("subscription", state["subscriptions"]),
                ("payment", state["payments"]),
            )
            for one in rows
            if (one["metadata"] or {}).get("telegram_user_id") == str(self._person.id)
            and one["status"] in {"active", "succeeded"}
        ]
        _, kind, found = mine[-1]
        return kind, found

    # Waiting

    async def _link_to_pay(self, after: int) -> str:
        async def offered() -> str | None:
            news = [one for one in await self._person.messages() if one.id > after]
            urls = [button.url for one in news for button in one.buttons]
            return next((url for url in urls if "/checkout/" in url), None)

        what = f"person {self._person.id} gets a link to pay"
        return await eventually(offered, what, self._recall, patience=PATIENCE)

    async def _until_restored(self) -> None:
        """Wait until the product has heard that the money stays."""

        async def restored() -> bool:
            rows = self._crowd.house.ledger.rows(
                "SELECT holds FROM store_entitlement e JOIN store_customer c"
                " ON c.id = e.customer_id WHERE c.telegram_user_id = ? ORDER BY e.id DESC LIMIT 1",
                self._person.id,
            )
            return bool(rows and rows[0]["holds"])

        await eventually(restored, "access is restored", self._recall, patience=PATIENCE)

    async def _until(self, look: Any, *, is_so: bool) -> None:
        async def changed() -> bool:
            return bool(await look()) is is_so

        what = f"person {self._person.id}: {look.__name__} is {is_so}"
        await eventually(changed, what, self._recall, patience=PATIENCE)

    async def _is_in(self) -> bool:
        return await self._person.is_in(self._house.chat)

    async def _is_declined(self) -> bool:
        room = await self._house.telegram.get(f"chats/{self._house.chat}")
        requests = room["join_requests"]
        return any(r["user"] == self._person.id and r["state"] == "declined" for r in requests)

    async def _recall(self) -> str:
        said = (await self._person.messages())[-6:]
        return "\n".join(f"{one.from_}: {one.text}" for one in said)

    def _happens(self, probability: float) -> bool:
        return self._rng.random() < probability

    def _note(self, deed: str) -> None:
        self._crowd.deeds[deed] += 1


def _plans_in(message: Message) -> list[str]:
    """Give the data of the buttons that choose a plan."""
    found = (button.callback_data for button in message.buttons)
    return [data for data in found if data.startswith("plan:")]
