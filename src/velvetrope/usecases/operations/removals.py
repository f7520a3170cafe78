"""Removals that were held because they were too many: looked at, confirmed, looked up again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction

from velvetrope.pipeline import jobs
from velvetrope.store.clock import present
from velvetrope.store.ids import new_id
from velvetrope.store.models import Access, Chat, Entitlement
from velvetrope.usecases.audit import record
from velvetrope.usecases.billing.rechecks import request_recheck
from velvetrope.usecases.lanes import whom_of
from velvetrope.usecases.leaving import brake
from velvetrope.usecases.leaving.orders import REMOVE, RemoveOrder

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from django.db.models import QuerySet

    from velvetrope.store.models import Customer

#: People of one chat that a page or a command lists; confirming all takes all.
MOST_SHOWN = 500


@dataclass(frozen=True, slots=True)
class HeldPerson:
    """Somebody who is to leave; `ended` are the rights that ended last, newest first."""

    access: Access
    ended: tuple[Entitlement, ...]

    @property
    def customer(self) -> Customer:
        return self.access.customer


@dataclass(frozen=True, slots=True)
class HeldChat:
    """A chat whose removals wait for an operator; `people` are the first of `number`."""

    chat: Chat
    number: int
    people: tuple[HeldPerson, ...]


def list_held_chats(integration_id: int | None = None) -> list[HeldChat]:
    """Give the chats with a brake pulled and those who wait in each, the longest first."""
    chats = Chat.objects.filter(brake_at__isnull=False).select_related("integration")
    if integration_id is not None:
        chats = chats.filter(integration_id=integration_id)
    return [_held_chat(chat) for chat in chats.order_by("brake_at", "id")]


def confirm_removals(chat_id: int, actor: str, *, access_ids: Collection[int] | None = None) -> int:
    """Let those leave who wait, or those of them that are named; gives how many.

    Each is looked up at Stripe once more before Telegram is asked. When nobody is left waiting, the
    brake is released. DoesNotExist for an unknown chat.
    """
    with transaction.atomic():
        chat = Chat.objects.select_related("integration").get(id=chat_id)
        held = brake.list_held(chat.id)
        chosen = list(
            _with_customer(held if access_ids is None else held.filter(id__in=access_ids))
        )
        for access in chosen:
            whom = whom_of(access.customer, chat.integration.stripe_account_id)
            order = RemoveOrder(
                integration_id=whom.integration_id,
                telegram_user_id=whom.telegram_user_id,
                chat_id=chat.id,
                confirmed=True,
            )
            jobs.enqueue(
                REMOVE,
                order,
                account=whom.integration_id,
                lane=whom.lane,
                external_id=f"{REMOVE}:{new_id()}",
            )
        Access.objects.filter(id__in=[one.id for one in chosen]).update(problem="")
        if not brake.list_held(chat.id).exists():
            now = present()
            brake.release(chat, now, released_at=now)
        if chosen:
            record(
                actor,
                "removals.confirmed",
                subject="chat",
                subject_id=chat.id,
                integration_id=chat.integration_id,
                after={"members": [one.customer_id for one in chosen]},
            )
    return len(chosen)


def recheck_held(chat_id: int, actor: str) -> int:
    """Have all who wait looked up at Stripe again: who pays leaves the list; gives how many.

    DoesNotExist for an unknown chat.
    """
    with transaction.atomic():
        chat = Chat.objects.select_related("integration").get(id=chat_id)
        held = list(_with_customer(brake.list_held(chat.id)))
        for access in held:
            whom = whom_of(access.customer, chat.integration.stripe_account_id)
            request_recheck(whom, new_id())
        if held:
            record(
                actor,
                "removals.rechecked",
                subject="chat",
                subject_id=chat.id,
                integration_id=chat.integration_id,
                after={"number": len(held)},
            )
    return len(held)


def _held_chat(chat: Chat) -> HeldChat:
    held = brake.list_held(chat.id)
    rows = list(_with_customer(held).order_by("desired_at", "id")[:MOST_SHOWN])
    ended = _ended_of([row.customer_id for row in rows], chat)
    people = tuple(HeldPerson(row, tuple(ended.get(row.customer_id, ()))) for row in rows)
    return HeldChat(chat, held.count(), people)


def _ended_of(customer_ids: Iterable[int], chat: Chat) -> dict[int, list[Entitlement]]:
    """Give the rights to a chat that customers hold no more."""
    found: dict[int, list[Entitlement]] = {}
    rows = Entitlement.objects.filter(
        customer_id__in=list(customer_ids), holds=False, plan__chats=chat
    )
    for row in rows.select_related("plan").order_by("-decided_at"):
        found.setdefault(row.customer_id, []).append(row)
    return found


def _with_customer(rows: QuerySet[Access]) -> QuerySet[Access]:
    return rows.select_related("customer")
