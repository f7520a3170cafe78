"""Every bot is looked at about once an hour, evenly spread, and sooner where something is wrong.

What is seen needs no durable job: a look that is lost is taken again by the next run.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

import structlog
from django.db.models import Exists, OuterRef, Q

from velvetrope.domain.errors import VelvetError
from velvetrope.domain.states import ItemState, Registration
from velvetrope.store.encryption import UnreadableSecretError
from velvetrope.store.models import Chat, Integration
from velvetrope.store.unfinished import unfinished_items, unfinished_of
from velvetrope.usecases.onboarding.checking import look_at_bot
from velvetrope.usecases.onboarding.jobs import lane_of
from velvetrope.usecases.onboarding.keeping import keep_findings

if TYPE_CHECKING:
    from datetime import datetime

    from velvetrope.usecases.onboarding.keeping import Resume
    from velvetrope.usecases.services import Services

log = structlog.get_logger()

#: How old the last look at a bot may become, and at one that is not in order.
AGE: Final = timedelta(hours=1)
AGE_OF_TROUBLE: Final = timedelta(minutes=5)
#: How often it is searched for bots that are due.
EVERY: Final = timedelta(seconds=20)
#: Looks of one run, at least: with more bots the share of one run grows.
LEAST: Final = 8
#: Looks at once; each bot has limits of its own, so this spares only ourselves.
AT_ONCE: Final = 8
#: Looks in a row that Telegram does not answer, after which a run ends.
PATIENCE: Final = 8


class Watch:
    """Takes the looks that are due."""

    def __init__(self, services: Services, resume: Resume) -> None:
        self._services = services
        self._resume = resume
        self._unanswered = 0

    async def run(self) -> None:
        """Look at those that were not looked at for longest; ends early if nobody answers."""
        services = self._services
        now = services.clock()
        due = iter(await services.db.read(lambda: list_due(now)))
        self._unanswered = 0

        async def some() -> None:
            for integration_id in due:
                if self._unanswered >= PATIENCE:
                    return
                await self._look(integration_id)

        await asyncio.gather(*(some() for _ in range(AT_ONCE)))

    async def _look(self, integration_id: int) -> None:
        services = self._services
        try:
            view = await services.view(integration_id)
            if view is None:
                return
            facts = await look_at_bot(services, view)
        except (VelvetError, UnreadableSecretError) as error:
            self._unanswered += 1
            log.warning("bot_not_looked_at", integration_id=integration_id, reason=str(error))
            return
        self._unanswered = 0
        now = services.clock()
        await services.db.write(partial(keep_findings, facts, now, self._resume))


def list_due(now: datetime) -> list[int]:
    """List the bots that are to be looked at now, the longest unseen first."""
    # Looked for first, so that nobody's calls are gone through but those that are not done.
    waits = unfinished_items().filter(state=ItemState.SUSPENDED)
    held_up = set(waits.values_list("integration_id", flat=True).distinct())
    broken = Chat.objects.filter(integration=OuterRef("id"), problem__isnull=False)
    wrong = ~Q(registration=Registration.REGISTERED) | ~Q(problems=[])
    old = Q(verified_at=None) | Q(verified_at__lt=now - AGE)
    soon = Q(verified_at__lt=now - AGE_OF_TROUBLE) & (wrong | Q(id__in=held_up) | Exists(broken))
    quiet = Q(paused_until=None) | Q(paused_until__lte=now)
    active = Integration.objects.filter(active=True)
    share = -(-active.count() * EVERY // AGE)  # rounded up
    rows = active.filter(quiet).filter(old | soon).order_by("verified_at", "id")
    found = list(rows.values_list("id", flat=True)[: max(LEAST, share + share // 4)])
    lanes = [lane_of(one) for one in found]
    under_way = set(unfinished_of(lanes).values_list("account", flat=True))
    return [one for one in found if one not in under_way]
