"""The brake of a chat: when too many are to leave, an operator looks before it goes on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from django.db.models import Q

from velvetrope.domain.brake import Departures, is_too_many, least_known
from velvetrope.domain.door import DoorAction
from velvetrope.domain.states import Presence
from velvetrope.store.models import Access, Chat
from velvetrope.store.revisions import touch
from velvetrope.usecases.alerts import close_alert, open_alert
from velvetrope.usecases.leaving.orders import HELD, subject_of

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet

    from velvetrope.domain.policy import Policy
    from velvetrope.pipeline.work import Work
    from velvetrope.store.catalogue import IntegrationView

#: Removals of one chat that may come between a count and the removal that it is for.
_AT_ONCE: Final = 100


def may_leave(work: Work, view: IntegrationView, access: Access, known: int) -> bool:
    """Let a removal pass, or hold it (and those after it) until an operator has seen the list.

    `known` is what `count_enough` gave: only if that is too few everybody is counted.
    """
    work.settle()  # those of the same transaction count
    chat = Chat.objects.get(id=access.chat_id)
    if chat.brake_at is None:
        departures = Departures(known=known, gone=_gone_of_late(view.policy, chat, work.now))
        if not is_too_many(view.policy, departures):
            return True
        departures = replace(departures, known=count_known(chat.id))
        if not is_too_many(view.policy, departures):
            return True  # more have left meanwhile than were reckoned with
        _pull(work, view, chat, departures)
    access.problem = HELD
    work.save(access)
    work.audit("removal_held", subject="access", subject_id=access.id, integration_id=view.id)
    return False


def release(chat: Chat, now: datetime, *, released_at: datetime | None) -> None:
    """Let removals of a chat run again, within the caller's transaction.

    Those before `released_at` don't count any more; None counts as far back as the policy says.
    """
    Chat.objects.filter(id=chat.id).update(brake_at=None, brake_released_at=released_at)
    touch([chat.integration_id])
    close_alert(HELD, now, integration_id=chat.integration_id, subject=subject_of(chat.id))


def count_anew(chat_id: int, now: datetime) -> None:
    """Let what an operator has confirmed not count against those who come to leave later."""
    Chat.objects.filter(id=chat_id).update(brake_released_at=now)


def sweep_brakes(now: datetime) -> int:
    """Release the brakes of chats that nobody waits to leave any more; gives how many."""
    done = [
        chat
        for chat in Chat.objects.filter(brake_at__isnull=False)
        if not list_held(chat.id).exists()
    ]
    for chat in done:
        release(chat, now, released_at=chat.brake_released_at)
    return len(done)


def list_held(chat_id: int) -> QuerySet[Access]:
    """Give those who are to leave a chat, and wait for an operator's word."""
    return Access.objects.filter(
        chat_id=chat_id, desired=False, observed=Presence.INSIDE, problem=HELD
    )


def count_enough(policy: Policy, chat_id: int, now: datetime) -> int:
    """Count those known inside, as far as it matters to the next removals: a chat may be large."""
    chat = Chat.objects.filter(id=chat_id, brake_at=None).first()
    if chat is None:
        return 0  # all wait for an operator, or the chat is gone
    gone = _gone_of_late(policy, chat, now) + _AT_ONCE
    return count_known(chat_id, at_most=least_known(policy, gone))


def count_known(chat_id: int, *, at_most: int | None = None) -> int:
    """Count those of a chat who are inside and were let in, or adopted, by the product.

    Those of whom Telegram was asked to take them out are counted as gone already.
    """
    inside = Access.objects.filter(
        chat_id=chat_id, observed=Presence.INSIDE, let_in_at__isnull=False
    )
    asked = Q(action=DoorAction.REMOVE, problem="", removed_at__isnull=False)
    return inside.exclude(asked)[:at_most].count()


def _gone_of_late(policy: Policy, chat: Chat, now: datetime) -> int:
    since = now - policy.brake_window
    if chat.brake_released_at is not None:
        since = max(since, chat.brake_released_at)
    return count_gone(chat.id, since)


def count_gone(chat_id: int, since: datetime) -> int:
    """Count those whom the product has taken out of a chat since then."""
    return Access.objects.filter(chat_id=chat_id, removed_at__gt=since).count()


def _pull(work: Work, view: IntegrationView, chat: Chat, departures: Departures) -> None:
    Chat.objects.filter(id=chat.id).update(brake_at=work.now)
    touch([view.id])
    known = departures.known + departures.gone
    data = {"chat": str(chat), "gone": departures.gone, "known": known}
    open_alert(HELD, work.now, integration_id=view.id, subject=subject_of(chat.id), data=data)
    work.audit(
        "brake_pulled", subject="chat", subject_id=chat.id, integration_id=view.id, after=data
    )
