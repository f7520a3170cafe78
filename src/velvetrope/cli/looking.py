"""A bot, its chats and its prices, looked at over the network; changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from velvetrope.cli.vendor_words import explain_here
from velvetrope.domain.errors import VelvetError
from velvetrope.domain.secrecy import scrub
from velvetrope.usecases.onboarding import examine

if TYPE_CHECKING:
    from collections.abc import Sequence

    from velvetrope.bootstrap import Application
    from velvetrope.cli.output import Record
    from velvetrope.gateways.telegram.bot import BotApi
    from velvetrope.settings import Settings
    from velvetrope.store.catalogue import IntegrationView
    from velvetrope.usecases.onboarding import Problem


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    subject: str
    level: Literal["ok", "warning", "error"]
    what: str
    fix: str = ""

    @property
    def record(self) -> Record:
        return {"subject": self.subject, "level": self.level, "what": self.what, "fix": self.fix}


def of_problem(subject: str, problem: Problem, settings: Settings) -> Finding:
    """Put a problem of an examination into words."""
    return _in_words(subject, problem.as_json(), settings)


def of_error(subject: str, error: VelvetError, settings: Settings) -> Finding:
    """Put a vendor's failure into words."""
    return _in_words(subject, {"code": error.code, "data": dict(error.data)}, settings)


def _in_words(subject: str, problem: object, settings: Settings) -> Finding:
    said = explain_here(problem, settings)
    details = f" ({scrub(said.details)})" if said.details else ""
    return Finding(subject, "error", f"{scrub(said.what)}{details}", said.fix)


async def look_at(application: Application, view: IntegrationView) -> Sequence[Finding]:
    """Look at all of an integration, and whether its updates come here."""
    subject = f"bot {view.name}"
    bot = application.bot(view.token)
    try:
        gateway = await application.stripe.gateway(view.stripe_account_id)
        chats = [chat.telegram_id for chat in view.chats]
        found = await examine(bot, gateway, chats, [plan.price_id for plan in view.plans])
    except VelvetError as error:
        return [of_error(subject, error, application.settings)]
    findings = [of_problem(subject, problem, application.settings) for problem in found.problems]
    if found.bot is not None:
        findings += await _webhook(subject, bot, application, active=view.active)
    if not findings:
        sold = f"chats: {len(view.chats)}, plans: {len(view.plans)}"
        findings = [Finding(subject, "ok", f"The bot, its rights and prices are well ({sold}).")]
    return findings


async def _webhook(
    subject: str, bot: BotApi, application: Application, *, active: bool
) -> list[Finding]:
    settings = application.settings
    try:
        info = await bot.get_webhook_info()
    except VelvetError as error:
        return [of_error(subject, error, settings)]
    found: list[Finding] = []
    if info.url != application.services.telegram_webhook_url and active:
        code = "webhook_elsewhere" if info.url else "webhook_missing"
        found.append(_in_words(subject, {"code": code, "data": {"url": info.url}}, settings))
    if info.last_error_message and info.pending_update_count:
        data = {"message": info.last_error_message}
        found.append(_in_words(subject, {"code": "webhook_failing", "data": data}, settings))
    return found
