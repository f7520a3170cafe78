"""Other integrations that open the same Telegram chat, and what a person has there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Q

from velvetrope.domain.states import CheckoutState
from velvetrope.store.models import Access, Chat, Checkout

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


#: What every link begins with; the rest tells them apart.
_BARE = "https://t.me/+"


def find_neighbours(integration_id: int, telegram_chat_id: int) -> dict[int, int]:
    """Find the rows' ids of the chat in other integrations, each with its integration's."""
    rows = Chat.objects.filter(telegram_id=telegram_chat_id)
    return dict(rows.exclude(integration_id=integration_id).values_list("id", "integration_id"))


def is_open_to(telegram_user_id: int, neighbours: Mapping[int, int]) -> bool:
    """Tell whether another integration opens the chat for this person."""
    return Access.objects.filter(
        chat__in=neighbours.keys(),
        customer__integration_id__in=neighbours.values(),
        customer__telegram_user_id=telegram_user_id,
        desired=True,
    ).exists()


def is_bought_by(telegram_user_id: int, neighbours: Mapping[int, int], now: datetime) -> bool:
    """Tell whether this person is paying another integration for the chat."""
    payable = Q(state=CheckoutState.OPEN.value, expires_at__gt=now)
    return Checkout.objects.filter(
        payable | Q(state=CheckoutState.PENDING.value),
        plan__chats__in=neighbours.keys(),
        customer__integration_id__in=neighbours.values(),
        customer__telegram_user_id=telegram_user_id,
    ).exists()


def is_link_of(neighbours: Mapping[int, int], link: str) -> bool:
    """Tell whether an invite link is another integration's.

    Telegram hides the end of links that another administrator made.
    """
    seen = link.rstrip(".…")
    rows = Chat.objects.filter(id__in=neighbours.keys()).exclude(invite_link="")
    known = rows.values_list("invite_link", flat=True)
    return len(seen) > len(_BARE) and any(one.startswith(seen) for one in known)
