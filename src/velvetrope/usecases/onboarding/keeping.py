"""What was found of a bot and its chats is kept, told to operators, and acted upon."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from django.db.models import Q

from velvetrope.domain.states import Registration
from velvetrope.store.models import Chat, Integration
from velvetrope.store.revisions import touch
from velvetrope.usecases.alert_levels import restate, sync_alerts
from velvetrope.usecases.chat_moves import move_chat
from velvetrope.usecases.reopening import reopen_door
from velvetrope.usecases.reviving import revive_of_bot

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from velvetrope.usecases.onboarding.examining import ChatFinding, Examination


class Resume(Protocol):
    """Lets calls of an integration out again that waited for an operator's fix."""

    def __call__(self, integration_id: int, *, but_for: Collection[int]) -> object:
        """`but_for` names chats that are not mended yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BotFacts:
    """What was found of a bot when it was looked at, and whether its updates come here."""

    integration_id: int
    asked_at: datetime
    found: Examination
    is_heard: bool
    #: What is switched off is only looked at.
    active: bool


def keep_findings(facts: BotFacts, now: datetime, resume: Resume) -> bool:
    """Keep what was found, within the caller's transaction; False if more is known already.

    Alerts follow, and calls go out again that waited for what is mended.
    """
    found, key = facts.found, facts.integration_id
    changed: dict[str, object] = {"verified_at": now}
    if facts.active or found.bot is None:
        registration = Registration.REGISTERED if facts.is_heard else Registration.FAILED
        changed["registration"] = registration.value
    if found.bot is not None:
        changed["bot_username"] = found.bot.username
    fresh = Q(verified_at=None) | Q(verified_at__lte=facts.asked_at)
    if not Integration.objects.filter(fresh, id=key).update(**changed):
        return False
    for chat in found.chats:
        _keep_chat(key, chat, now)
    restate(key, [problem.as_json() for problem in found.general])
    touch([key])
    sync_alerts(key, now)
    if facts.active and found.bot is not None:
        broken = [one.moved_to or one.telegram_id for one in found.chats if one.problem is not None]
        resume(key, but_for=broken)
        revive_of_bot(key)
    return True


def _keep_chat(integration_id: int, chat: ChatFinding, now: datetime) -> None:
    telegram_id = chat.telegram_id
    problem = None if chat.problem is None else chat.problem.as_json()
    if chat.moved_to is not None:
        if move_chat(integration_id, chat.telegram_id, chat.moved_to):
            telegram_id = chat.moved_to
        else:  # the operator has given the new id as well: the old one is theirs to take out
            data = {"chat": telegram_id, "migrate_to_chat_id": chat.moved_to}
            problem = {"code": "chat_migrated", "data": data}
    rows = Chat.objects.filter(integration_id=integration_id, telegram_id=telegram_id)
    if problem is None:
        for key in rows.filter(problem__isnull=False).values_list("id", flat=True):
            reopen_door(integration_id, key, now)
    rows.update(
        kind=chat.kind.value,
        problem=problem,
        verified_at=now,
        **({"title": chat.title} if chat.title else {}),
    )
