"""A chat goes by another id: everything that names it follows, and everybody's place stays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic

import msgspec

from velvetrope.domain.states import ChatKind, EventOutcome, ItemState
from velvetrope.gateways.telegram.updates import decode_update
from velvetrope.pipeline.routes import Facts
from velvetrope.store.models import Chat, OutboxItem
from velvetrope.store.revisions import touch
from velvetrope.usecases.onboarding.jobs import defer_check

if TYPE_CHECKING:
    from collections.abc import Sequence

    from velvetrope.gateways.telegram.updates import Update
    from velvetrope.pipeline.work import CustomerKey, Event, Handler, Work

_UNSENT = (ItemState.PENDING.value, ItemState.CLAIMED.value, ItemState.SUSPENDED.value)


def move_chat(integration_id: int, old_id: int, new_id: int) -> bool:
    """Swap a chat's id within the caller's transaction; False if there is nothing to swap.

    Calls that wait go to the new id. The link is made anew when it is next needed: a supergroup
    doesn't keep those of its group. If an operator has given the new id as well, both rows stay,
    and the old one is theirs to take out.
    """
    rows = Chat.objects.filter(integration_id=integration_id)
    if old_id == new_id or rows.filter(telegram_id=new_id).exists():
        return False
    moved = rows.filter(telegram_id=old_id).update(
        telegram_id=new_id,
        kind=ChatKind.SUPERGROUP.value,
        invite_link="",
        invite_link_at=None,
    )
    if not moved:
        return False
    items = OutboxItem.objects.filter(
        integration_id=integration_id, chat_id=old_id, state__in=_UNSENT
    )
    for item in items:
        item.chat_id, item.params = new_id, _readdressed(bytes(item.params), old_id, new_id)
    OutboxItem.objects.bulk_update(items, ["chat_id", "params"], batch_size=500)
    touch([integration_id])
    return True


@dataclass(frozen=True, slots=True)
class Move:
    """What a group's service message tells: its id before and after."""

    old_id: int
    new_id: int


class MovedChatHandler(Generic[Facts]):
    """Follows a group that tells of its new id; what people say in private is for `otherwise`."""

    def __init__(self, otherwise: Handler[Facts]) -> None:
        self._otherwise = otherwise

    async def prepare(self, event: Event) -> Move | Facts:
        found = _move(decode_update(event.payload))
        return await self._otherwise.prepare(event) if found is None else found

    def subjects(self, event: Event, facts: Move | Facts) -> Sequence[CustomerKey]:
        return [] if isinstance(facts, Move) else self._otherwise.subjects(event, facts)

    def apply(self, event: Event, facts: Move | Facts, work: Work) -> str | None:
        if not isinstance(facts, Move):
            return self._otherwise.apply(event, facts, work)
        work.settle()
        if not move_chat(event.account, facts.old_id, facts.new_id):
            return EventOutcome.IGNORED.value
        defer_check(work, event.account, cause=str(event.id))
        return None


def _move(update: Update) -> Move | None:
    """Read it from either message: both the old and the new chat tell of it."""
    message = update.message
    if message is None:
        return None
    if message.migrate_to_chat_id is not None:
        return Move(message.chat.id, message.migrate_to_chat_id)
    if message.migrate_from_chat_id is not None:
        return Move(message.migrate_from_chat_id, message.chat.id)
    return None


def _readdressed(params: bytes, old_id: int, new_id: int) -> bytes:
    values = msgspec.json.decode(params, type=dict[str, msgspec.Raw])
    if values.get("chat_id") == msgspec.Raw(b"%d" % old_id):
        values["chat_id"] = msgspec.Raw(b"%d" % new_id)
    return msgspec.json.encode(values)
