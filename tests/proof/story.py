"""What can happen in a story: people, Stripe, vendors' faults, operators, and the server's death.

Every step names people by their place in the cast and finds out for itself what they have, so that
a story makes sense whatever is left out of it. Where there is nothing to act upon, nothing happens.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final

from tests.faults.history import DAY, Gift, Right, Terms
from tests.proof.world import BOTH, FOR_EVER, MONTHLY, THIRTY_DAYS, TRIAL
from velvetrope.sandbox.handset import SandboxError, members, session_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.faults.history import Record
    from tests.proof.world import World
    from velvetrope.sandbox.handset import Message, Person

#: Four people of the story; the last one is in the first chat from before the product.
CAST: Final = 4
OLD_HAND: Final = 3
PLANS: Final = (MONTHLY, BOTH, THIRTY_DAYS, FOR_EVER, TRIAL)
#: Seconds for which a person waits for the bot while vendors and servers fail.
PATIENCE: Final = 3.0
HOUR: Final = 3600.0
_OVER: Final = frozenset({"canceled", "incomplete_expired"})

#: Faults that pass by themselves: nothing of them may be left at the end.
FAULTS: Final[Mapping[str, Mapping[str, object]]] = {
    "error": {"status": 500},
    "proxy": {"status": 502, "body": "<html>Bad Gateway</html>"},
    "nonsense": {"status": 503, "body": "{"},
    "lost": {"lose_answer": True},
    "refused": {"status": 500, "lose_answer": True},
    "busy": {"status": 429, "retry_after": 1},
}
TELEGRAM_METHODS: Final = ("*", "sendMessage", "*ChatMember", "approve*", "getChatMember")
STRIPE_PATHS: Final = ("*", "GET /v1/subscriptions*", "GET *", "POST *", "GET /v1/payment_intents*")


@dataclass
class Story:
    """One example: its people, what was done, and when the server died."""

    world: World
    began: float
    people: list[Person] = field(default_factory=list)
    steps: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    #: Moments at which what the server had in flight was cut off.
    deaths: list[float] = field(default_factory=list)
    #: Moments at which an operator let removals go on, or changed how many may be.
    releases: list[float] = field(default_factory=list)
    faults: int = 0
    #: Rules of the policy that were changed.
    rules: set[str] = field(default_factory=set)
    is_held: bool = False
    is_off: bool = False
    #: Whether Telegram may have told of something in vain: nobody hears of it again.
    was_deaf: bool = False
    knows: dict[str, int] = field(default_factory=dict)

    @classmethod
    async def begin(cls, world: World) -> Story:
        story = cls(world, await world.now())
        world.stories += 1
        for number in range(CAST + 1):  # the last one is a stranger who is given the link
            story.people.append(await world.house.person(name=f"Cast {number}"))
        old = story.people[OLD_HAND].id
        path = f"chats/{world.house.chats[0]}/members/{old}"
        await world.house.telegram.ask("PUT", path, {"status": "member"})
        for vendor in ("movements", "calls"):
            page = await world.house.telegram.get(f"{vendor}?limit=1")
            story.knows[vendor] = page["last"]
        page = await world.house.stripe.get("calls?limit=1")
        story.knows["stripe"] = page["last"]
        return story

    async def do(self, step: str, **how: Any) -> None:
        self.steps.append((step, how))
        await getattr(self, step)(**how)

    # People

    async def buy(self, who: int, plan: int, card: str) -> None:
        """Go from /start to Checkout, and pay."""
        await self.order(who, plan)
        await self.pay(who, card)

    async def order(self, who: int, plan: int) -> None:
        """Ask for a link to pay; it may stay unused."""
        await self._be_reachable()
        person = self.people[who]
        before = await person.last_id()
        await person.tell("/plans" if before else "/start")
        plans = await self._hear(person, before, "plan:")
        if plans is None:
            return
        offers = [one.callback_data for one in plans.buttons if one.callback_data[:5] == "plan:"]
        if plan < len(offers):
            press = {"bot": person.bot, "message_id": plans.id, "data": offers[plan], "wait": 0}
            before = await person.last_id()
            await person.phone.post(f"users/{person.id}/callbacks", press)
            await self._hear(person, before, "")

    async def pay(self, who: int, card: str) -> None:
        """Pay what the newest link is for, if one is open."""
        for message in reversed(await self.people[who].messages()):
            for button in message.buttons:
                if "/checkout/" in button.url:
                    with contextlib.suppress(SandboxError):
                        await self.world.house.pay(session_of(button.url), card)
                    return

    async def knock(self, who: int, chat: int) -> str:
        """Follow the link to a chat; gives what came of it."""
        outcome: str = (await self.people[who].follow(self.world.links[chat]))["outcome"]
        return outcome

    async def leave(self, who: int, chat: int) -> None:
        person, house = self.people[who], self.world.house
        await house.telegram.post(f"users/{person.id}/leave", {"chat": house.chats[chat]})

    async def block(self, who: int) -> None:
        person = self.people[who]
        await person.phone.post(f"users/{person.id}/block", {"bot": person.bot})

    async def unblock(self, who: int) -> None:
        person = self.people[who]
        await person.phone.post(f"users/{person.id}/unblock", {"bot": person.bot})

    async def say(self, who: int, text: str) -> None:
        await self.people[who].tell(text)

    # What happens at Stripe

    async def cancel(self, who: int, how: str) -> None:
        await self._change(who, {"cancel": how})

    async def pause(self, who: int, how: str) -> None:
        change: dict[str, Any] = {"pause": True} if how == "wholly" else {"pause_collection": how}
        await self._change(who, change)

    async def resume(self, who: int) -> None:
        subscription = await self._subscription(who)
        if subscription is not None and subscription["status"] == "paused":
            await self._change(who, {"resume": True})
        else:
            await self._change(who, {"pause_collection": "off"})

    async def confuse(self, who: int) -> None:
        """Have Stripe speak of a status that nobody knows yet, and take it back another time."""
        subscription = await self._subscription(who)
        if subscription is not None:
            known = subscription["status"] != "on_the_moon"
            await self._change(who, {"status": "on_the_moon" if known else "active"})

    async def move(self, who: int, plan: int) -> None:
        """Change the plan, as the portal does."""
        subscription = await self._subscription(who)
        if subscription is None or subscription["status"] not in {"active", "trialing"}:
            return
        fields = {
            "items[0][id]": subscription["items"]["data"][0]["id"],
            "items[0][price]": self.world.house.prices[plan],
        }
        await self.world.call_stripe(f"subscriptions/{subscription['id']}", fields)

    async def swap(self, who: int, card: str) -> None:
        """Change the card that later payments are tried with."""
        subscription = await self._subscription(who)
        if subscription is not None:
            await self._stripe(f"customers/{subscription['customer']}/card", {"card": card})

    async def retry(self, who: int) -> None:
        """Try to collect the newest invoice now."""
        subscription = await self._subscription(who)
        if subscription is not None:
            await self._stripe(f"invoices/{subscription['latest_invoice']}/pay", {})

    async def refund(self, who: int, how: str, which: int) -> None:
        await self.world.learn()
        payments = self.world.history.payments(self.people[who].id)
        paid = [one for one in payments if one["status"] == "succeeded"]
        if paid:
            body = {"amount": 100} if how == "part" else {"outcome": how}
            await self._stripe(f"payments/{paid[-1 - which % len(paid)]['id']}/refund", body)

    async def settle_refund(self, who: int, status: str) -> None:
        await self.world.learn()
        for refund in self.world.history.back("refund", self.people[who].id)[-1:]:
            await self._stripe(f"refunds/{refund['id']}", {"status": status})

    async def dispute(self, who: int, status: str, which: int) -> None:
        await self.world.learn()
        payments = self.world.history.payments(self.people[who].id)
        paid = [one for one in payments if one["status"] == "succeeded"]
        if paid:
            name = paid[-1 - which % len(paid)]["id"]
            await self._stripe(f"payments/{name}/dispute", {"status": status})

    async def judge_dispute(self, who: int, status: str) -> None:
        await self.world.learn()
        for dispute in self.world.history.back("dispute", self.people[who].id)[-1:]:
            if dispute["status"].startswith("warning_") == status.startswith("warning_"):
                await self._stripe(f"disputes/{dispute['id']}", {"status": status})

    async def settle(self, who: int, *, succeeded: bool) -> None:
        """Let money that is on its way come in, or not."""
        await self.world.learn()
        for payment in self.world.history.payments(self.people[who].id):
            if payment["status"] == "processing":
                await self._stripe(f"payments/{payment['id']}/settle", {"succeeded": succeeded})

    async def foreign(self, who: int) -> None:
        """Sell the person something else from the same Stripe account."""
        tag = {"metadata[telegram_user_id]": str(self.people[who].id)}
        made = await self.world.call_stripe("customers", tag)
        if "id" not in made:
            return  # the call fell victim to a fault
        fields = {
            **tag,
            "customer": made["id"],
            "items[0][price]": self.world.house.prices[BOTH],
            "default_payment_method": "pm_card_visa",
        }
        await self.world.call_stripe("subscriptions", fields)

    # Time

    async def wait(self, hours: float) -> None:
        if self.world.home.is_up and not self.is_held:
            await self.world.hear_telegram()
        # Telegram keeps for a day what it couldn't deliver.
        self.was_deaf |= not await self.world.has_heard_telegram()
        await self.world.pass_time(hours * HOUR)

    # What goes wrong

    async def fail_telegram(self, fault: str, method: int, count: int) -> None:
        await self._fault("telegram", fault, TELEGRAM_METHODS[method], count)

    async def fail_stripe(self, fault: str, path: int, count: int) -> None:
        await self._fault("stripe", fault, STRIPE_PATHS[path], count)

    async def double(self, copies: int) -> None:
        for control in (self.world.house.telegram, self.world.house.stripe):
            await control.post("faults", {"duplicates": copies})

    async def shuffle(self) -> None:
        for control in (self.world.house.telegram, self.world.house.stripe):
            await control.post("faults", {"shuffle": 0.08})

    async def drop(self, count: int) -> None:
        """Have Stripe's next deliveries never arrive."""
        await self.world.house.stripe.post("faults", {"drop": count})
        self.faults += 1

    async def hold(self) -> None:
        """Have both vendors keep what they would deliver."""
        self.is_held = True
        await self._hold(hold=True)

    async def release(self) -> None:
        if self.is_held:
            self.is_held = False
            await self._hold(hold=False)

    async def kill(self) -> None:
        """Kill the server and start it again."""
        self.down()
        self.world.home.start()

    async def die(self) -> None:
        """Kill the server; it is started again when somebody needs it."""
        self.down()

    def down(self) -> None:
        if self.world.home.is_up:
            self.world.home.kill()
            self.deaths.append(self.world.moment())

    async def restart(self) -> None:
        """Stop the server as systemd would, and start it again."""
        if self.world.home.is_up:
            await asyncio.to_thread(self.world.home.stop)
        self.world.home.start()

    # Operators

    async def grant(self, who: int, plan: int, days: int) -> None:
        person, price = self.people[who].id, self.world.house.prices[plan]
        ordered = await self.world.now()
        gift = Gift(person, price, ordered, ordered + days * DAY + 60)
        bot = str(self.world.house.id)
        done = await self._command(
            "members", "grant", str(person), "--bot", bot, "--plan", price, "--days", str(days)
        )
        if done:
            self.world.history.gifts.append(gift)
            await self.settle_down()
            gift.since = await self.world.now()
            gift.until = ordered + days * DAY

    async def revoke(self, who: int) -> None:
        person, now = self.people[who].id, await self.world.now()
        held = [one for one in self.world.history.gifts if one.person == person]
        held = [one for one in held if one.revoked > now and one.until > now]
        if not held:
            return
        for gift in held:
            gift.revoked = now
        bot = str(self.world.house.id)
        done = await self._command("members", "revoke", str(person), "--bot", bot)
        await self.settle_down()
        if done:
            for gift in held:
                gift.over = await self.world.now()

    async def sync(self, who: int) -> None:
        """Ask Stripe and Telegram about one now."""
        person, bot = str(self.people[who].id), str(self.world.house.id)
        await self._command("members", "sync", person, "--bot", bot, "--wait", "0")

    async def rule(self, name: str, value: str) -> None:
        """Change one rule of the policy."""
        bot = str(self.world.house.id)
        if await self._command("bots", "policy", bot, "--set", f"{name}={value}"):
            self.rules.add(name)
            if not name.startswith("brake_"):
                given = int(value) if value.isdigit() else value == "yes"
                self.world.history.decree(self.world.moment(), **{name: given})

    async def confirm(self) -> None:
        """Say yes as an operator to removals that the brake holds, if there are any."""
        held = self.world.house.ledger.rows(
            "SELECT telegram_id FROM store_chat WHERE brake_at IS NOT NULL"
        )
        for row in held:
            self.releases.append(self.world.moment())
            chat, bot = str(row["telegram_id"]), str(self.world.house.id)
            await self._command("removals", "confirm", "--bot", bot, "--chat", chat, "--all")

    async def switch_off(self) -> None:
        self.is_off = self.was_deaf = True
        await self._command("bots", "disable", str(self.world.house.id))

    async def switch_on(self) -> None:
        if self.is_off:
            self.is_off = False
            assert await self._command("bots", "enable", str(self.world.house.id))

    # The end

    async def catch_up(self) -> None:
        """Let the product come to know what it may have missed, and everybody in who may be."""
        await self.settle_down()
        await self.switch_on()
        for hours in (3, 25):
            await self.wait(hours)
            await self.settle_down()
        await self._let_removals_go_on()
        await self._everybody_knocks()
        await self.settle_down()

    async def close(self) -> None:
        """End what the people pay for, so that their months cost later stories no time."""
        if self.rules:
            resets = [word for name in sorted(self.rules) for word in ("--reset", name)]
            assert await self._command("bots", "policy", str(self.world.house.id), *resets)
            self.world.history.decree(self.world.moment(), **asdict(Terms()))
        for person in self.people:
            for subscription in self.world.history.subscriptions(person.id):
                if subscription["status"] not in _OVER:
                    await self._stripe(f"subscriptions/{subscription['id']}", {"cancel": "now"})
        await self.settle_down()
        await self._let_removals_go_on()

    async def _let_removals_go_on(self) -> None:
        """Confirm until nobody is held any more; a look may bring new ones to light."""
        for _ in range(CAST):
            ledger = self.world.house.ledger
            if not ledger.count("SELECT count(*) FROM store_chat WHERE brake_at IS NOT NULL"):
                return
            await self.confirm()
            await self.world.tick()
            await self.settle_down()

    async def _everybody_knocks(self) -> None:
        """Whoever has a right and is outside asks to enter."""
        now = self.world.moment()
        for number, chat in enumerate(self.world.house.chats):
            inside = await members(self.world.house.telegram, chat)
            for who, person in enumerate(self.people):
                right = self.world.history.right(person.id, chat, now)
                if right is Right.IN and person.id not in inside:
                    if self.was_deaf:
                        await self._withdraw(person, chat)
                    outcome = await self.knock(who, number)
                    assert outcome == "requested", (person.id, chat, outcome)

    async def _withdraw(self, person: Person, chat: int) -> None:
        """Take back a request that the bot may never have heard of, to make it anew."""
        with contextlib.suppress(SandboxError):
            await person.phone.post(f"users/{person.id}/withdraw", {"chat": chat})

    # Coming to rest

    async def settle_down(self) -> None:
        """Let everything that is under way end: no fault, a server, deliveries, quiet."""
        await self.world.clear()
        self.is_held = False
        if not self.world.home.is_up:
            self.world.home.start()
        await self.world.quiet()
        await self.world.learn()

    async def _be_reachable(self) -> None:
        """Whoever talks with the bot needs a server that is told of it."""
        if not self.world.home.is_up:
            self.world.home.start()
        await self.release()

    async def _hear(self, person: Person, after: int, part: str) -> Message | None:
        """Wait for a message of the bot with such a button; None if none comes in time."""
        end = time.monotonic() + (0.2 if self.is_off else PATIENCE)
        while time.monotonic() < end:
            for message in reversed(await person.messages()):
                if message.id > after and message.from_ == person.bot:
                    if not part or any(part in one.callback_data for one in message.buttons):
                        return message
                    end = min(end, time.monotonic() + 0.3)  # it has said something else
            await asyncio.sleep(0.01)
        return None

    async def _subscription(self, who: int) -> Record | None:
        """Give the person's newest subscription that isn't over."""
        await self.world.learn()
        mine = self.world.history.subscriptions(self.people[who].id)
        return next((one for one in reversed(mine) if one["status"] not in _OVER), None)

    async def _change(self, who: int, change: dict[str, Any]) -> None:
        subscription = await self._subscription(who)
        if subscription is not None:
            await self._stripe(f"subscriptions/{subscription['id']}", change)

    async def _stripe(self, path: str, body: dict[str, Any]) -> None:
        """Have something happen at Stripe; what can't happen there doesn't."""
        with contextlib.suppress(SandboxError):
            await self.world.house.stripe.post(path, body)

    async def _fault(self, vendor: str, fault: str, match: str, count: int) -> None:
        self.faults += 1
        rule = {**FAULTS[fault], "match": match, "count": 1 if fault == "busy" else count}
        control = self.world.house.telegram if vendor == "telegram" else self.world.house.stripe
        waiting = (await control.get("faults"))["fail_next"]
        await control.post("faults", {"fail_next": [*waiting, rule]})

    async def _hold(self, *, hold: bool) -> None:
        for control in (self.world.house.telegram, self.world.house.stripe):
            await control.post("faults", {"hold": hold})

    async def _command(self, *words: str) -> bool:
        """Run a command as an operator; tells whether it worked."""
        done = await asyncio.to_thread(self.world.home.command, *words)
        return done.code == 0
