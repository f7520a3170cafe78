"""The jobs that bring an integration to work, and keep its copy of Stripe's prices fresh."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from velvetrope.domain.errors import NeedsOperator, Permanent
from velvetrope.domain.states import EventOutcome, Interval
from velvetrope.pipeline import jobs
from velvetrope.store.models import Plan, StripeAccount
from velvetrope.usecases.alert_levels import restate, sync_account_alerts, sync_alerts
from velvetrope.usecases.onboarding.checking import refused, set_up, wait_for_leave
from velvetrope.usecases.onboarding.examining import (
    PriceFinding,
    Problem,
    examine_bot,
    examine_price,
    examine_prices,
)
from velvetrope.usecases.onboarding.jobs import IntegrationJob
from velvetrope.usecases.onboarding.keeping import BotFacts, keep_findings
from velvetrope.usecases.reviving import OF_KEYS, revive_of_account

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from velvetrope.gateways.stripe.snapshots import PriceSnapshot
    from velvetrope.pipeline.work import CustomerKey, Event, Work
    from velvetrope.usecases.onboarding.keeping import Resume
    from velvetrope.usecases.services import Services


@dataclass(frozen=True, slots=True)
class RegistrationFacts:
    """What was found of the bot, and of what it sells."""

    bot: BotFacts
    #: What is wrong with the Stripe account's key.
    account: Problem | None


class RegisterHandler:
    """Verifies an integration and registers its webhook; what is wrong is kept with the fix."""

    def __init__(self, services: Services, resume: Resume) -> None:
        self._services = services
        self._resume = resume

    async def prepare(self, event: Event) -> RegistrationFacts | None:
        job = jobs.decode(event.payload, IntegrationJob)
        services = self._services
        view = await services.view(job.integration_id)
        if view is None:
            return None
        await wait_for_leave(services, view.id)
        asked_at = services.clock()
        bot = services.bot(view.token)
        chats = [chat.telegram_id for chat in view.chats]
        found = await examine_bot(bot, chats, bot_id=view.bot_id)
        webhook_set = False
        if found.bot is not None and view.active:
            try:
                await set_up(services, bot, view)
                webhook_set = True
            except (Permanent, NeedsOperator) as error:
                found = replace(found, general=(*found.general, refused(error)))
        # Last, since people can talk with the bot while Stripe is away.
        account = None
        try:
            stripe = await services.stripe.gateway(view.stripe_account_id)
            found = await examine_prices(found, stripe, [plan.price_id for plan in view.plans])
        except NeedsOperator as error:
            account = Problem(error.code, {})
        facts = BotFacts(
            integration_id=view.id,
            asked_at=asked_at,
            found=found,
            is_heard=webhook_set,
            active=view.active,
        )
        return RegistrationFacts(facts, account)

    def subjects(self, event: Event, facts: RegistrationFacts | None) -> Sequence[CustomerKey]:  # noqa: ARG002  port
        return []

    def apply(self, event: Event, facts: RegistrationFacts | None, work: Work) -> str | None:  # noqa: ARG002  port
        if facts is None:
            return EventOutcome.IGNORED.value
        integration_id = facts.bot.integration_id
        for price in facts.bot.found.prices:
            write_price(integration_id, price, work)
        keep_key_problem(integration_id, facts.account, work.now)
        keep_findings(facts.bot, work.now, self._resume)
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
        state_prices(integration_id, work.now)
        return None


def state_prices(integration_id: int, now: datetime) -> None:
    """Have the integration and its alerts say what is wrong with its plans by now."""
    restate(integration_id)
    sync_alerts(integration_id, now)


def keep_key_problem(integration_id: int, problem: Problem | None, now: datetime) -> None:
    """Keep what is wrong with the key of the account that an integration sells from, if anything.

    That the account is another one than before is not for this look to tell.
    """
    account = StripeAccount.objects.get(integration__id=integration_id)
    known = (account.problem or {}).get("code", "")
    if problem is None and known not in OF_KEYS:
        return
    account.problem = None if problem is None else problem.as_json()
    account.save(update_fields=["problem"])
    sync_account_alerts(account.id, now)
    if problem is None:
        revive_of_account(account.id, known)


def write_price(integration_id: int, found: PriceFinding, work: Work) -> None:
    """Keep what Stripe says of a price; an archived one isn't sold any more."""
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
