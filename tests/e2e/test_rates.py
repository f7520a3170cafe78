"""Strangers knock at the webhooks over real connections, from the address of valid senders."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.faults.calls import calls_after, last_call
from tests.faults.calm import on_the_way
from velvetrope.sandbox.handset import eventually

if TYPE_CHECKING:
    import aiohttp

    from tests.e2e.house import House

TELEGRAM = "/telegram/bots/webhooks"
STRIPE = "/stripe/bots/webhooks"


async def knock(
    house: House, session: aiohttp.ClientSession, path: str, headers: dict[str, str]
) -> tuple[int, str | None]:
    address = f"{house.installation.url}{path}"
    async with session.post(address, data=b'{"update_id": 1}', headers=headers) as answer:
        await answer.read()
        return answer.status, answer.headers.get("Retry-After")


@pytest.mark.parametrize(
    ("path", "header", "refused", "limit"),
    [
        (TELEGRAM, "X-Telegram-Bot-Api-Secret-Token", 403, 100),
        (STRIPE, "Stripe-Signature", 400, 200),
    ],
)
async def test_strangers_are_limited_and_valid_senders_at_their_address_are_not(
    house: House,
    session: aiohttp.ClientSession,
    path: str,
    header: str,
    refused: int,
    limit: int,
) -> None:
    person = await house.person()
    strangers = [
        knock(house, session, path, {header: f"t=1,v1={number}"}) for number in range(limit + 50)
    ]
    answers, *_ = await asyncio.gather(
        asyncio.gather(*strangers), person.say("/start"), house.let_in(await house.person())
    )
    statuses = Counter(status for status, _ in answers)
    assert set(statuses) == {refused, 429}
    assert limit <= statuses[refused] <= limit + 10  # some come back while it lasts
    assert all(wait and 1 <= int(wait) <= 60 for status, wait in answers if status == 429)
    await house.let_in(await house.person())  # though the address has spent its tries


async def test_a_bot_that_is_switched_off_acknowledges_counts_and_does_nothing(
    house: House,
) -> None:
    person, payer = await house.person(), await house.person()
    session = await house.offer(payer)
    assert house.installation.command("bots", "disable", str(house.id)).code == 0

    async def off() -> bool:
        before = counted(house)
        await person.tell("/start")
        await eventually(lambda: arrived(house), "the update is taken")
        return counted(house) > before

    await eventually(off, "updates are counted only")
    mark, stored = await last_call(house), len(house.ledger.events("telegram"))
    await person.tell("/plans")
    await eventually(lambda: arrived(house), "the update is taken")
    assert len(house.ledger.events("telegram")) == stored
    await house.pay(session)
    assert not await calls_after(house, mark)
    assert house.installation.command("bots", "enable", str(house.id)).code == 0

    async def on() -> bool:
        before = await person.last_id()
        await person.tell("/start")
        await eventually(lambda: arrived(house), "the update is taken")
        return any(one.from_ == house.bot for one in await person.messages() if one.id > before)

    await eventually(on, "the bot answers")
    await payer.follow(await house.invitation(payer))
    await payer.gets_in(house.chat)


async def arrived(house: House) -> bool:
    return not await on_the_way(house)


def counted(house: House) -> float:
    """Read how many updates were acknowledged for bots that are off."""
    line = re.compile(
        r'^velvetrope_ingress_requests_total\{outcome="inactive".*\} (\S+)$', re.MULTILINE
    )
    found = line.search(house.installation.http.get("/metrics").text)
    return float(found[1]) if found else 0.0
