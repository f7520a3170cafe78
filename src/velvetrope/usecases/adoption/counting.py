"""How many members Telegram counts in each chat: whoever is more than the product knows of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from velvetrope.domain.errors import VelvetError
from velvetrope.domain.states import EventOutcome, Source
from velvetrope.pipeline import jobs
from velvetrope.store.ids import new_id
from velvetrope.store.models import Chat, InboxEvent
from velvetrope.usecases.adoption.jobs import COUNT
from velvetrope.usecases.onboarding.jobs import LANE, IntegrationJob

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from velvetrope.pipeline.work import CustomerKey, Event, Work
    from velvetrope.usecases.services import Services

#: How old a count may become.
COUNT_AGE: Final = timedelta(hours=6)
MOST_AT_ONCE: Final = 100


@dataclass(frozen=True, slots=True)
class Counted:
    """Members by the row's id of the chat; chats that can't be asked are left out."""

    members: Sequence[tuple[int, int]]


class CountHandler:
    """Asks for the number of members of every chat of an integration."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def prepare(self, event: Event) -> Counted:
        job = jobs.decode(event.payload, IntegrationJob)
        view = await self._services.view(job.integration_id)
        if view is None:
            return Counted(())
        bot = self._services.bot(view.token)
        found = []
        for chat in view.chats:
            try:
                found.append((chat.id, await bot.get_chat_member_count(chat.telegram_id)))
            except VelvetError:
                continue  # what is wrong with the chat is found, and told, by its verification
        return Counted(found)

    def subjects(self, event: Event, facts: Counted) -> Sequence[CustomerKey]:  # noqa: ARG002  port
        return []

    def apply(self, event: Event, facts: Counted, work: Work) -> str | None:  # noqa: ARG002  port
        for chat_id, members in facts.members:
            # Past the signals: nothing that is cached depends on it.
            Chat.objects.filter(id=chat_id).update(member_count=members, counted_at=work.now)
        return None if facts.members else EventOutcome.IGNORED.value


def request_count(integration_id: int, *, cause: str = "") -> str:
    """Have members counted, within the caller's transaction; gives the job's external id."""
    external_id = f"{COUNT}:{cause or new_id()}"
    jobs.enqueue(
        COUNT,
        IntegrationJob(integration_id),
        account=integration_id,
        lane=f"{LANE}{integration_id}",
        external_id=external_id,
    )
    return external_id


def sweep_counts(now: datetime) -> int:
    """Ask for counts that are older than they may be; the same hours ask once."""
    old = Q(counted_at=None) | Q(counted_at__lt=now - COUNT_AGE)
    chats = Chat.objects.filter(old, problem__isnull=True, integration__active=True)
    cause = f"age:{int(now.timestamp() // COUNT_AGE.total_seconds())}"
    asked = InboxEvent.objects.filter(
        source=Source.JOB, account=OuterRef("integration_id"), external_id=f"{COUNT}:{cause}"
    )
    with transaction.atomic():
        owners = chats.filter(~Exists(asked)).values_list("integration_id", flat=True)
        found = list(owners.distinct()[:MOST_AT_ONCE])
        for integration_id in found:
            request_count(integration_id, cause=cause)
    return len(found)
