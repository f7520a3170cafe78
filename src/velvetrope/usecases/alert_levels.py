"""Alerts that follow from what is stored as wrong: they open and close by comparing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from velvetrope.store.models import Chat, Integration, Plan, StripeAccount
from velvetrope.usecases.alerts import Trouble, match_alerts

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

#: Of a bot as a whole.
OF_BOTS: Final = frozenset(
    {
        "bot_unauthorized",
        "bot_not_found",
        "token_of_another_bot",
        "conflict",
        "webhook_elsewhere",
        "webhook_missing",
        "webhook_failing",
        "webhook_refused",
        "webhook_secret_missing",
        "updates_pending",
    }
)
#: Of one chat.
OF_CHATS: Final = frozenset(
    {"bot_not_in_chat", "missing_rights", "chat_not_channel", "chat_migrated"}
)
#: Of one plan.
OF_PLANS: Final = frozenset(
    {"price_archived", "product_archived", "price_not_found", "price_unsupported"}
)
#: Of a Stripe account, for all who sell from it.
OF_ACCOUNTS: Final = frozenset(
    {
        "stripe_key_invalid",
        "stripe_key_missing",
        "stripe_permission",
        "stripe_wrong_mode",
        "stripe_account_differs",
    }
)
#: What the codes of others are told as.
OTHER: Final = "unexpected"
_OF_INTEGRATIONS: Final = OF_BOTS | OF_CHATS | OF_PLANS | {OTHER}


def sync_alerts(integration_id: int, now: datetime) -> None:
    """Make an integration's alerts be what its rows say, within the caller's transaction.

    One that is switched off has none: nobody has to mend it.
    """
    row = Integration.objects.filter(id=integration_id).only("active", "problems").first()
    if row is None:
        return
    troubles = _troubles(row) if row.active else []
    match_alerts(_OF_INTEGRATIONS, troubles, now, integration_id=integration_id)


def sync_account_alerts(account_id: int, now: datetime) -> None:
    """Make a Stripe account's alerts be what its row says, within the caller's transaction."""
    problem = StripeAccount.objects.filter(id=account_id).values_list("problem", flat=True).first()
    troubles = [_trouble(problem, OF_ACCOUNTS, "")] if problem else []
    match_alerts(OF_ACCOUNTS | {OTHER}, troubles, now, stripe_account_id=account_id, within="")


def restate(integration_id: int, of_bot: list[dict[str, object]] | None = None) -> None:
    """Put together in the integration's row what is wrong with it, its chats, plans and account.

    `of_bot` is what is wrong with the bot itself; None keeps what is stored of that.
    """
    row = (
        Integration.objects.filter(id=integration_id)
        .select_related("stripe_account")
        .only("problems", "stripe_account__problem")
        .first()
    )
    if row is None:
        return
    if of_bot is None:
        of_bot = [one for one in row.problems if one.get("code") in OF_BOTS]
    chats = Chat.objects.filter(integration_id=integration_id, problem__isnull=False)
    plans = Plan.objects.filter(integration_id=integration_id, problem__isnull=False)
    problems = [
        *of_bot,
        *chats.order_by("id").values_list("problem", flat=True),
        *plans.order_by("position", "id").values_list("problem", flat=True),
        *([row.stripe_account.problem] if row.stripe_account.problem else []),
    ]
    if problems != row.problems:
        Integration.objects.filter(id=integration_id).update(problems=problems)


def _troubles(row: Integration) -> list[Trouble]:
    found = [_trouble(one, OF_BOTS, "") for one in row.problems if one.get("code") in OF_BOTS]
    chats = Chat.objects.filter(integration=row, problem__isnull=False)
    found += [
        _trouble(problem, OF_CHATS, f"chat:{key}")
        for key, problem in chats.values_list("id", "problem")
    ]
    plans = Plan.objects.filter(integration=row, problem__isnull=False, on_sale=True)
    found += [
        _trouble(problem, OF_PLANS, f"plan:{key}")
        for key, problem in plans.values_list("id", "problem")
    ]
    return found


def _trouble(problem: Mapping[str, object] | None, known: frozenset[str], subject: str) -> Trouble:
    problem = problem or {}
    code, data = str(problem.get("code", "")), problem.get("data")
    values = dict(data) if isinstance(data, dict) else {}
    if code in known:
        return Trouble(code, subject, values)
    return Trouble(OTHER, subject, {**values, "problem": code})
