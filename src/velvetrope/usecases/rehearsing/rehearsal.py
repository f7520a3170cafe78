"""What a fresh look at one customer would change: found by the same code, then taken back."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

import msgspec

from velvetrope.domain.door import DoorAction
from velvetrope.domain.states import Presence
from velvetrope.usecases import membership, observing
from velvetrope.usecases.billing.applying import apply_facts
from velvetrope.usecases.billing.handlers import look_again
from velvetrope.usecases.explaining.rights import Ground  # its changes are stored
from velvetrope.usecases.leaving.orders import HELD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from velvetrope.pipeline.events import Item
    from velvetrope.pipeline.work import CustomerKey, Work
    from velvetrope.store.catalogue import ChatView, IntegrationView
    from velvetrope.store.models import Access, Customer
    from velvetrope.usecases.billing.facts import BillingFacts
    from velvetrope.usecases.services import Services


class Effect(StrEnum):
    ENTER = "enter"  # waits at the door and would be let in
    LEAVE = "leave"  # would be taken out
    STAY = "stay"  # would be to leave, but is an owner or administrator
    WAIT = "wait"  # is to leave, and waits for an operator's word
    DECLINE = "decline"  # waits at the door and would be turned away
    MESSAGE = "message"  # would be written to


class Change(msgspec.Struct, frozen=True):
    """One thing that would happen to a customer; rows by their ids."""

    customer_id: int
    effect: Effect
    chat_id: int | None = None
    #: What the message is about: its occasion up to the first colon.
    occasion: str = ""
    grounds: tuple[Ground, ...] = ()


_OF_ACTION: Final = {
    DoorAction.APPROVE: Effect.ENTER,
    DoorAction.REMOVE: Effect.LEAVE,
    DoorAction.DECLINE: Effect.DECLINE,
    DoorAction.EXPLAIN: Effect.DECLINE,
}


async def rehearse(services: Services, key: CustomerKey) -> list[Change]:
    """Tell what a fresh look at a customer would change; nothing is written, nobody is told.

    Raises the three kinds, as a look does.
    """
    view = await services.view(key[0])
    if view is None:
        return []
    facts = await look_again(services, key)
    found = await services.db.write(
        lambda: services.stage.play(lambda work: _play(work, view, key, facts))
    )
    leaving = frozenset(one.chat_id for one in found if one.effect is Effect.LEAVE)
    if not leaving:
        return found
    # Telegram is asked where they are before they are taken out: a keeper stays.
    asked_at = services.clock()
    seen = await observing.observe_everywhere(services, key)

    def scene(work: Work) -> list[Change]:
        customer = work.customer(key)
        if customer is None:
            return []
        observing.note_anew(work, view, customer, seen, asked_at)
        played = _play(work, view, key, facts)
        keeps = {one.chat_id for one in seen if one.presence is Presence.KEEPER}
        stays = [
            msgspec.structs.replace(one, effect=Effect.STAY)
            for one in found
            if one.effect is Effect.LEAVE and one.chat_id in keeps
        ]
        return [*stays, *played]

    return await services.db.write(lambda: services.stage.play(scene))


def _play(
    work: Work, view: IntegrationView, key: CustomerKey, facts: BillingFacts | None
) -> list[Change]:
    customer = work.customer(key)
    if customer is None:
        return []
    before = {row.chat_id: (row.action, row.problem) for row in work.accesses(customer)}
    if facts is None:
        membership.reconcile(work, customer)
    else:
        apply_facts(work, facts)
    doors = [
        Change(customer.id, effect, chat.id, grounds=_grounds(work, view, customer, chat))
        for chat, effect in _doors(work, view, customer, before)
    ]
    told = [
        Change(customer.id, Effect.MESSAGE, occasion=_kind_of(item))
        for item in work.staged_items()
        if item.method == "sendMessage" and customer.blocked_at is None
    ]
    return [*doors, *told]


def _doors(
    work: Work, view: IntegrationView, customer: Customer, before: dict[int, tuple[str, str]]
) -> Iterator[tuple[ChatView, Effect]]:
    for access in work.accesses(customer):
        chat = view.chat(access.chat_id)
        if chat is None:
            continue
        if _waits(access):
            yield chat, Effect.WAIT
        elif access.action and (access.action, access.problem) != before.get(chat.id):
            effect = _OF_ACTION.get(DoorAction(access.action))
            if effect is not None:
                yield chat, effect


def _waits(access: Access) -> bool:
    return access.problem == HELD and not access.desired


def _grounds(
    work: Work, view: IntegrationView, customer: Customer, chat: ChatView
) -> tuple[Ground, ...]:
    """Give the rights that open the chat, or that did."""
    rows = [
        row
        for row in work.entitlements(customer)
        if chat.id in membership.opened_by(view, row.plan_id)
    ]
    held = [row for row in rows if row.holds] or rows
    return tuple(Ground.of(row, view.policy) for row in held)


def _kind_of(item: Item) -> str:
    return (item.occasion or "").partition(":")[0]
