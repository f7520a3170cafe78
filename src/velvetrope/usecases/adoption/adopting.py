"""Taking over the people of a confirmed list, each with a fresh look and in their own lane."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from velvetrope.domain.adoption import Outcome, Whereabouts, is_taken_over, summed_up
from velvetrope.domain.states import AdoptionState, EntitlementKind, EventOutcome
from velvetrope.pipeline import jobs
from velvetrope.store.models import Adoption, AdoptionRow
from velvetrope.usecases.adoption.announcing import announce
from velvetrope.usecases.adoption.giving import give, watch
from velvetrope.usecases.adoption.jobs import ADOPT, ORDER, AdoptJob, ListJob, defer_next
from velvetrope.usecases.adoption.looking import AT_ONCE, PAUSE
from velvetrope.usecases.adoption.numbers import count_outcomes
from velvetrope.usecases.adoption.places import fetch_places

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from velvetrope.pipeline.work import CustomerKey, Event, Work
    from velvetrope.usecases.observing import Seen
    from velvetrope.usecases.services import Services

#: What is written down of those for whom nothing is done.
LEFT = {
    Whereabouts.KEEPER: Outcome.KEEPER,
    Whereabouts.OUTSIDE: Outcome.OUTSIDE,
    Whereabouts.UNKNOWN: Outcome.UNKNOWN,
}


class OrderHandler:
    """Makes a job of each person of a confirmed list, as many a second as may be asked about."""

    async def prepare(self, event: Event) -> ListJob:
        return jobs.decode(event.payload, ListJob)

    def subjects(self, event: Event, facts: ListJob) -> Sequence[CustomerKey]:  # noqa: ARG002  port
        return []

    def apply(self, event: Event, facts: ListJob, work: Work) -> str | None:
        adoption = Adoption.objects.filter(
            id=facts.adoption_id, state=AdoptionState.ADOPTING.value
        ).first()
        if adoption is None:
            return EventOutcome.IGNORED.value
        most = max(1, AT_ONCE // max(1, len(adoption.chats)))
        waiting = AdoptionRow.objects.filter(adoption=adoption, ordered=False).order_by("id")
        people = list(waiting.values_list("id", "telegram_user_id")[:most])
        for row_id, user_id in people:
            work.defer(
                ADOPT,
                AdoptJob(row_id, adoption.integration_id, user_id),
                lane=f"tg:{adoption.integration_id}:{user_id}",
                account=adoption.integration_id,
                external_id=f"{ADOPT}:{row_id}",
            )
        AdoptionRow.objects.filter(id__in=[row_id for row_id, _ in people]).update(ordered=True)
        if people:
            defer_next(work, ORDER, facts, event.id, work.now + PAUSE)
        else:
            _finish_if_through(work, adoption)
        return None


@dataclass(frozen=True, slots=True)
class Person:
    """One line of a list with the terms that hold for it, and where the person is right now."""

    key: CustomerKey
    row_id: int
    plan_id: int
    kind: EntitlementKind
    #: None: for ever.
    until: datetime | None
    note: str
    #: By a day of their own, or as a friend: holds wherever they are.
    promised: bool
    chats: Sequence[int]
    places: tuple[Seen, ...] = ()


class AdoptHandler:
    """Adopts one person, if they are where the list was made for."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def prepare(self, event: Event) -> Person | None:
        job = jobs.decode(event.payload, AdoptJob)
        view = await self._services.view(job.integration_id)
        person = await self._services.db.read(lambda: _person(job))
        if view is None or person is None:
            return None
        chats = [chat for chat in view.chats if chat.id in person.chats]
        bot = self._services.bot(view.token)
        return replace(person, places=await fetch_places(bot, chats, job.telegram_user_id))

    def subjects(self, event: Event, facts: Person | None) -> Sequence[CustomerKey]:  # noqa: ARG002  port
        return [] if facts is None else [facts.key]

    def apply(self, event: Event, facts: Person | None, work: Work) -> str | None:  # noqa: ARG002  port
        rows = AdoptionRow.objects.filter(id=facts.row_id if facts else 0, outcome="")
        adoption = Adoption.objects.filter(rows__in=rows).first()
        if facts is None or adoption is None:
            return EventOutcome.IGNORED.value  # done, or given up
        outcome = _adopt(work, facts)
        rows.update(outcome=outcome.value)
        _finish_if_through(work, adoption)
        return None


def _adopt(work: Work, person: Person) -> Outcome:
    view = work.integration(person.key[0])
    plan = view.plan(person.plan_id)
    where = summed_up(seen.presence for seen in person.places)
    if plan is None or not is_taken_over(where, promised=person.promised):
        return LEFT.get(where, Outcome.UNKNOWN)
    customer = work.customer(person.key) or work.new_customer(person.key)
    gift = give(work, view, customer, plan, kind=person.kind, until=person.until, note=person.note)
    if gift.outcome is Outcome.REVOKED:
        return gift.outcome
    watch(work, view, customer, person.places)
    is_new = gift.outcome is Outcome.ADOPTED
    if is_new:
        announce(work, view, customer, gift.row)
    return Outcome.GIVEN if is_new and where is not Whereabouts.INSIDE else gift.outcome


def _finish_if_through(work: Work, adoption: Adoption) -> None:
    """Keep the numbers, and forget who was in the list: each has a page of their own."""
    if AdoptionRow.objects.filter(adoption=adoption, outcome="").exists():
        return
    numbers = {**adoption.numbers, "outcomes": count_outcomes(adoption)}
    Adoption.objects.filter(id=adoption.id).update(
        state=AdoptionState.DONE.value, finished_at=work.now, numbers=numbers
    )
    AdoptionRow.objects.filter(adoption=adoption).delete()
    work.audit(
        "adoption.finished",
        subject="adoption",
        subject_id=adoption.id,
        integration_id=adoption.integration_id,
        after=numbers["outcomes"],
    )


def _person(job: AdoptJob) -> Person | None:
    row = AdoptionRow.objects.filter(id=job.row_id, outcome="").select_related("adoption").first()
    if row is None:
        return None
    terms = row.adoption
    return Person(
        key=(job.integration_id, job.telegram_user_id),
        row_id=row.id,
        plan_id=row.plan_id or terms.plan_id,
        kind=EntitlementKind.GRANT if terms.comp else EntitlementKind.CLAIM,
        until=row.until or terms.until,
        note=row.note,
        promised=terms.comp or row.until is not None,
        chats=terms.chats,
    )
