from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from velvetrope.sandbox.world import build_world

if TYPE_CHECKING:
    from tests.processes import Sandbox


@pytest.mark.enable_socket
async def test_the_world_has_a_bot_a_channel_people_and_prices(sandbox: Sandbox) -> None:
    key = "sk_test_0123456789abcdefghijklmnop"
    world = await build_world(sandbox.telegram_url, sandbox.stripe_url, stripe_key=key)
    assert world.bot_token not in repr(world)
    assert set(world.people) == {"en", "uk", "ru"}
    assert list(world.prices) == ["monthly", "yearly", "lifetime"]
    assert world.price_ids == tuple(world.prices.values())
    assert all(re.fullmatch(r"price_\w+", price) for price in world.price_ids)
    chat = sandbox.telegram.get(f"/control/chats/{world.chat_id}").json()
    assert chat["title"] == world.chat_title
    assert len(chat["messages"]) == 3
    members = {one["id"]: one["status"] for one in chat["members"]}
    assert members == {world.owner_id: "creator", world.bot_id: "administrator"}
    for name, recurring in (("monthly", "month"), ("yearly", "year"), ("lifetime", None)):
        price = sandbox.stripe.get(
            f"/v1/prices/{world.prices[name]}", headers={"Authorization": f"Bearer {key}"}
        ).json()
        assert (price["recurring"] or {}).get("interval") == recurring
