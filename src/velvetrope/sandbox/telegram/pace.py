"""How fast a bot may speak: 30 messages a second, 1 a second to a chat, 20 a minute to a group."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

from velvetrope.sandbox.telegram.errors import too_many_requests

if TYPE_CHECKING:
    from collections.abc import Callable

#: Messages per second and the burst that passes, by what is counted.
_BOT = (30.0, 30.0)
_CHAT = (1.0, 5.0)
_GROUP = (20 / 60, 20.0)
_BUCKETS_KEPT = 50_000


class Pace:
    """Token buckets in real time; they refuse as the vendor does."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._buckets: dict[tuple[int, int], tuple[float, float]] = {}
        self._webhooks: dict[int, float] = {}

    def spend_message(self, bot_id: int, chat_id: int, *, group: bool) -> None:
        """Count a message; ApiError 429 if it comes too soon."""
        if len(self._buckets) > _BUCKETS_KEPT:
            self._buckets.clear()
        self._spend((bot_id, chat_id), *(_GROUP if group else _CHAT))
        self._spend((bot_id, 0), *_BOT)

    def spend_webhook(self, bot_id: int) -> None:
        """Count a setWebhook; ApiError 429 within a second of the last."""
        now = self._now()
        if now - self._webhooks.get(bot_id, -1.0) < 1.0:
            raise too_many_requests(1)
        self._webhooks[bot_id] = now

    def _spend(self, key: tuple[int, int], rate: float, burst: float) -> None:
        now = self._now()
        level, since = self._buckets.get(key, (burst, now))
        level = min(burst, level + (now - since) * rate)
        if level < 1.0:
            self._buckets[key] = (level, now)
            raise too_many_requests(max(1, math.ceil((1.0 - level) / rate)))
        self._buckets[key] = (level - 1.0, now)
