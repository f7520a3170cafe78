"""The calls that open and close doors: what each is for, and whether it is still to be made."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final, Protocol

import msgspec

from velvetrope.domain.door import DoorAction
from velvetrope.store.models import Access
from velvetrope.store.neighbours import find_neighbours, is_open_to
from velvetrope.usecases.membership import METHODS

if TYPE_CHECKING:
    from velvetrope.domain.clock import Clock
    from velvetrope.pipeline.events import Item

#: The methods that open and close doors; the one of removals lifts bans as well.
DOOR_ACTIONS: Final = {METHODS[action]: action for action in METHODS}
#: How long after the look at Stripe a removal may be made.
FRESH_FOR: Final = timedelta(minutes=5)


class Call(Protocol):
    """A call as delivery knows it, or as its row."""

    @property
    def method(self) -> str: ...

    @property
    def params(self) -> bytes | memoryview: ...


class _UnbanParams(msgspec.Struct, frozen=True):
    """The one parameter of an unban that matters here."""

    only_if_banned: bool = False


def action_of(call: Call) -> DoorAction:
    """Tell what a call is for: one method lifts bans and takes people out."""
    if call.method != METHODS[DoorAction.REMOVE]:
        return DOOR_ACTIONS[call.method]
    asked = msgspec.json.decode(call.params, type=_UnbanParams)
    return DoorAction.UNBAN if asked.only_if_banned else DoorAction.REMOVE


def still_wanted(clock: Clock, item: Item) -> bool:
    """Tell from the rows whether a door action is to be done: the person may have paid since.

    An approval is repeated even if it may have been done before, since its answer counts too. A
    removal counts for a while only: then Stripe has to be asked again.
    """
    if item.customer_id is None:
        return False
    found = (
        Access.objects.filter(
            customer_id=item.customer_id,
            chat__integration_id=item.integration_id,
            chat__telegram_id=item.chat_id,
        )
        .values_list("desired", "action", "removed_at", "customer__telegram_user_id")
        .first()
    )
    if found is None:
        return False
    desired, asked, looked_at, person = found
    action = action_of(item)
    if action in {DoorAction.APPROVE, DoorAction.UNBAN}:
        return desired
    if action is DoorAction.REMOVE and (looked_at is None or clock() - looked_at > FRESH_FOR):
        return False
    if desired or asked != action.value:
        return False
    neighbours = find_neighbours(item.integration_id, item.chat_id)
    return not (neighbours and is_open_to(person, neighbours))
