"""Asking right before a call whether it still follows from the facts: it may have waited long."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from velvetrope.pipeline.database import Database
    from velvetrope.pipeline.events import Item
    from velvetrope.pipeline.routes import Routes


class Review:
    """Asks what the routing table says is to be asked; most calls are made without."""

    def __init__(self, db: Database, routes: Routes) -> None:
        self._db = db
        self._routes = routes

    async def look(self, item: Item) -> Item | datetime | None:
        """Give what is to be called now, the time until when it waits, or None if it is not."""
        check = self._routes.checks.get(item.method)
        if check is not None and not await self._db.read(lambda: check(item)):
            return None
        refresh = self._routes.refreshes.get((item.occasion or "").partition(":")[0])
        if refresh is None:
            return item
        fresh = await self._db.read(lambda: refresh(item))
        if fresh is None or isinstance(fresh, datetime):
            return fresh
        return msgspec.structs.replace(item, params=fresh)
