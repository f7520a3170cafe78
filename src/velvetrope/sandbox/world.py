"""Builds a small world to try the product in: a bot, a channel with posts, people, prices."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import aiohttp

if TYPE_CHECKING:
    from collections.abc import Mapping

_PEOPLE = {"en": "Olivia", "uk": "Оксана", "ru": "Михаил"}
_POSTS = (
    "<b>Welcome to The Back Room.</b>\nWhat is played here stays here.",
    "Friday's session is up: two hours of vinyl, one take. <i>Headphones recommended.</i>",
    "<blockquote>Low ceiling, loud hearts.</blockquote>\nTonight at nine we listen together.",
)
#: Name of the price, product, amount in cents, interval (None is paid once).
_PRICES: tuple[tuple[str, str, int, str | None], ...] = (
    ("monthly", "The Back Room, monthly", 900, "month"),
    ("yearly", "The Back Room, yearly", 9000, "year"),
    ("lifetime", "The Back Room, for ever", 24000, None),
)
TRIAL_DAYS = 14


@dataclass(frozen=True, slots=True)
class World:
    """What was built; `people` by language, `prices` by name (monthly, yearly, lifetime)."""

    bot_id: int
    bot_name: str
    bot_username: str
    bot_token: str = field(repr=False)
    chat_id: int
    chat_title: str
    owner_id: int
    people: Mapping[str, int]
    prices: Mapping[str, str]
    #: Days to try for free that a plan may offer, by the name of its price.
    trials: Mapping[str, int]

    @property
    def price_ids(self) -> tuple[str, ...]:
        """List the ids of the prices in the order in which they are sold."""
        return tuple(self.prices.values())


async def build_world(
    telegram_url: str,
    stripe_url: str,
    *,
    stripe_key: str | None = None,
    bot_username: str = "velvet_rope_demo_bot",
) -> World:
    """Build the world in two running simulators; aiohttp.ClientError if one refuses.

    `stripe_key` names the account that gets the prices; it is registered if it is new.
    """
    async with aiohttp.ClientSession(raise_for_status=True) as session:
        return await _build(session, telegram_url, stripe_url, stripe_key, bot_username)


async def _build(
    session: aiohttp.ClientSession,
    telegram_url: str,
    stripe_url: str,
    stripe_key: str | None,
    bot_username: str,
) -> World:
    telegram, stripe = f"{telegram_url}/control", f"{stripe_url}/control"
    new_bot = {"name": "Velvet Rope Demo", "username": bot_username}
    bot = await _send(session, "POST", f"{telegram}/bots", new_bot)
    people = {}
    for language, name in _PEOPLE.items():
        person = {"first_name": name, "language_code": language}
        people[language] = int((await _send(session, "POST", f"{telegram}/users", person))["id"])
    owner = {"first_name": "Maria", "language_code": "en"}
    owner_id = int((await _send(session, "POST", f"{telegram}/users", owner))["id"])
    title = "The Back Room"
    new_chat = {"title": title, "kind": "channel", "owner": owner_id}
    chat_id = int((await _send(session, "POST", f"{telegram}/chats", new_chat))["id"])
    member = f"{telegram}/chats/{chat_id}/members/{bot['id']}"
    await _send(session, "PUT", member, {"status": "administrator"})
    for text in _POSTS:
        await _send(session, "POST", f"{telegram}/chats/{chat_id}/posts", {"text": text})
    return World(
        bot_id=int(bot["id"]),
        bot_name=new_bot["name"],
        bot_username=bot_username,
        bot_token=str(bot["token"]),
        chat_id=chat_id,
        chat_title=title,
        owner_id=owner_id,
        people=people,
        prices=await _add_prices(session, stripe, stripe_key),
        trials={"yearly": TRIAL_DAYS},
    )


async def _add_prices(
    session: aiohttp.ClientSession, stripe: str, key: str | None
) -> dict[str, str]:
    if key is not None:
        await _send(session, "POST", f"{stripe}/accounts", {"key": key})
    products = [
        {"name": name, "prices": [{"amount": amount, "currency": "eur", "interval": interval}]}
        for _, name, amount, interval in _PRICES
    ]
    made = await _send(session, "POST", f"{stripe}/catalog", {"account": key, "products": products})
    return {
        name: str(product["prices"][0]["id"])
        for (name, *_), product in zip(_PRICES, made["products"], strict=True)
    }


async def _send(
    session: aiohttp.ClientSession, method: str, url: str, content: Mapping[str, object]
) -> Any:
    async with session.request(method, url, json=content) as answer:
        return await answer.json()
