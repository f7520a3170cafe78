"""An alert for each integration and Stripe account of which something failed for good."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from django.db import transaction

from velvetrope.domain.states import Source
from velvetrope.store.models import Alert, Integration, StripeAccount
from velvetrope.store.unfinished import dead_events, dead_items
from velvetrope.usecases.alerts import Trouble, match_alerts

if TYPE_CHECKING:
    from datetime import datetime

DEAD_LETTERS: Final = "dead_letters"


def sweep_dead_letters(now: datetime) -> int:
    """Make these alerts be what the rows say; gives how many are open then."""
    with transaction.atomic():
        bots, accounts = _counted()
        told = Alert.objects.filter(code=DEAD_LETTERS, closed_at=None)
        of_bots = told.filter(integration__isnull=False).values_list("integration_id", flat=True)
        of_accounts = told.filter(stripe_account__isnull=False)
        for key in {*bots, *of_bots}:
            match_alerts([DEAD_LETTERS], _troubles(bots[key]), now, integration_id=key)
        for key in {*accounts, *of_accounts.values_list("stripe_account_id", flat=True)}:
            match_alerts([DEAD_LETTERS], _troubles(accounts[key]), now, stripe_account_id=key)
    return len(bots) + len(accounts)


def _troubles(number: int) -> list[Trouble]:
    return [Trouble(DEAD_LETTERS, data={"number": number})] if number else []


def _counted() -> tuple[Counter[int], Counter[int]]:
    """Count dead letters by integration and by Stripe account, of those that still are there."""
    bots: Counter[int] = Counter()
    accounts: Counter[int] = Counter()
    # Counted here: to group them, SQLite would go through all there ever were.
    for source, key in dead_events().values_list("source", "account"):
        (accounts if source == Source.STRIPE else bots)[key] += 1
    bots.update(dead_items().values_list("integration_id", flat=True))
    known = set(Integration.objects.filter(id__in=bots).values_list("id", flat=True))
    selling = set(StripeAccount.objects.filter(id__in=accounts).values_list("id", flat=True))
    return (
        Counter({key: bots[key] for key in known}),
        Counter({key: accounts[key] for key in selling}),
    )
