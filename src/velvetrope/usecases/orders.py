"""What an operator orders of the server: the payloads of durable jobs."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec

#: Kinds of the jobs, as in the routing table.
GRANT: Final = "grant"
REVOKE: Final = "revoke"
SYNC: Final = "sync"
REINVITE: Final = "reinvite"
MESSAGE: Final = "message_member"


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


class SyncOrder(msgspec.Struct, frozen=True, kw_only=True):
    """What a customer's rights rest on is looked at, and where the person is in every chat."""

    integration_id: int
    telegram_user_id: int


class ReinviteOrder(msgspec.Struct, frozen=True, kw_only=True):
    """A customer who holds a right is shown the doors again; a ban is lifted."""

    integration_id: int
    telegram_user_id: int


class MessageOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An operator's own words to a customer: plain text of 1-4096 characters."""

    integration_id: int
    telegram_user_id: int
    text: str
