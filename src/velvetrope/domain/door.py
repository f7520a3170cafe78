"""What is to be asked of Telegram so that a person's place agrees with their rights."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from velvetrope.domain.states import Presence


class DoorAction(StrEnum):
    APPROVE = "approve"  # answer a join request with yes
    DECLINE = "decline"  # answer it with no, after the person was told why
    EXPLAIN = "explain"  # tell the person why, before the request is declined
    UNBAN = "unban"  # lift an earlier ban, so that the link works again
    REMOVE = "remove"  # take out of the chat without a lasting ban


#: What keeps somebody out, or takes them out.
CLOSING = frozenset({DoorAction.EXPLAIN, DoorAction.DECLINE, DoorAction.REMOVE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One customer and one chat, as far as known."""

    desired: bool
    observed: Presence
    #: The person waits at the door.
    requested: bool
    #: The product let the person in; members from before are left alone.
    let_in: bool
    #: A purchase that would open the door is under way, so a request may wait for it.
    buying: bool
    #: What has been asked for already.
    asked: DoorAction | None
    #: Telegram said that what was asked can't be done: not repeated until the facts change.
    refused: bool
    #: Another bot of this installation opens the same chat for them, or sells it to them right now.
    elsewhere: bool = False


def plan_action(place: Place) -> DoorAction | None:
    """Compare what should be with what is; None if there is nothing to ask for (again)."""
    action = wanted_action(place)
    if action is place.asked or (place.refused and action is not DoorAction.APPROVE):
        return None
    return action


def wanted_action(place: Place) -> DoorAction | None:
    """Tell what should happen, whether it has been asked for or not."""
    if place.requested:
        if place.desired:
            return DoorAction.APPROVE
        if place.buying or place.elsewhere:
            return None
        explained = place.asked in {DoorAction.EXPLAIN, DoorAction.DECLINE}
        return DoorAction.DECLINE if explained else DoorAction.EXPLAIN
    if place.desired and place.observed is Presence.BANNED:
        return DoorAction.UNBAN
    if not place.desired and place.observed is Presence.INSIDE and place.let_in:
        return None if place.elsewhere else DoorAction.REMOVE
    return None
