"""Finding out where the people of a list are: some a second, each answer kept at once."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from velvetrope.domain.adoption import summed_up
from velvetrope.domain.states import AdoptionState, EventOutcome
from velvetrope.pipeline import jobs
from velvetrope.store.models import Adoption, AdoptionRow
from velvetrope.usecases.adoption.jobs import LOOK, ListJob, defer_next
from velvetrope.usecases.adoption.numbers import count_found
from velvetrope.usecases.adoption.places import fetch_places

if TYPE_CHECKING:
    from collections.abc import Sequence

    from velvetrope.domain.adoption import Whereabouts
    from velvetrope.pipeline.work import CustomerKey, Event, Work
    from velvetrope.usecases.services import Services

#: Questions to Telegram in one go, and how long until the next ones: beside other work of the bot.
AT_ONCE: Final = 20
PAUSE: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Looked:
    """Where the next people of a list are, by the id of their row."""

    order: ListJob
    found: Sequence[tuple[int, Whereabouts]]


class LookHandler:
    """Looks for the next people of a list; the last look makes the list ready to be confirmed."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def prepare(self, event: Event) -> Looked:
        order = jobs.decode(event.payload, ListJob)
        view = await self._services.view(order.integration_id)
        people = await self._services.db.read(lambda: _next_people(order.adoption_id))
        if view is None or not people:
            return Looked(order, ())
        bot = self._services.bot(view.token)
        chats = [chat for chat in view.chats if chat.id in people[0].chats]
        places = await asyncio.gather(
            *(fetch_places(bot, chats, one.telegram_user_id) for one in people)
        )
        return Looked(
            order,
            [
                (one.row_id, summed_up(seen.presence for seen in place))
                for one, place in zip(people, places, strict=True)
            ],
        )

    def subjects(self, event: Event, facts: Looked) -> Sequence[CustomerKey]:  # noqa: ARG002  port
        return []

    def apply(self, event: Event, facts: Looked, work: Work) -> str | None:
        lists = Adoption.objects.filter(
            id=facts.order.adoption_id, state=AdoptionState.LOOKING.value
        )
        adoption = lists.first()
        if adoption is None:
            return EventOutcome.IGNORED.value  # given up since
        for row_id, place in facts.found:
            AdoptionRow.objects.filter(id=row_id).update(place=place.value)
        if AdoptionRow.objects.filter(adoption=adoption, place="").exists():
            defer_next(work, LOOK, facts.order, event.id, work.now + PAUSE)
            return None
        lists.update(
            state=AdoptionState.READY.value, looked_at=work.now, numbers=count_found(adoption)
        )
        return None


@dataclass(frozen=True, slots=True)
class _Person:
    row_id: int
    telegram_user_id: int
    chats: Sequence[int]


def _next_people(adoption_id: int) -> list[_Person]:
    adoption = Adoption.objects.filter(id=adoption_id).first()
    if adoption is None:
        return []
    most = max(1, AT_ONCE // max(1, len(adoption.chats)))
    rows = AdoptionRow.objects.filter(adoption=adoption, place="").order_by("id")
    return [
        _Person(row_id, user_id, adoption.chats)
        for row_id, user_id in rows.values_list("id", "telegram_user_id")[:most]
    ]
