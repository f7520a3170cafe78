"""Where people are, asked of Telegram a few at a time: whoever came or left unseen is found."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import msgspec
from django.db.models import F, Q

from velvetrope.domain.errors import NeedsOperator, RetryLater, VelvetError
from velvetrope.domain.states import EventOutcome, ItemState, Presence, Priority
from velvetrope.pipeline import jobs
from velvetrope.store.models import Access, Integration, OutboxItem
from velvetrope.usecases import membership, observing
from velvetrope.usecases.observing import Seen, presence_of
from velvetrope.usecases.onboarding import defer_check
from velvetrope.usecases.outcomes import BOT_TROUBLE, CHAT_TROUBLE
from velvetrope.usecases.reconciling.orders import LOOK_AROUND, LOOKED, Counts, LookOrder, added

if TYPE_CHECKING:
    from collections.abc import Sequence

    from velvetrope.gateways.telegram.bot import BotApi
    from velvetrope.gateways.telegram.updates import User
    from velvetrope.pipeline.work import CustomerKey, Event, Work
    from velvetrope.store.models import Customer
    from velvetrope.usecases.services import Services

#: People who are asked about at once, and the pause after them: some 2 a second of each bot.
AT_ONCE: Final = 20
PAUSE: Final = timedelta(seconds=8)

_UNSENT: Final = (ItemState.PENDING.value, ItemState.CLAIMED.value)


class Place(msgspec.Struct, frozen=True):
    """A person and a chat to ask about: rows' ids and Telegram's."""

    access_id: int
    user_id: int
    chat_id: int
    telegram_chat_id: int


@dataclass(slots=True)
class Looks:
    """What Telegram said of the next people; `seen` leaves out what it could not tell."""

    order: LookOrder
    asked_at: datetime
    places: list[Place] = field(default_factory=list)
    seen: dict[int, tuple[Presence, User]] = field(default_factory=dict)
    #: Why nobody can be asked about any more, or about some chat: the bot is to be looked at.
    trouble: str = ""
    is_over: bool = False


class LookHandler:
    """Looks at the next people and lets everything follow, as an update would have."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def prepare(self, event: Event) -> Looks | None:
        order = jobs.decode(event.payload, LookOrder)
        view = await self._services.view(order.integration_id)
        if view is None or not view.active:
            return None
        looks = Looks(order, self._services.clock())
        paused, busy, places = await self._services.db.read(lambda: _next(order, looks.asked_at))
        if paused is not None:
            raise RetryLater("too_many_requests", retry_after=paused.total_seconds())
        if busy:
            return looks  # who is let in or answered comes first
        looks.is_over = len(places) < AT_ONCE
        await self._ask(self._services.bot(view.token), places, looks)
        return looks

    async def _ask(self, bot: BotApi, places: Sequence[Place], looks: Looks) -> None:
        """Ask about one after another; an outage leaves the rest to the next job."""
        for place in places:
            try:
                member = await bot.get_chat_member(place.telegram_chat_id, place.user_id)
            except VelvetError as error:
                if error.code in CHAT_TROUBLE or isinstance(error, NeedsOperator):
                    looks.trouble = error.code
                elif isinstance(error, RetryLater):
                    if not looks.places:
                        raise
                    looks.is_over = False
                    return
                if error.code in BOT_TROUBLE:
                    return
                looks.places.append(place)  # «member not found» proves nothing
            else:
                looks.places.append(place)
                looks.seen[place.access_id] = (presence_of(member), member.user)

    def subjects(self, event: Event, facts: Looks | None) -> Sequence[CustomerKey]:  # noqa: ARG002  port
        if facts is None:
            return []
        return [(facts.order.integration_id, place.user_id) for place in facts.places]

    def apply(self, event: Event, facts: Looks | None, work: Work) -> str | None:  # noqa: ARG002  port
        if facts is None:
            return EventOutcome.IGNORED.value
        order = facts.order
        counts: Counts = {}
        for place in facts.places:
            counts = added(counts, **_settle(work, facts, place))
        if facts.trouble:
            defer_check(work, order.integration_id, cause=order.external_id)
        counts = added(order.counts, **counts)
        if facts.trouble in BOT_TROUBLE:
            return EventOutcome.HANDLED.value  # goes on another day, with what is mended
        if facts.is_over:
            _finish(work, order, counts)
            return EventOutcome.HANDLED.value
        following = msgspec.structs.replace(order, counts=counts, step=order.step + 1)
        work.defer(
            LOOK_AROUND,
            following,
            lane=following.lane,
            account=following.integration_id,
            external_id=following.external_id,
            at=work.now + PAUSE,
        )
        return EventOutcome.HANDLED.value


def _settle(work: Work, facts: Looks, place: Place) -> Counts:
    """Write down where a person is and let follow what does; gives what it was."""
    order = facts.order
    customer = work.customer((order.integration_id, place.user_id))
    if customer is None:
        return {}
    access = membership.find_access(work, customer, place.chat_id)
    if access is None:
        return {}
    before, wanted = access.observed, access.action
    found = facts.seen.get(place.access_id)
    if found is None:
        access.checked_at = work.now
        work.save(access)
        return {"checked": 1, "not_told": 1}
    presence, user = found
    view = work.integration(order.integration_id)
    seen = [Seen(place.chat_id, presence)]
    observing.note_anew(work, view, customer, seen, facts.asked_at)
    counts = {"checked": 1, "moved_unseen": int(access.observed != before)}
    if order.is_rebuild:
        _name(work, customer, user)
        if access.observed == Presence.INSIDE.value and access.desired:
            access.let_in_at = access.let_in_at or work.now
            work.save(access)
        elif access.observed == Presence.INSIDE.value:
            counts["inside_without_right"] = 1
    membership.reconcile(work, customer)
    counts["settled"] = int(bool(access.action) and access.action != wanted)
    return counts


def _name(work: Work, customer: Customer, user: User) -> None:
    if not customer.username and user.username:
        customer.username = user.username[:64]
        work.save(customer)


def _finish(work: Work, order: LookOrder, counts: Counts) -> None:
    if not order.only_open:
        Integration.objects.filter(id=order.integration_id).update(reconciled_at=work.now)
    news = {name: count for name, count in counts.items() if name not in {"checked", "not_told"}}
    if order.actor or any(news.values()):
        work.audit(
            LOOKED,
            subject="integration",
            subject_id=order.integration_id,
            integration_id=order.integration_id,
            actor=order.actor or "product",
            after={"run": order.run, **counts},
        )


def _next(order: LookOrder, now: datetime) -> tuple[timedelta | None, bool, list[Place]]:
    """Give how long the bot has to be silent, whether it is busy, and who is next."""
    until = (
        Integration.objects.filter(id=order.integration_id, paused_until__gt=now)
        .values_list("paused_until", flat=True)
        .first()
    )
    if until is not None:
        return until - now, False, []
    busy = (
        OutboxItem.objects.filter(
            integration_id=order.integration_id,
            state__in=_UNSENT,
            priority__in=(Priority.GRANT.value, Priority.ANSWER.value),
        )
        .filter(Q(due_at=None) | Q(due_at__lte=now))
        .exists()
    )
    return None, busy, [] if busy else _places(order)


def _places(order: LookOrder) -> list[Place]:
    """Give who is next, chat by chat, those first who were not looked at for longest."""
    found: list[Place] = []
    chats = Integration.objects.get(id=order.integration_id).chats.filter(problem__isnull=True)
    for chat_id, telegram_chat_id in chats.order_by("id").values_list("id", "telegram_id"):
        rows = (
            Access.objects.filter(_meant(order), chat_id=chat_id)
            .filter(Q(checked_at=None) | Q(checked_at__lt=order.started_at))
            .order_by(F("checked_at").asc(nulls_first=True))
            .values_list("id", "customer__telegram_user_id")
        )
        found += [
            Place(access_id, user_id, chat_id, telegram_chat_id)
            for access_id, user_id in rows[: AT_ONCE - len(found)]
        ]
        if len(found) >= AT_ONCE:
            break
    return found


def _meant(order: LookOrder) -> Q:
    if order.is_rebuild:
        return Q()
    if order.only_open:
        to_leave = Q(desired=False, observed=Presence.INSIDE.value, let_in_at__isnull=False)
        return Q(requested_at__isnull=False) | to_leave
    return Q(desired=True) | Q(let_in_at__isnull=False)
