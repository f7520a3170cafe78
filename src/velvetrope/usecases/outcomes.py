"""What follows from Telegram's answers to the calls of the outbox."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from velvetrope.domain.door import DoorAction
from velvetrope.domain.errors import Permanent
from velvetrope.domain.messages import MessageKind
from velvetrope.domain.states import Presence
from velvetrope.gateways.telegram.errors import UNREACHABLE, migrated_to
from velvetrope.usecases import membership
from velvetrope.usecases.alert_telling import OCCASION, note_heard, note_unheard
from velvetrope.usecases.chat_moves import move_chat
from velvetrope.usecases.chronicle import BY_BOT
from velvetrope.usecases.door_calls import action_of
from velvetrope.usecases.leaving import goodbye
from velvetrope.usecases.onboarding import defer_check
from velvetrope.usecases.reaching import GONE, mark_unreachable
from velvetrope.usecases.telling import tell
from velvetrope.usecases.wording import messages
from velvetrope.usecases.wording.language import words_for

if TYPE_CHECKING:
    from datetime import datetime

    import msgspec

    from velvetrope.domain.errors import VelvetError
    from velvetrope.pipeline.work import Item, Work
    from velvetrope.store.catalogue import ChatView, IntegrationView
    from velvetrope.store.models import Access, Customer
    from velvetrope.usecases.wording.outgoing import OutgoingMessage
    from velvetrope.usecases.wording.words import Words

#: Failures that mean that the person isn't waiting at the door any more.
REQUEST_GONE = frozenset({"request_missing", "already_participant"})
#: Failures that say something of the chat as a whole, to be looked at for the operator.
CHAT_TROUBLE = frozenset({"missing_rights", "bot_not_in_chat", "chat_not_found", "chat_migrated"})
#: The same of the bot.
BOT_TROUBLE = frozenset({"bot_unauthorized", "bot_not_found", "conflict"})


class ButtonOutcome:
    """The end of a button's waiting sign: nothing follows but what it tells of the bot."""

    def on_sent(self, item: Item, result: msgspec.Raw, work: Work) -> None:
        """Nothing is to be done."""

    def on_failed(self, item: Item, error: VelvetError, work: Work) -> None:
        _have_verified(item, error, work)

    def on_overtaken(self, item: Item, work: Work) -> None:
        """Nothing is to be done."""


class MessageOutcome:
    """A message is through, or can't be: blocked bots are remembered, doors are answered."""

    def on_sent(self, item: Item, result: msgspec.Raw, work: Work) -> None:  # noqa: ARG002  port
        if _tells_operator(item):
            note_heard(item.integration_id, work.now)
        self._answer_door(item, work)

    def on_failed(self, item: Item, error: VelvetError, work: Work) -> None:
        if _tells_operator(item) and isinstance(error, Permanent):
            note_unheard(item.integration_id, work.now, code=error.code)
        customer = _customer(item, work)
        if customer is not None and error.code in UNREACHABLE:
            mark_unreachable(work, customer, error.code)
            # No explanation reaches them any more, in whichever message that was learnt.
            membership.reconcile(work, customer)
        else:
            self._answer_door(item, work)
        _have_verified(item, error, work)

    def on_overtaken(self, item: Item, work: Work) -> None:
        """Nothing is to be done: what has overtaken the message is told by itself."""

    def _answer_door(self, item: Item, work: Work) -> None:
        if item.occasion is None or not item.occasion.startswith(membership.EXPLANATION):
            return
        customer = _customer(item, work)
        if customer is not None:
            membership.reconcile(work, customer)


def _tells_operator(item: Item) -> bool:
    return item.customer_id is None and (item.occasion or "").startswith(OCCASION)


@dataclass(frozen=True, slots=True)
class Door:
    """All that an answer about one person and one chat may concern."""

    work: Work
    view: IntegrationView
    customer: Customer
    chat: ChatView
    access: Access

    def tell(
        self,
        message: OutgoingMessage,
        occasion: str,
        kind: MessageKind | None = None,
        *,
        since: datetime | None = None,
    ) -> None:
        """Tell once of what happened at `since`, or just now."""
        stamp = f"{occasion}:{self.access.id}:{since or self.work.now:%Y%m%dT%H%M%S}"
        tell(self.work, self.view, self.customer, message, occasion=stamp, kind=kind)

    def next_doors(self) -> tuple[ChatView, ...]:
        """Give the other chats that the person may enter now."""
        opened = membership.chats_opened(self.work, self.view, self.customer)
        others = [one for one in self.view.chats if one.id in opened and one.id != self.chat.id]
        return membership.doors(self.work, self.customer, others)

    @property
    def words(self) -> Words:
        return words_for(self.customer, self.view, self.work.now)


class DoorOutcome:
    """A door action is done, or can't be: what was observed follows, then the door again."""

    def on_sent(self, item: Item, result: msgspec.Raw, work: Work) -> None:  # noqa: ARG002  port
        if (door := _door(item, work)) is not None:
            work.remark = {"by": BY_BOT}
            action, let_in_at = action_of(item), door.access.let_in_at
            _done(door, action)
            _settle(door)
            if action is DoorAction.REMOVE:
                goodbye.follow_removal(work, door.view, door.customer, door.chat, let_in_at)

    def on_failed(self, item: Item, error: VelvetError, work: Work) -> None:
        if error.code != "chat_migrated" and (door := _door(item, work)) is not None:
            _failed(door, action_of(item), error)
            _settle(door)
            if action_of(item) is DoorAction.REMOVE:
                goodbye.hurry(door.customer)
        _have_verified(item, error, work)

    def on_overtaken(self, item: Item, work: Work) -> None:
        """Have a removal that came too late after its look decided anew."""
        door = _door(item, work)
        if door is None or action_of(item) is not DoorAction.REMOVE:
            return
        if door.access.observed == Presence.INSIDE.value:  # else another call was made in time
            door.access.removed_at = None
        if door.access.action == DoorAction.REMOVE.value:
            door.access.action, door.access.problem = "", ""
        _settle(door)


def _have_verified(item: Item, error: VelvetError, work: Work) -> None:
    """Have the bot looked at if the failure is about more than this call: the operator is told."""
    _follow(item, error, work)
    of_chat = error.code in CHAT_TROUBLE and item.chat_id < 0  # not a person's own
    if of_chat or error.code in BOT_TROUBLE:
        defer_check(work, item.integration_id, cause=f"{item.id}:{error.code}")


def _follow(item: Item, error: VelvetError, work: Work) -> None:
    """Follow a chat that Telegram says has moved; the call itself is made again at its new id."""
    new_id, old_id = migrated_to(error.data), error.data.get("from_chat_id")
    if error.code != "chat_migrated" or new_id is None or not isinstance(old_id, int):
        return
    work.settle()
    move_chat(item.integration_id, old_id, new_id)


def _done(door: Door, action: DoorAction) -> None:
    access, now = door.access, door.work.now
    access.action, access.problem, access.observed_at = "", "", now
    if action is DoorAction.APPROVE:
        access.observed = Presence.INSIDE.value
        access.requested_at = None
        access.let_in_at = access.let_in_at or now
        _welcome(door)
        return
    if action is DoorAction.REMOVE or access.observed in _UNTIL_DONE[action]:
        access.observed = Presence.OUTSIDE.value  # else an update has told more meanwhile
    if action is DoorAction.DECLINE:
        access.requested_at = None
    elif action is DoorAction.REMOVE:
        access.let_in_at = None
        if access.desired:  # paid while the call was on its way
            door.tell(messages.entry(door.words, (door.chat,)), "entry")


def _welcome(door: Door) -> None:
    """Welcome a person; the next doors are shown even if the operator wants no welcome.

    Once for each entry: several requests may be answered when the person is in already.
    """
    others, since = door.next_doors(), door.access.let_in_at
    if door.view.messages.is_on(MessageKind.WELCOME):
        message = messages.let_in(door.words, door.chat, others)
        door.tell(message, "let_in", MessageKind.WELCOME, since=since)
    elif others:
        door.tell(messages.entry(door.words, others), "let_in", since=since)


#: Where somebody is until a call takes effect that leaves them outside.
_UNTIL_DONE = {
    DoorAction.DECLINE: (Presence.REQUESTED.value, Presence.UNKNOWN.value),
    DoorAction.UNBAN: (Presence.BANNED.value,),
}


def _failed(door: Door, action: DoorAction, error: VelvetError) -> None:
    """Write why an action can't be done; a request that is gone may be made again by the button."""
    access, code = door.access, error.code
    if code in REQUEST_GONE:
        _request_gone(door, action)
    elif code == "too_many_chats":
        access.problem = code  # the request stays with Telegram: the sweep has it tried again
        occasion = f"too_many_chats:{access.id}:{access.requested_at:%Y%m%dT%H%M%S%f}"
        message = messages.too_many_chats(door.words, door.chat)
        tell(door.work, door.view, door.customer, message, occasion=occasion)
    elif code == "target_is_admin":
        access.action, access.problem, access.removed_at = "", code, None
        access.observed, access.observed_at = Presence.KEEPER.value, door.work.now
    else:
        access.problem = code
        refused = action is DoorAction.DECLINE and isinstance(error, Permanent)
        if code == GONE:
            mark_unreachable(door.work, door.customer, code)
        if refused or code == GONE:
            access.action, access.requested_at = "", None  # nobody waits for the answer


def _request_gone(door: Door, action: DoorAction) -> None:
    """Tell an entry whose answer was lost from a request that somebody else has ended."""
    access = door.access
    is_inside = access.observed in membership.INSIDE
    if action is DoorAction.APPROVE and access.observed == Presence.INSIDE.value:
        _done(door, action)
        return
    access.action, access.requested_at = "", None
    if is_inside:
        return
    access.observed, access.observed_at = Presence.UNKNOWN.value, door.work.now
    if access.desired:
        door.tell(messages.entry(door.words, (door.chat,)), "entry")


def _settle(door: Door) -> None:
    door.work.save(door.access)
    membership.reconcile(door.work, door.customer)


def _door(item: Item, work: Work) -> Door | None:
    customer = _customer(item, work)
    view = work.integration(item.integration_id)
    chat = view.chat_by_telegram_id(item.chat_id)
    if customer is None or chat is None:
        return None
    access = membership.find_access(work, customer, chat.id)
    return None if access is None else Door(work, view, customer, chat, access)


def _customer(item: Item, work: Work) -> Customer | None:
    return None if item.customer_id is None else work.customer_by_id(item.customer_id)
