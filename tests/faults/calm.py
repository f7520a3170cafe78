"""Waiting until nothing is on its way any more, neither at the vendors nor in the product."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from velvetrope.sandbox.handset import eventually

if TYPE_CHECKING:
    from tests.e2e.house import House


async def calm(house: House, *, patience: float = 20.0) -> None:
    """Wait until every delivery was taken and everything that follows from it has been done."""
    ledger = house.ledger
    last: list[Any] = []

    async def is_calm() -> bool:
        last[:] = ledger.unfinished() or await on_the_way(house) or ledger.unfinished()
        return not last

    async def recall() -> str:
        return "\n".join(str(one) for one in last[:20])

    for _ in range(2):  # what was done between the looks may have led to more
        await eventually(is_calm, "calm", recall, patience=patience)


async def on_the_way(house: House) -> list[str]:
    """Tell what the vendors still want to deliver."""
    waiting = (await house.stripe.get("deliveries?limit=1"))["waiting"]
    state = await house.telegram.get("state")
    pending = {
        bot["username"]: bot["webhook"]["pending"]
        for bot in state["bots"]
        if bot["username"] == house.bot
    }
    left = [f"{number} updates of {name}" for name, number in pending.items() if number]
    return [*left, *([f"{waiting} events of Stripe"] if waiting else [])]
