"""The jobs that bring an integration to work, and keep its copy of Stripe's prices fresh."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from velvetrope.domain.errors import NeedsOperator, Permanent, RetryLater
from velvetrope.domain.states import EventOutcome, Interval, Registration
from velvetrope.domain.validation import LANGUAGES
from velvetrope.pipeline import jobs
from velvetrope.store.models import Chat, Integration, OutboxItem, Plan
from velvetrope.store.revisions import touch
from velvetrope.usecases.onboarding.examining import (
    Examination,
    PriceFinding,
    Problem,
    examine_bot,
    examine_price,
    examine_prices,
    with_problem,
)
from velvetrope.usecases.onboarding.jobs import IntegrationJob
from velvetrope.usecases.wording import bot_profile
from velvetrope.usecases.wording.words import Words

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from velvetrope.gateways.stripe.snapshots import PriceSnapshot
    from velvetrope.gateways.telegram.bot import BotApi
    from velvetrope.pipeline.work import CustomerKey, Event, Work
    from velvetrope.store.catalogue import IntegrationView
    from velvetrope.usecases.services import Services


class Resume(Protocol):
    """Lets calls of an integration out again that waited for an operator's fix."""

    def __call__(self, integration_id: int, *, but_for: Collection[int]) -> object:
        """`but_for` names chats that are not mended yet."""


@dataclass(frozen=True, slots=True)
class RegistrationFacts:
    """What was found and whether Telegram took the webhook; None if there is no integration."""

    integration_id: int
    found: Examination
    webhook_set: bool
    #: What is switched off is only looked at: its webhook stays as it was.
    active: bool


class RegisterHandler:
    """Verifies an integration and registers its webhook; what is wrong is kept with the fix."""

    def __init__(self, services: Services, resume: Resume) -> None:
        self._services = services
        self._resume = resume

    async def prepare(self, event: Event) -> RegistrationFacts | None:
        job = jobs.decode(event.payload, IntegrationJob)
        view = await self._services.view(job.integration_id)
        if view is None:
            return None
        await self._wait_for_leave(view.id)
        bot = self._services.bot(view.token)
        found = await examine_bot(bot, [chat.telegram_id for chat in view.chats])
        webhook_set = False
        if found.bot is not None and view.active:
            try:
                await self._set_up(bot, view)
                webhook_set = True
            except (Permanent, NeedsOperator) as error:
                refused = Problem("webhook_refused", {"reason": str(error)})
                found = replace(found, general=(*found.general, refused))
        # Last, since people can talk with the bot while Stripe is away.
        try:
            stripe = await self._services.stripe.gateway(view.stripe_account_id)
        except NeedsOperator as error:
            found = with_problem(found, error)
        else:
            found = await examine_prices(found, stripe, [plan.price_id for plan in view.plans])
        return RegistrationFacts(view.id, found, webhook_set=webhook_set, active=view.active)

    async def _wait_for_leave(self, integration_id: int) -> None:
        """Put it off if Telegram has asked the bot to be silent for a while."""
        until = await self._services.db.read(lambda: _paused_until(integration_id))
        if until is not None and (left := (until - self._services.clock()).total_seconds()) > 0:
            raise RetryLater("too_many_requests", retry_after=left)

    async def _set_up(self, bot: BotApi, view: IntegrationView) -> None:
        """Point the webhook here, then give the bot its menu and descriptions."""
        secret = await self._services.db.read(lambda: _webhook_secret(view.id))
        await bot.set_webhook(self._services.telegram_webhook_url, secret_token=secret)
        now = self._services.clock()
        for code in (None, *LANGUAGES):
            words = Words(view, code or view.language, now)
            short = bot_profile.short_description(words)
            await bot.set_my_commands(bot_profile.commands(words), language_code=code)
            await bot.set_my_description(bot_profile.description(words), language_code=code)
            await bot.set_my_short_description(short, language_code=code)

    def subjects(self, event: Event, facts: RegistrationFacts | None) -> Sequence[CustomerKey]:  # noqa: ARG002  port
        return []

    def apply(self, event: Event, facts: RegistrationFacts | None, work: Work) -> str | None:  # noqa: ARG002  port
        if facts is None:
            return EventOutcome.IGNORED.value
        found = facts.found
        changed: dict[str, object] = {
            "problems": [problem.as_json() for problem in found.problems],
            "verified_at": work.now,
        }
        if facts.active or found.bot is None:
            registration = Registration.REGISTERED if facts.webhook_set else Registration.FAILED
            changed["registration"] = registration.value
        if found.bot is not None:
            changed["bot_username"] = found.bot.username
        Integration.objects.filter(id=facts.integration_id).update(**changed)
        for chat in found.chats:
            rows = Chat.objects.filter(integration_id=facts.integration_id)
            if chat.moved_to is not None and rows.filter(telegram_id=chat.moved_to).exists():
                continue  # the operator has given the new id as well
            rows.filter(telegram_id=chat.telegram_id).update(
                telegram_id=chat.moved_to or chat.telegram_id,
                kind=chat.kind.value,
                problem=None if chat.problem is None else chat.problem.as_json(),
                verified_at=work.now,
                **({"title": chat.title} if chat.title else {}),
            )
            if chat.moved_to is not None:
                OutboxItem.objects.filter(
                    integration_id=facts.integration_id, chat_id=chat.telegram_id
                ).update(chat_id=chat.moved_to)
        for price in found.prices:
            write_price(facts.integration_id, price, work)
        touch([facts.integration_id])
        if facts.webhook_set:
            broken = [
                chat.moved_to or chat.telegram_id
                for chat in found.chats
                if chat.problem is not None
            ]
            self._resume(facts.integration_id, but_for=broken)
        return None


class SyncPlansHandler:
    """Copies what Stripe says of an integration's prices."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def prepare(self, event: Event) -> tuple[int, list[PriceFinding]]:
        job = jobs.decode(event.payload, IntegrationJob)
        view = await self._services.view(job.integration_id)
        if view is None:
            return job.integration_id, []
        gateway = await self._services.stripe.gateway(view.stripe_account_id)
        found = [await examine_price(gateway, plan.price_id) for plan in view.plans]
        return view.id, found

    def subjects(
        self,
        event: Event,  # noqa: ARG002  port
        facts: tuple[int, list[PriceFinding]],  # noqa: ARG002  port
    ) -> Sequence[CustomerKey]:
        return []

    def apply(self, event: Event, facts: tuple[int, list[PriceFinding]], work: Work) -> str | None:  # noqa: ARG002  port
        integration_id, found = facts
        for price in found:
            write_price(integration_id, price, work)
        return None


def write_price(integration_id: int, found: PriceFinding, work: Work) -> None:
    """Keep what Stripe says of a price; an archived one isn't sold any more and raises an alert."""
    plan = Plan.objects.filter(
        integration_id=integration_id, stripe_price_id=found.price_id
    ).first()
    if plan is None:
        return
    was_sellable = plan.sellable
    if found.snapshot is not None:
        _copy(plan, found.snapshot)
    plan.sellable = found.problem is None
    plan.problem = None if found.problem is None else found.problem.as_json()
    plan.synced_at = work.now
    plan.save()
    if was_sellable and not plan.sellable:
        work.audit(
            "plan_not_sellable",
            subject="plan",
            subject_id=plan.id,
            integration_id=integration_id,
            before={"sellable": True},
            after={"sellable": False, "problem": plan.problem},
        )


def _copy(plan: Plan, seen: PriceSnapshot) -> None:
    known = set(Interval)
    plan.product_id = seen.product_id
    plan.product_name = seen.product_name
    plan.currency = seen.currency
    plan.unit_amount = seen.unit_amount
    plan.interval = (
        Interval(seen.interval).value if seen.interval in known else Interval.ONE_TIME.value
    )
    plan.interval_count = seen.interval_count or 1


def _paused_until(integration_id: int) -> datetime | None:
    rows = Integration.objects.filter(id=integration_id)
    return rows.values_list("paused_until", flat=True).first()


def _webhook_secret(integration_id: int) -> str:
    secret = Integration.objects.only("webhook_secret").get(id=integration_id).webhook_secret
    if secret is None:  # the column is not nullable
        raise NeedsOperator("webhook_secret_missing")
    return secret.reveal()
