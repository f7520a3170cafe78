"""Members from before: lists are looked at first and adopted when an operator says so."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Q

from velvetrope.domain.members_list import MembersList, Terms, read_list
from velvetrope.domain.states import AdoptionState, EventState, Source
from velvetrope.domain.validation import Invalid
from velvetrope.pipeline import jobs
from velvetrope.store.clock import present
from velvetrope.store.models import Adoption, AdoptionRow, Chat, InboxEvent, Integration, Plan
from velvetrope.usecases.adoption.adopting import LEFT
from velvetrope.usecases.adoption.forgetting import UNDECIDED
from velvetrope.usecases.adoption.jobs import ADOPT, LOOK, ORDER, ListJob, lane_of, request
from velvetrope.usecases.adoption.numbers import taken_over
from velvetrope.usecases.audit import record

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from typing import BinaryIO

    from velvetrope.domain.members_list import Line

#: Rows of one transaction: people who talk with the bot meanwhile don't wait for all of them.
_CHUNK: Final = 500
#: People of a list who are looked through for what keeps it from going on.
_LOOKED_THROUGH: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class ListTerms:
    """What all people of a list get, unless their line says otherwise."""

    integration: Integration
    plan: Plan
    chats: Sequence[Chat]
    #: None: each line has a day of its own, or there is no end.
    until: datetime | None
    comp: bool = False


def list_terms(
    integration: Integration,
    plan: Plan,
    chats: Sequence[Chat],
    until: datetime | None,
    *,
    comp: bool = False,
) -> ListTerms:
    """Judge what a list is to bring its people; without `chats`, all that the plan opens.

    Raises Invalid.
    """
    opened = list(plan.chats.order_by("id"))
    chosen = list(chats) or opened
    strange = [chat for chat in chosen if chat not in opened]
    if strange or not chosen:
        remedy = "Its members would be let out. Choose a plan that opens it, or another chat."
        shown = str(strange[0]) if strange else ""
        raise Invalid("chat_not_opened", "chat", shown, f"The plan doesn't open it. {remedy}")
    if comp and until is not None:
        remedy = "What friends get has no end. Leave out the deadline, or don't call them friends."
        raise Invalid("comp_with_deadline", "deadline", "", remedy)
    return ListTerms(integration=integration, plan=plan, chats=chosen, until=until, comp=comp)


def read_members(file: BinaryIO, terms: ListTerms) -> MembersList:
    """Read an operator's list and judge each line."""
    return read_list(
        file,
        Terms(
            now=present(),
            zone=ZoneInfo(terms.integration.time_zone),
            bot_id=terms.integration.bot_id,
            plans=_plan_names(terms),
            needs_day=terms.until is None and not terms.comp,
        ),
    )


def start_adoption(terms: ListTerms, found: MembersList, actor: str) -> Adoption:
    """Keep a list and have its people looked for; nobody is touched and nobody is told.

    The same list with the same terms goes on where it was.
    """
    digest = _digest(terms, found.lines)
    unfinished = Adoption.objects.exclude(state=AdoptionState.DONE)
    known = unfinished.filter(integration=terms.integration, digest=digest).first()
    if known is not None:
        return known
    adoption = Adoption.objects.create(
        integration=terms.integration,
        plan=terms.plan,
        chats=[chat.pk for chat in terms.chats],
        until=terms.until,
        comp=terms.comp,
        skipped=len(found.mistakes),
        actor=actor[:160],
        created_at=present(),
    )
    for start in range(0, len(found.lines), _CHUNK):
        with transaction.atomic():
            AdoptionRow.objects.bulk_create(
                AdoptionRow(
                    adoption=adoption,
                    telegram_user_id=line.user_id,
                    plan_id=line.plan,
                    until=line.until,
                    note=line.note,
                )
                for line in found.lines[start : start + _CHUNK]
            )
    with transaction.atomic():  # from here on it is whole, and found again by its digest
        adoption.digest = digest
        adoption.save(update_fields=["digest"])
        request(LOOK, ListJob(adoption.pk, terms.integration.pk), "first")
    return adoption


def confirm_adoption(adoption_id: int, actor: str) -> bool:
    """Have the people of a list adopted; False unless it waits for that.

    DoesNotExist for an unknown id.
    """
    with transaction.atomic():
        adoption = Adoption.objects.select_for_update().get(id=adoption_id)
        if adoption.state != AdoptionState.READY:
            return False
        adoption.state = AdoptionState.ADOPTING.value
        adoption.confirmed_at = present()
        adoption.save(update_fields=["state", "confirmed_at"])
        rows = AdoptionRow.objects.filter(adoption=adoption)
        concerned = rows.filter(taken_over(adoption)).values("id")
        for place, outcome in LEFT.items():
            left = rows.filter(place=place.value).exclude(id__in=concerned)
            left.update(ordered=True, outcome=outcome.value)
        request(ORDER, ListJob(adoption.pk, adoption.integration_id), "first")
        record(
            actor,
            "adoption.confirmed",
            subject="adoption",
            subject_id=adoption.pk,
            integration_id=adoption.integration_id,
            after={
                "plan": adoption.plan_id,
                "until": adoption.until.isoformat() if adoption.until else None,
                "comp": adoption.comp,
                "people": adoption.numbers.get("people"),
                "concerned": adoption.numbers.get("concerned"),
            },
        )
        jobs.wake()
    return True


def discard_adoption(adoption_id: int) -> bool:
    """Forget a list that was not confirmed; False if it was, or is gone."""
    undecided = Adoption.objects.filter(id=adoption_id, state__in=UNDECIDED)
    return bool(undecided.delete()[0])


def trouble_of(adoption: Adoption) -> str:
    """Give the code of what keeps a list from going on; empty if nothing does."""
    waiting = AdoptionRow.objects.filter(adoption=adoption, ordered=True, outcome="")
    people = [f"{ADOPT}:{key}" for key in waiting.values_list("id", flat=True)[:_LOOKED_THROUGH]]
    of_list = Q(lane=lane_of(adoption.pk)) | Q(kind=ADOPT, external_id__in=people)
    stuck = InboxEvent.objects.filter(
        of_list, source=Source.JOB, account=adoption.integration_id, state=EventState.DEAD
    )
    return stuck.values_list("error_code", flat=True).first() or ""


def progress_of(adoption: Adoption) -> tuple[int, int]:
    """Tell how many people of a list are through the step that is under way, and of how many."""
    rows = AdoptionRow.objects.filter(adoption=adoption)
    if adoption.state == AdoptionState.LOOKING:
        return rows.exclude(place="").count(), rows.count()
    return rows.exclude(outcome="").count(), rows.count()


def _plan_names(terms: ListTerms) -> dict[str, int]:
    """Give what a line may call the plans that open at least one of the chats."""
    wanted = {chat.pk for chat in terms.chats}
    names: dict[str, int] = {}
    for plan in terms.integration.plans.prefetch_related("chats"):
        if wanted & {chat.pk for chat in plan.chats.all()}:
            names[plan.stripe_price_id.lower()] = plan.pk
            names[str(plan.pk)] = plan.pk
    return names


def _digest(terms: ListTerms, lines: Sequence[Line]) -> str:
    digest = sha256()
    chats = sorted(chat.pk for chat in terms.chats)
    digest.update(repr((terms.plan.pk, chats, terms.until, terms.comp)).encode())
    for line in lines:
        digest.update(repr((line.user_id, line.until, line.note, line.plan)).encode())
    return digest.hexdigest()
