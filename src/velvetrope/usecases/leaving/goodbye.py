"""The goodbye: said when the person is out, not when the decision is made.

Many things may lie between the two: an outage, the brake, a bot without its rights. Meanwhile the
message waits in the outbox; it is dropped if the person may stay after all.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING, Final

import msgspec

from velvetrope.domain.door import DoorAction
from velvetrope.domain.messages import MessageKind
from velvetrope.domain.states import ItemState, Presence
from velvetrope.pipeline import jobs
from velvetrope.store.models import Access, Entitlement, OutboxItem
from velvetrope.usecases import membership
from velvetrope.usecases.telling import tell
from velvetrope.usecases.wording import messages
from velvetrope.usecases.wording.language import words_for

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.db.models import QuerySet

    from velvetrope.domain.clock import Clock
    from velvetrope.pipeline.events import Item
    from velvetrope.pipeline.work import Work
    from velvetrope.store.catalogue import Catalogue, ChatView, IntegrationView, PlanView
    from velvetrope.store.models import Customer

#: What the occasion begins with: a right has ended, in all chats that it opened.
ENDED: Final = "ended"
#: A single chat is closed to somebody: `lost:<cause>:<customer>:<chat>`.
LOST: Final = "lost"
_PARTS_OF_CHAT: Final = 4

#: Why Telegram never takes somebody out, whatever an operator does.
_REFUSED: Final = frozenset({"target_is_admin", "bad_request", "forbidden"})
#: Why somebody stays until an operator acts.
_OPERATORS: Final = membership.LASTING_TROUBLE - _REFUSED
_UNSAID: Final = (ItemState.PENDING.value, ItemState.CLAIMED.value, ItemState.SUSPENDED.value)
#: How long it is waited until the rows are asked again, unless a removal is done before.
_SHORTEST: Final = timedelta(seconds=2)
_LONGEST: Final = timedelta(hours=1)


class _Place(Enum):
    """Where a person is in a chat that is closed to them."""

    OUT = "out"
    PUT_OUT = "put out"  # since the goodbye was planned
    LEAVING = "leaving"  # Telegram is asked to take them out, or will be within minutes
    KEPT = "kept"  # they leave when an operator acts
    STAYS = "stays"  # nobody takes them out


class Goodbyes:
    """Asked by delivery before it sends a goodbye; runs in a thread that reads."""

    def __init__(self, catalogue: Catalogue, clock: Clock) -> None:
        self._catalogue = catalogue
        self._clock = clock

    def of_right(self, item: Item) -> bytes | datetime | None:
        """Give the words of now for a right that has ended, when to ask again, or None."""
        view, waiting = self._catalogue.view(item.integration_id), _waiting(item)
        right = None if waiting is None else _ended_right(waiting.customer, item)
        if view is None or waiting is None or right is None:
            return None
        plan = view.plan(right.plan_id)
        if plan is None:
            return item.params
        places = _places(waiting, view.chats_of(plan))
        is_open_still = plan.chat_ids and not places  # by something else
        if is_open_still or not view.messages.is_on(MessageKind.ACCESS_ENDED):
            return None
        if _is_to_wait(set(places.values())):
            return self._later(waiting)
        return self._words(view, waiting.customer, item, plan, right, places)

    def of_chat(self, item: Item) -> bytes | datetime | None:
        """Give what is said of a single chat, when to ask again, or None."""
        view, waiting = self._catalogue.view(item.integration_id), _waiting(item)
        *_, chat_id = parts = (item.occasion or "").split(":")
        if len(parts) < _PARTS_OF_CHAT:
            return item.params  # by the version before, which names no chat
        chat = None if view is None else view.chat(int(chat_id))
        if waiting is None or chat is None:
            return None
        others = _goodbyes(waiting.customer, f"{LOST}:").filter(occasion__endswith=f":{chat_id}")
        place = _places(waiting, (chat,)).get(chat.id)
        if place in {None, _Place.STAYS} or others.filter(id__gt=item.id).exists():
            return None
        return self._later(waiting) if _is_to_wait({place}) else item.params

    def _words(
        self,
        view: IntegrationView,
        customer: Customer,
        item: Item,
        plan: PlanView,
        right: Entitlement,
        places: Mapping[int, _Place],
    ) -> bytes:
        """Name the chats that the person is out of; without any, the plan that has ended."""
        out = [
            chat
            for chat in view.chats_of(plan)
            if places.get(chat.id) in {_Place.OUT, _Place.PUT_OUT}
        ]
        is_unpaid = right.status == "past_due"
        message = messages.access_ended(
            words_for(customer, view, self._clock()),
            (plan,),
            out,
            right.reason,
            bill_url="" if is_unpaid else None,
        )
        params = message.params(customer.telegram_user_id)
        if is_unpaid:  # the bill's address is known to the message alone
            params |= msgspec.json.decode(item.params, type=_Buttons).as_params()
        return msgspec.json.encode(params)

    def _later(self, waiting: _Waiting) -> datetime:
        now = self._clock()
        return now + min(max((now - waiting.since) / 2, _SHORTEST), _LONGEST)


class _Buttons(msgspec.Struct):
    """What a message that was composed before keeps."""

    reply_markup: dict[str, object] | None = None

    def as_params(self) -> dict[str, object]:
        return {} if self.reply_markup is None else {"reply_markup": self.reply_markup}


@dataclass(frozen=True, slots=True)
class _Waiting:
    """Whose goodbye waits, and since when."""

    customer: Customer
    since: datetime


def right_of(occasion: str | None) -> str:
    """Tell the external id of the right that has ended; the occasion ends with the moment."""
    return (occasion or "").partition(":")[2].rpartition(":")[0]


def _ended_right(customer: Customer, item: Item) -> Entitlement | None:
    """Give the right that a goodbye is about; None if it holds again, or ended once more since."""
    name = right_of(item.occasion)
    right = Entitlement.objects.filter(customer_id=customer.id, external_id=name).first()
    if right is None or right.holds:
        return None
    newer = _goodbyes(customer, f"{ENDED}:{name}:").filter(id__gt=item.id)
    return None if newer.exists() else right


def is_unsaid(work: Work, customer: Customer, right: Entitlement) -> bool:
    """Tell whether the person has not heard yet that this right had ended."""
    work.settle()
    waiting = _goodbyes(customer, f"{ENDED}:{right.external_id}:")
    return waiting.filter(state__in=_UNSAID).exists()


def hurry(customer: Customer) -> None:
    """Have the goodbyes looked at again that wait for a removal, since a place has changed.

    Within the caller's transaction.
    """
    waiting = _goodbyes(customer, f"{ENDED}:") | _goodbyes(customer, f"{LOST}:")
    if waiting.filter(state=ItemState.PENDING.value).update(due_at=None):
        jobs.wake(bots=[customer.integration_id])


def follow_removal(
    work: Work,
    view: IntegrationView,
    customer: Customer,
    chat: ChatView,
    let_in_at: datetime | None,
) -> None:
    """Say goodbye for a chat that the goodbye of its right was silent about.

    It names the chats that the person was out of when it was said; this one, entered at
    `let_in_at`, was left only now.
    """
    hurry(customer)
    said = _goodbyes(customer, f"{ENDED}:").order_by("-id")
    ended = {
        right.external_id: right
        for right in work.entitlements(customer)
        if not right.holds and chat.id in membership.opened_by(view, right.plan_id)
    }
    last = next((one for one in said if right_of(one.occasion) in ended), None)
    if last is None or last.state != ItemState.SENT.value or last.finished_at is None:
        return
    is_open = chat.id in membership.chats_opened(work, view, customer)
    if is_open or let_in_at is None or let_in_at > last.finished_at:
        return  # named then, since they were not inside
    right = ended[right_of(last.occasion)]
    plans = [plan for plan in view.plans if plan.id == right.plan_id]
    message = messages.access_ended(
        words_for(customer, view, work.now), plans, (chat,), right.reason
    )
    occasion = f"{LOST}:{last.id}:{customer.id}:{chat.id}"
    tell(work, view, customer, message, occasion=occasion, kind=MessageKind.ACCESS_ENDED)


def _goodbyes(customer: Customer, beginning: str) -> QuerySet[OutboxItem]:
    return OutboxItem.objects.filter(customer_id=customer.id, occasion__startswith=beginning)


def _waiting(item: Item) -> _Waiting | None:
    row = OutboxItem.objects.select_related("customer").filter(id=item.id).first()
    if row is None or row.customer is None:
        return None
    return _Waiting(row.customer, row.created_at)


def _places(waiting: _Waiting, chats: tuple[ChatView, ...]) -> Mapping[int, _Place]:
    """Tell where the person is in those of the chats that are closed to them, by the rows' ids."""
    rows = Access.objects.filter(
        customer_id=waiting.customer.id, chat__in=[chat.id for chat in chats]
    )
    known = {row.chat_id: row for row in rows}
    return {
        chat.id: _place(known.get(chat.id), waiting.since)
        for chat in chats
        if chat.id not in known or not known[chat.id].desired
    }


def _place(row: Access | None, since: datetime) -> _Place:
    if row is None or row.observed not in {Presence.INSIDE.value, Presence.KEEPER.value}:
        is_new = row is not None and row.removed_at is not None and row.removed_at >= since
        return _Place.PUT_OUT if is_new else _Place.OUT
    if row.observed == Presence.KEEPER.value or row.action != DoorAction.REMOVE.value:
        return _Place.STAYS
    if row.problem in _REFUSED:
        return _Place.STAYS
    return _Place.KEPT if row.problem in _OPERATORS else _Place.LEAVING


def _is_to_wait(places: set[_Place | None]) -> bool:
    """Wait for all removals that are under way, and for an operator unless one is done."""
    return _Place.LEAVING in places or (_Place.KEPT in places and _Place.PUT_OUT not in places)
