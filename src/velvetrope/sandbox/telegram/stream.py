"""Tells whoever watches what happens, as server-sent events."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec

from velvetrope.sandbox.telegram import views

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from velvetrope.sandbox.telegram.calls import Calls
    from velvetrope.sandbox.telegram.delivery import Courier
    from velvetrope.sandbox.telegram.world import World

#: Seconds between two looks; a busy hour costs a watcher no more than a quiet one.
_PAUSE = 0.08
_MOST_AT_ONCE = 100
_HEARTBEAT = 15.0


class Stream:
    """Looks at the journals now and then, so that writing them costs nothing."""

    def __init__(self, world: World, calls: Calls, courier: Courier) -> None:
        self._world = world
        self._calls = calls
        self._courier = courier
        self._stopped = False

    def stop(self) -> None:
        """End every stream, so that the server can go."""
        self._stopped = True

    async def events(self) -> AsyncIterator[bytes]:
        """Yield the events `call`, `delivery`, `change` (ids concerned) and `time` (offset)."""
        calls, deliveries = self._calls.log, self._courier.deliveries
        seen_calls = max(calls.last - _MOST_AT_ONCE, 0)
        seen_deliveries = max(deliveries.last - _MOST_AT_ONCE, 0)
        seen_changes = self._world.changes.last
        offset = self._world.clock.offset
        quiet = 0.0
        yield b": Velvet Rope sandbox\n\n"
        while not self._stopped:
            happened: list[tuple[float, bytes]] = []
            start = max(seen_deliveries, deliveries.last - _MOST_AT_ONCE)
            for number, delivery in deliveries.after(start, _MOST_AT_ONCE):
                shown = views.show_delivery(self._world, number, delivery)
                happened.append((delivery.time, _event("delivery", shown)))
            seen_deliveries = deliveries.last
            start = max(seen_calls, calls.last - _MOST_AT_ONCE)
            for number, call in calls.after(start, _MOST_AT_ONCE):
                shown = views.show_call(self._world, number, call)
                happened.append((call.time, _event("call", shown)))
            seen_calls = calls.last
            parts = [event for _, event in sorted(happened, key=lambda one: one[0])]
            if self._world.changes.last > seen_changes:
                changed = {who for _, who in self._world.changes.after(seen_changes, 2000)}
                seen_changes = self._world.changes.last
                parts.append(_event("change", sorted(changed)))
            if self._world.clock.offset != offset:
                offset = self._world.clock.offset
                parts.append(_event("time", offset))
            quiet = 0.0 if parts else quiet + _PAUSE
            if quiet > _HEARTBEAT:
                parts.append(b": still here\n\n")
                quiet = 0.0
            if parts:
                yield b"".join(parts)
            await asyncio.sleep(_PAUSE)


def _event(name: str, content: object) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (name.encode(), msgspec.json.encode(content))
