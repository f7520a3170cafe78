"""What an operator orders of the server: the payloads of durable jobs."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec

#: Kinds of the jobs, as in the routing table.
GRANT: Final = "grant"
REVOKE: Final = "revoke"


class GrantOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An entitlement to be made; `until` None is for ever."""

    grant_id: int
    integration_id: int
    telegram_user_id: int
    plan_id: int
    until: datetime | None
    note: str


class RevokeOrder(msgspec.Struct, frozen=True, kw_only=True):
    """A grant to be ended now."""

    entitlement_id: int
    integration_id: int
    telegram_user_id: int
