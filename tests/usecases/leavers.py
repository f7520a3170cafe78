"""People who were let in, pay every month, and leave."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from tests.usecases.snapshots import ANN, LOUNGE, subscription, tag
from velvetrope.store.models import Access

if TYPE_CHECKING:
    from tests.usecases.backroom import Backroom

UNBAN = "unbanChatMember"
GONE = "customer.subscription.deleted"


def member(room: Backroom, person: int) -> None:
    """Let somebody in who pays every month."""
    if person != ANN:
        room.person(person)
    says(room, person, "customer.subscription.created")
    room.bot.statuses[LOUNGE, person] = "member"
    Access.objects.filter(customer__telegram_user_id=person, chat=room.lounge).update(
        observed="inside", observed_at=room.now, let_in_at=room.now
    )
    room.sent()
    room.later(timedelta(seconds=1))


def says(room: Backroom, person: int, kind: str, **fields: object) -> None:
    key, customer = f"sub_{person}", f"cus_{person}"
    room.stripe.subscriptions[key] = subscription(
        id=key, customer=customer, metadata=tag(person), **fields
    )
    named = {"id": key, "object": "subscription", "customer": customer}
    room.stripe_says(kind, named)


def ends(room: Backroom, person: int = ANN, **fields: object) -> None:
    says(room, person, GONE, status="canceled", ended_at=room.now, **fields)


def crowd(room: Backroom, number: int) -> list[int]:
    people = list(range(1000, 1000 + number))
    for person in people:
        member(room, person)
    return people
