"""What the product asked of the Bot API, as the simulated one has written it down."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.e2e.house import House

Call = dict[str, Any]


async def last_call(house: House) -> int:
    """Give the number after which later calls are."""
    number: int = (await house.telegram.get("calls?limit=1"))["last"]
    return number


async def calls_after(house: House, number: int, *methods: str) -> list[Call]:
    """Give the bot's calls since `number`, of these methods or of all."""
    found: list[Call] = []
    while True:
        page = await house.telegram.get(f"calls?after={number}&limit=1000")
        found += [
            call
            for call in page["calls"]
            if call["bot"] == house.bot_id and (not methods or call["method"] in methods)
        ]
        if not page["calls"] or page["calls"][-1]["number"] >= page["last"]:
            return found
        number = page["calls"][-1]["number"]
