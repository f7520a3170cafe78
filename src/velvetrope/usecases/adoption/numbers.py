"""How many people something concerns: before it is done, and afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Count, F, Q
from django.db.models.functions import Coalesce

from velvetrope.domain.adoption import Outcome, Whereabouts
from velvetrope.domain.brake import most_departures
from velvetrope.domain.policy import Policy
from velvetrope.domain.states import GIVEN, Presence
from velvetrope.store.models import Access, AdoptionRow, Chat, Customer, Entitlement

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.db.models import QuerySet

    from velvetrope.store.models import Adoption, Integration


@dataclass(frozen=True, slots=True)
class ChatNumbers:
    """How many members of a chat the product looks after, of those that Telegram counts."""

    chat: Chat
    #: Let in or adopted by the product, and inside.
    known: int
    #: Owner and administrators whom the product has seen.
    keepers: int

    @property
    def from_before(self) -> int | None:
        """Give about how many nobody looks after, owner and bots among them; None: not counted."""
        count = self.chat.member_count
        return None if count is None else max(0, count - self.known - self.keepers)


def count_chats(integration_id: int) -> list[ChatNumbers]:
    """Give the numbers of every chat of an integration."""
    inside = Q(observed=Presence.INSIDE, let_in_at__isnull=False)
    counted = {
        row["chat"]: row
        for row in Access.objects.filter(chat__integration_id=integration_id)
        .values("chat")
        .annotate(
            known=Count("id", filter=inside),
            keepers=Count("id", filter=Q(observed=Presence.KEEPER)),
        )
    }
    none = {"known": 0, "keepers": 0}
    return [
        ChatNumbers(chat, found["known"], found["keepers"])
        for chat in Chat.objects.filter(integration_id=integration_id).order_by("id")
        for found in [counted.get(chat.id, none)]
    ]


def brake_of(integration: Integration, numbers: ChatNumbers, joining: int = 0) -> int:
    """Tell how many may leave a chat at once, once `joining` more are known in it."""
    policy = Policy.from_differences(integration.policy)
    return most_departures(policy, numbers.known + joining)


def count_found(adoption: Adoption) -> Mapping[str, int | str | None]:
    """Count whom a list concerns, once everybody was looked for."""
    rows = AdoptionRow.objects.filter(adoption=adoption)
    customers = Customer.objects.filter(
        integration_id=adoption.integration_id,
        telegram_user_id__in=rows.values("telegram_user_id"),
    )
    paying = Entitlement.objects.filter(customer__in=customers.values("id"), holds=True).exclude(
        kind__in=GIVEN
    )
    concerned = rows.filter(taken_over(adoption))
    by_place = _by(rows, "place")
    people, known = sum(by_place.values()), customers.count()
    ids = concerned.values("telegram_user_id")
    reachable = customers.filter(
        telegram_user_id__in=ids,
        started_at__isnull=False,
        blocked_at__isnull=True,
        deactivated_at__isnull=True,
    ).count()
    number = concerned.count()
    return {
        "people": people,
        "new": people - known,
        "known": known,
        "paying": paying.values("customer").distinct().count(),
        **{place.value: by_place.get(place.value, 0) for place in Whereabouts},
        "concerned": number,
        "reachable": reachable,
        "unreachable": number - reachable,
        **_same_end(adoption, concerned),
    }


def count_outcomes(adoption: Adoption) -> Mapping[str, int]:
    """Count what became of the people of a list."""
    found = _by(AdoptionRow.objects.filter(adoption=adoption), "outcome")
    return {outcome.value: found.get(outcome.value, 0) for outcome in Outcome}


def taken_over(adoption: Adoption) -> Q:
    """Select whom domain/adoption.py takes over."""
    promised = Q(until__isnull=False)
    if adoption.comp:
        return ~Q(place=Whereabouts.KEEPER)
    return ~Q(place=Whereabouts.KEEPER) & (Q(place=Whereabouts.INSIDE) | promised)


def _same_end(
    adoption: Adoption, concerned: QuerySet[AdoptionRow]
) -> Mapping[str, int | str | None]:
    """Find the end that most have in common: if they don't subscribe, they leave together."""
    if adoption.comp:
        concerned = concerned.filter(until__isnull=False)
    ends = (
        concerned.annotate(end=Coalesce(F("until"), adoption.until))
        if adoption.until is not None
        else concerned.annotate(end=F("until"))
    )
    most = ends.values("end").annotate(people=Count("id")).order_by("-people", "end").first()
    if most is None or most["end"] is None:
        return {"together": 0, "together_at": None}
    return {"together": most["people"], "together_at": most["end"].isoformat()}


def _by(rows: QuerySet[AdoptionRow], column: str) -> dict[str, int]:
    counted = rows.values(column).annotate(people=Count("id"))
    return {row[column]: row["people"] for row in counted}
