from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.processes import STRIPE_API_KEY, Completed

if TYPE_CHECKING:
    from tests.processes import Installation, Sandbox


@dataclass(frozen=True)
class Shop:
    """What an operator has before the product comes: a bot, a channel, prices, and its people."""

    sandbox: Sandbox
    owner: int
    bot_id: int
    token: str
    username: str
    chat: int
    price: str

    def promote(self, **rights: bool) -> None:
        """Make the bot an administrator with these rights, by default those that it needs."""
        given = rights or {"can_invite_users": True, "can_restrict_members": True}
        self.sandbox.telegram.put(
            f"/control/chats/{self.chat}/members/{self.bot_id}",
            json={"status": "administrator", **given},
        ).raise_for_status()

    def add(self, installation: Installation, *more: str) -> Completed:
        """Run `bots add` for this bot."""
        return installation.command(
            *("bots", "add", "--token", "-", "--chat", str(self.chat), "--price", self.price),
            *more,
            stdin=self.token,
        )


@pytest.fixture
def shop(sandbox: Sandbox, request: pytest.FixtureRequest) -> Shop:
    """Give a bot and a channel of this test's own; the bot isn't in the channel yet."""
    telegram, stripe = sandbox.telegram, sandbox.stripe
    username = f"door_{abs(hash(request.node.name)) % 10**9}_bot"
    owner = telegram.post("/control/users", json={"first_name": "Olena", "language_code": "uk"})
    bot = telegram.post("/control/bots", json={"name": "Door", "username": username})
    chat = telegram.post(
        "/control/chats", json={"title": "Club", "kind": "channel", "owner": owner.json()["id"]}
    )
    product = stripe.post("/control/products", json={"name": "Gold", "account": STRIPE_API_KEY})
    price = stripe.post(
        "/control/prices",
        json={
            "product": product.json()["id"],
            "amount": 900,
            "currency": "usd",
            "interval": "month",
        },
    )
    return Shop(
        sandbox=sandbox,
        owner=owner.json()["id"],
        bot_id=bot.json()["id"],
        token=bot.json()["token"],
        username=username,
        chat=chat.json()["id"],
        price=price.json()["id"],
    )
