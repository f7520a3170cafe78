"""The look that is taken again and again, whether a bot still is what it should be.

It changes nothing that is right. A webhook that nobody has is set again; one that leads elsewhere
is somebody's, so an operator decides.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from velvetrope.domain.errors import NeedsOperator, Permanent, RetryLater
from velvetrope.domain.states import EventOutcome, Registration
from velvetrope.domain.validation import LANGUAGES
from velvetrope.pipeline import jobs
from velvetrope.store.models import Integration
from velvetrope.usecases.onboarding.examining import Problem, examine_bot, examine_webhook
from velvetrope.usecases.onboarding.jobs import IntegrationJob
from velvetrope.usecases.onboarding.keeping import BotFacts, keep_findings
from velvetrope.usecases.wording import bot_profile
from velvetrope.usecases.wording.words import Words

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from velvetrope.gateways.telegram.bot import BotApi
    from velvetrope.pipeline.work import CustomerKey, Event, Work
    from velvetrope.store.catalogue import IntegrationView
    from velvetrope.usecases.onboarding.examining import Examination
    from velvetrope.usecases.onboarding.keeping import Resume
    from velvetrope.usecases.services import Services


async def look_at_bot(services: Services, view: IntegrationView) -> BotFacts:
    """Look at a bot, its webhook and its chats: two calls and two for each chat.

    Raises RetryLater only.
    """
    asked_at = services.clock()
    bot = services.bot(view.token)
    chats = [chat.telegram_id for chat in view.chats]
    found = await examine_bot(bot, chats, bot_id=view.bot_id)
    is_heard = False
    if found.bot is not None and view.active:
        found, is_heard = await _webhook(services, bot, view, found)
    return BotFacts(
        integration_id=view.id,
        asked_at=asked_at,
        found=found,
        is_heard=is_heard,
        active=view.active,
    )


async def _webhook(
    services: Services, bot: BotApi, view: IntegrationView, found: Examination
) -> tuple[Examination, bool]:
    """Look where updates go; set the webhook where nobody has it, or where that was asked for."""
    seen = await examine_webhook(bot, services.telegram_webhook_url, services.clock())
    problems, is_heard = seen.problems, seen.is_ours
    if seen.is_free or view.registration is Registration.PENDING:
        try:
            await set_up(services, bot, view)
        except (Permanent, NeedsOperator) as error:
            problems, is_heard = (*problems, refused(error)), False
        else:
            problems, is_heard = (), True
    return replace(found, general=(*found.general, *problems)), is_heard


async def set_up(services: Services, bot: BotApi, view: IntegrationView) -> None:
    """Point the webhook here, then give the bot its menu and descriptions."""
    secret = await services.db.read(lambda: _webhook_secret(view.id))
    await bot.set_webhook(services.telegram_webhook_url, secret_token=secret)
    now = services.clock()
    for code in (None, *LANGUAGES):
        words = Words(view, code or view.language, now)
        short = bot_profile.short_description(words)
        await bot.set_my_commands(bot_profile.commands(words), language_code=code)
        await bot.set_my_description(bot_profile.description(words), language_code=code)
        await bot.set_my_short_description(short, language_code=code)


def refused(error: Permanent | NeedsOperator) -> Problem:
    """Say that Telegram didn't take the webhook, or whatever else is the reason for it."""
    if error.code in {"bot_unauthorized", "bot_not_found", "webhook_secret_missing"}:
        return Problem(error.code, {})
    return Problem("webhook_refused", {"reason": str(error)})


def _webhook_secret(integration_id: int) -> str:
    secret = Integration.objects.only("webhook_secret").get(id=integration_id).webhook_secret
    if secret is None:  # the column is not nullable
        raise NeedsOperator("webhook_secret_missing")
    return secret.reveal()


class CheckHandler:
    """Takes that look at once, since something was seen that speaks of trouble or its end."""

    def __init__(self, services: Services, resume: Resume) -> None:
        self._services = services
        self._resume = resume

    async def prepare(self, event: Event) -> BotFacts | None:
        job = jobs.decode(event.payload, IntegrationJob)
        view = await self._services.view(job.integration_id)
        if view is None:
            return None
        await wait_for_leave(self._services, view.id)
        return await look_at_bot(self._services, view)

    def subjects(self, event: Event, facts: BotFacts | None) -> Sequence[CustomerKey]:  # noqa: ARG002  port
        return []

    def apply(self, event: Event, facts: BotFacts | None, work: Work) -> str | None:  # noqa: ARG002  port
        if facts is None or not keep_findings(facts, work.now, self._resume):
            return EventOutcome.IGNORED.value
        return None


async def wait_for_leave(services: Services, integration_id: int) -> None:
    """Put it off if Telegram has asked the bot to be silent for a while."""
    until = await services.db.read(lambda: _paused_until(integration_id))
    if until is not None and (left := (until - services.clock()).total_seconds()) > 0:
        raise RetryLater("too_many_requests", retry_after=left)


def _paused_until(integration_id: int) -> datetime | None:
    rows = Integration.objects.filter(id=integration_id)
    return rows.values_list("paused_until", flat=True).first()
