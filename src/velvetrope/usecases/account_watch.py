"""Every Stripe account is looked at every few minutes: does its key work, and is it the same one.

A key of another account makes Stripe say «not found» of everything. Nobody is removed for that.
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

import structlog

from velvetrope.domain.errors import NeedsOperator, VelvetError
from velvetrope.domain.states import GIVEN
from velvetrope.store.models import Entitlement, StripeAccount
from velvetrope.usecases.alert_levels import OF_ACCOUNTS, sync_account_alerts
from velvetrope.usecases.reviving import revive_of_account

if TYPE_CHECKING:
    from datetime import datetime

    from velvetrope.usecases.services import Services

log = structlog.get_logger()

EVERY: Final = timedelta(minutes=5)
DIFFERS: Final = "stripe_account_differs"


async def watch_accounts(services: Services) -> None:
    """Look at all accounts that somebody sells from; what can't be reached is left as it was."""
    accounts = await services.db.read(_used)
    for account_id in accounts:
        try:
            gateway = await services.stripe.gateway(account_id)
            seen, problem = (await gateway.fetch_account()).id, ""
        except NeedsOperator as error:
            seen, problem = "", error.code
        except VelvetError as error:
            log.warning("account_not_looked_at", account=account_id, code=error.code)
            continue
        now = services.clock()
        await services.db.write(partial(keep_account, account_id, seen, problem, now))


def keep_account(account_id: int, seen: str, problem: str, now: datetime) -> None:
    """Keep what was found of an account, and let its alerts follow, in the caller's transaction.

    `seen` is the account's id at Stripe, `problem` the code of what keeps it from being seen.
    """
    account = StripeAccount.objects.filter(id=account_id).first()
    if account is None:
        return
    before = str((account.problem or {}).get("code", ""))
    found = {"code": problem, "data": {}} if problem else _compare(account, seen)
    if account.problem != found and (found or _is_ours(account.problem)):
        account.problem = found
        account.save(update_fields=["problem", "stripe_id"])
    elif account.stripe_id == seen:
        account.save(update_fields=["stripe_id"])
    sync_account_alerts(account_id, now)
    if not problem:
        revive_of_account(account_id, before)


def _compare(account: StripeAccount, seen: str) -> dict[str, object] | None:
    """Tell another account from the known one; while nothing rests on that, the new one is it."""
    if account.stripe_id == seen:
        return None
    if account.stripe_id is not None and _rests_on(account):
        return {"code": DIFFERS, "data": {"known": account.stripe_id, "seen": seen}}
    if not StripeAccount.objects.filter(stripe_id=seen).exclude(id=account.id).exists():
        account.stripe_id = seen
    return None


def _rests_on(account: StripeAccount) -> bool:
    """Tell whether somebody holds what was bought at the account."""
    rights = Entitlement.objects.filter(
        holds=True, customer__integration__stripe_account_id=account.id
    )
    return rights.exclude(kind__in=GIVEN).exists()


def _is_ours(problem: dict[str, object] | None) -> bool:
    return (problem or {}).get("code") in OF_ACCOUNTS


def _used() -> list[int]:
    rows = StripeAccount.objects.filter(integration__active=True).distinct()
    return list(rows.order_by("id").values_list("id", flat=True))
