"""A bot with its channel, its prices and its people, beside a server that runs."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.faults.ledger import Ledger
from tests.processes import STRIPE_API_KEY, STRIPE_WEBHOOK_SECRET, Installation, Sandbox
from velvetrope.sandbox.handset import Control, Person, eventually, members, session_of

if TYPE_CHECKING:
    import aiohttp

MONTHLY = {"amount": 900, "currency": "eur", "interval": "month"}
YEARLY = {"amount": 9000, "currency": "eur", "interval": "year"}
ONCE = {"amount": 4900, "currency": "eur"}


@dataclass
class House:
    """One integration with everything around it; `prices` are ids in the order asked for."""

    telegram: Control
    stripe: Control
    installation: Installation
    bot: str
    token: str
    owner: int
    chats: list[int]
    prices: list[str]
    #: The webhook endpoint at Stripe.
    endpoint: str
    id: int = 0

    @property
    def chat(self) -> int:
        return self.chats[0]

    async def person(self, language: str = "en", name: str = "Ann") -> Person:
        """Let somebody new pick up a phone."""
        made = await self.telegram.post(
            "users", {"first_name": name, "language_code": language, "username": None}
        )
        return Person(self.telegram, made["id"], self.bot)

    async def offer(self, person: Person, price: int = 0) -> str:
        """Take a person as far as Checkout; gives the session's id."""
        plans = await person.say("/start")
        data = plans.buttons[price].callback_data
        return session_of((await person.press(plans, data)).button("http").url)

    async def buy(self, person: Person, price: int = 0, card: str = "good") -> str:
        """Take a person through Checkout; gives the session's id."""
        session = await self.offer(person, price)
        await self.pay(session, card)
        return session

    async def pay(self, session: str, card: str = "good") -> dict[str, Any]:
        paid: dict[str, Any] = await self.stripe.post(f"checkouts/{session}/pay", {"card": card})
        return paid

    async def let_in(self, person: Person, price: int = 0) -> None:
        """Take a person all the way into the channel."""
        await self.buy(person, price)
        invitation = await self.invitation(person)
        before = await person.last_id()
        await person.follow(invitation)
        await person.gets_in(self.chat)
        await person.hears_after(before)  # the welcome: what comes later is about something else

    async def invitation(self, person: Person) -> str:
        """Wait until the bot offers the door; gives the link."""

        async def offered() -> str | None:
            for message in reversed(await person.messages()):
                for button in message.buttons:
                    if button.url.startswith("https://t.me/+"):
                        return button.url
            return None

        return await eventually(offered, "the door is offered")

    @property
    def bot_id(self) -> int:
        return int(self.token.partition(":")[0])

    @property
    def ledger(self) -> Ledger:
        return Ledger(self.installation.database_url)

    def problems(self) -> list[str]:
        """Give the codes of what `velvetrope bots show` says is to be mended."""
        done = self.installation.command("bots", "show", str(self.id), "--json")
        assert done.code == 0, done.err
        return [problem["code"] for problem in done.json["problems"]]

    def shown(self, person: Person) -> dict[str, Any]:
        """Give what `velvetrope members show` says of a person."""
        done = self.installation.command(
            "members", "show", str(person.id), "--bot", str(self.id), "--json"
        )
        assert done.code == 0, done.err
        shown: dict[str, Any] = done.json
        return shown

    async def members(self) -> set[int]:
        return await members(self.telegram, self.chat)

    async def subscription_of(self, person: Person) -> dict[str, Any]:
        return await self.found("subscriptions", person)

    async def payment_of(self, person: Person) -> dict[str, Any]:
        return await self.found("payments", person)

    async def payment_for(self, subscription: dict[str, Any]) -> str:
        """Give the id of the payment of a subscription's latest invoice."""
        pairs = (await self.truth())["invoice_payments"]
        paid = (one for one in pairs if one["invoice"] == subscription["latest_invoice"])
        payment: str = next(paid)["payment"]["payment_intent"]
        return payment

    async def found(self, kind: str, person: Person) -> dict[str, Any]:
        """Give the newest object of Stripe that carries the person's id."""
        state = await self.truth()
        found: list[dict[str, Any]] = [
            one
            for one in state[kind]
            if (one.get("metadata") or {}).get("telegram_user_id") == str(person.id)
        ]
        if not found:
            raise AssertionError(f"no {kind} of person {person.id}")
        return max(found, key=lambda one: one["created"])

    async def truth(self) -> dict[str, list[dict[str, Any]]]:
        """Give all that Stripe knows."""
        state: dict[str, list[dict[str, Any]]] = await self.stripe.get(
            f"state?account={STRIPE_API_KEY}"
        )
        return state

    async def later(self, seconds: float) -> None:
        """Let time pass, for Stripe, Telegram and the product.

        The product looks at the clock a moment later and takes what Stripe signed meanwhile for
        the future; Stripe shall not wait long before it tells again.
        """
        await self.stripe.post("faults", {"retry_scale": 0.05})
        await self.stripe.post("clock", {"seconds": seconds})


async def build_house(
    session: aiohttp.ClientSession,
    sandbox: Sandbox,
    installation: Installation,
    *,
    prices: list[dict[str, Any]] | None = None,
    chats: int = 1,
    language: str = "en",
) -> House:
    """Make the world around a bot, and connect it with `velvetrope bots add`."""
    telegram = Control(session, sandbox.telegram_url)
    stripe = Control(session, sandbox.stripe_url)
    name = f"test_{secrets.token_hex(4)}_bot"
    bot = await telegram.post("bots", {"name": "The Rope", "username": name})
    owner = (await telegram.post("users", {"first_name": "Olga", "language_code": "en"}))["id"]
    chat_ids = []
    for number in range(chats):
        room = await telegram.post(
            "chats", {"title": f"Back Room {number + 1}", "kind": "channel", "owner": owner}
        )
        await telegram.ask(
            "PUT", f"chats/{room['id']}/members/{bot['id']}", {"status": "administrator"}
        )
        chat_ids.append(room["id"])
    endpoint = await open_till(stripe, installation)
    made = await stripe.post(
        "catalog",
        {
            "account": STRIPE_API_KEY,
            "products": [
                {"name": f"Plan {number + 1}", "prices": [price]}
                for number, price in enumerate(prices or [MONTHLY, YEARLY, ONCE])
            ],
        },
    )
    price_ids = [product["prices"][0]["id"] for product in made["products"]]
    added = installation.command(
        "bots",
        "add",
        "--token",
        "-",
        *(part for chat in chat_ids for part in ("--chat", str(chat))),
        *(part for price in price_ids for part in ("--price", price)),
        "--name",
        name,
        "--language",
        language,
        "--json",
        stdin=bot["token"],
    )
    assert added.code == 0, added.err
    # As many people may leave at once as a story wants.
    set_policy(installation, added.json["id"], "brake_members=10000")
    return House(
        telegram=telegram,
        stripe=stripe,
        installation=installation,
        bot=name,
        token=bot["token"],
        owner=owner,
        chats=chat_ids,
        prices=price_ids,
        endpoint=endpoint,
        id=added.json["id"],
    )


def set_policy(installation: Installation, integration: int, *values: str) -> None:
    """Change the policy of a bot; `values` are written as `brake_members=5`."""
    options = (part for value in values for part in ("--set", value))
    done = installation.command("bots", "policy", str(integration), *options, "--json")
    assert done.code == 0, done.err


async def open_till(stripe: Control, installation: Installation) -> str:
    """Open the account of the environment's key and point its webhook at the server.

    Gives the endpoint's id.
    """
    await stripe.post("accounts", {"key": STRIPE_API_KEY})
    made = await stripe.post(
        "webhook_endpoints",
        {
            "account": STRIPE_API_KEY,
            "url": f"{installation.url}/stripe/bots/webhooks",
            "secret": STRIPE_WEBHOOK_SECRET,
        },
    )
    endpoint: str = made["id"]
    return endpoint
