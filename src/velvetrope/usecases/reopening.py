"""A door works again: whoever may have knocked in vain meanwhile is let in, or shown the way."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from velvetrope.domain.states import Presence
from velvetrope.pipeline import jobs
from velvetrope.store.models import Access, Alert, Customer
from velvetrope.usecases.lanes import lane_of
from velvetrope.usecases.orders import REINVITE, ReinviteOrder

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

#: While one of these is open, Telegram doesn't tell the bot who asks to enter.
DEAF: Final = ("missing_rights", "bot_not_in_chat")
#: Who got their right so long before may have asked to enter only then.
RECENT: Final = timedelta(days=1)
#: How many are tried for, of those who got their right last.
MOST: Final = 200
_OUTSIDE: Final = (Presence.UNKNOWN.value, Presence.OUTSIDE.value)


def reopen_door(integration_id: int, chat_id: int, now: datetime) -> int:
    """Answer requests that may have been made while the bot could not hear them.

    Within the caller's transaction, while the alert is still open; gives how many are tried for.
    """
    deaf = Alert.objects.filter(
        integration_id=integration_id, subject=f"chat:{chat_id}", code__in=DEAF, closed_at=None
    )
    since = deaf.order_by("opened_at").values_list("opened_at", flat=True).first()
    return 0 if since is None else reopen_door_since(chat_id, since, now)


def reopen_door_since(chat_id: int, since: datetime, now: datetime) -> int:
    """Answer requests that nobody has heard since then; gives how many are tried for.

    Telegram neither lists such requests nor tells of them later, but answers them: who did not
    knock is shown the way in instead.
    """
    waiting = Access.objects.filter(
        chat_id=chat_id,
        desired=True,
        observed__in=_OUTSIDE,
        requested_at=None,
        desired_at__gte=since - RECENT,
    )
    rows = list(waiting.order_by("-desired_at")[:MOST])
    Access.objects.filter(id__in=[row.id for row in rows]).update(
        requested_at=now, action="", problem=""
    )
    return show_in([row.customer_id for row in rows], f"reopened:{chat_id}:{now:%Y%m%dT%H%M%S}")


def show_in(customer_ids: Iterable[int], occasion: str) -> int:
    """Have customers let in or shown the way, once for an occasion; gives how many are asked for.

    Whoever is inside everywhere hears nothing.
    """
    asked = 0
    customers = Customer.objects.filter(id__in=list(customer_ids)).select_related("integration")
    for one in customers.defer("integration__token", "integration__webhook_secret"):
        key = (one.integration_id, one.telegram_user_id)
        asked += jobs.enqueue(
            REINVITE,
            ReinviteOrder(integration_id=key[0], telegram_user_id=key[1]),
            account=key[0],
            lane=lane_of(*key, None, one.integration.stripe_account_id),
            external_id=f"{REINVITE}:{key[1]}:{occasion}",
        )
    return asked
