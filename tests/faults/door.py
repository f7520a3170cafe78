"""Deliveries by hand, with the right secret or signature; what was answered is kept."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from itertools import count
from time import monotonic
from typing import TYPE_CHECKING

import aiohttp
import msgspec

from tests.processes import STRIPE_WEBHOOK_SECRET
from velvetrope.sandbox.stripe.delivery import sign

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.e2e.house import House

_number = count(1)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the door said; `status` is None if nothing was heard, `seconds` how long it took."""

    status: int | None
    retry_after: int | None
    seconds: float
    #: The event's id, as the product stores it.
    event: str = ""


class Door:
    """Both webhooks of one installation."""

    def __init__(self, house: House, session: aiohttp.ClientSession, secret: str) -> None:
        self._house = house
        self._session = session
        self._secret = secret
        self.answers: list[Answer] = []

    def of(self, house: House, session: aiohttp.ClientSession) -> Door:
        """Give the same door for another event loop; what was answered is remembered."""
        door = Door(house, session, self._secret)
        door.answers = self.answers
        return door

    @property
    def taken(self) -> set[str]:
        """Give the ids of the events of Stripe that were acknowledged."""
        return {one.event for one in self.answers if one.status == 200 and one.event}

    async def ring(self) -> Answer:
        """Bring a sound event of Stripe that means nothing to the product."""
        event = f"evt_ring{next(_number)}"
        body = msgspec.json.encode(
            {
                "id": event,
                "object": "event",
                "type": "radar.early_fraud_warning.created",
                "created": 1_700_000_000,
                "livemode": False,
                "api_version": None,
                "data": {"object": {"id": f"issfr_{event}", "object": "radar.early_fraud_warning"}},
            }
        )
        answer = await self.bring_stripe(body, event=event)
        self.answers.append(answer)
        return answer

    async def ring_until(self, over: asyncio.Event, pause: float = 0.05) -> None:
        """Ring again and again, one after another."""
        while not over.is_set():
            await self.ring()
            await asyncio.sleep(pause)

    async def bring_stripe(self, body: bytes, *, event: str = "") -> Answer:
        now = int((await self._house.stripe.get("clock"))["now"])
        headers = {"Stripe-Signature": sign(body, [STRIPE_WEBHOOK_SECRET], now)}
        return await self._post("/stripe/bots/webhooks", body, headers, event)

    async def bring_telegram(self, body: bytes) -> Answer:
        headers = {"X-Telegram-Bot-Api-Secret-Token": self._secret}
        return await self._post("/telegram/bots/webhooks", body, headers)

    async def _post(
        self, path: str, body: bytes, headers: Mapping[str, str], event: str = ""
    ) -> Answer:
        began = monotonic()
        status = retry_after = None
        url = f"{self._house.installation.url}{path}"
        try:
            async with self._session.post(url, data=body, headers=headers) as answer:
                await answer.read()
                status = answer.status
                retry_after = int(answer.headers.get("Retry-After", 0)) or None
        except (aiohttp.ClientError, OSError, TimeoutError):
            pass  # nobody is there, or the answer was lost
        return Answer(status, retry_after, monotonic() - began, event)


async def open_door(house: House, session: aiohttp.ClientSession) -> Door:
    """Give the door of a house; its secret is what the bot told Telegram last."""
    calls = await house.telegram.get("calls?limit=20000")
    secrets = [
        call["params"]["secret_token"]
        for call in calls["calls"]
        if call["method"] == "setWebhook" and call["bot"] == house.bot_id
    ]
    return Door(house, session, secrets[-1])
