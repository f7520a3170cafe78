"""Work that failed for want of an operator's fix is tried again once that is there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import structlog

from velvetrope.domain.states import EventState, Source
from velvetrope.pipeline import jobs
from velvetrope.store.models import InboxEvent, Integration

if TYPE_CHECKING:
    from django.db.models import QuerySet

log = structlog.get_logger()

#: What a working key of a Stripe account mends.
OF_KEYS: Final = frozenset(
    {"stripe_key_invalid", "stripe_key_missing", "stripe_permission", "stripe_wrong_mode"}
)
#: Of these, what can't be said of a key that works, whatever is asked for.
OF_WHOLE_KEYS: Final = frozenset({"stripe_key_invalid", "stripe_key_missing"})
#: What a working token mends.
OF_TOKENS: Final = frozenset({"bot_unauthorized", "bot_not_found"})


def revive_of_account(account_id: int, mended: str = "") -> int:
    """Try again what failed for the key of an account, within the caller's transaction.

    `mended` is what was wrong with the key until now, if anything: a key may lack the permission
    for one thing and work for others, so that is tried again once and not at every look.
    """
    codes = OF_WHOLE_KEYS | ({mended} & OF_KEYS)
    integrations = Integration.objects.filter(stripe_account_id=account_id).values("id")
    dead = InboxEvent.objects.filter(state=EventState.DEAD, error_code__in=codes)
    of_stripe = dead.filter(source=Source.STRIPE, account=account_id)
    return _revive(of_stripe | dead.exclude(source=Source.STRIPE).filter(account__in=integrations))


def revive_of_bot(integration_id: int) -> int:
    """Try again what failed for the token of a bot, within the caller's transaction."""
    dead = InboxEvent.objects.filter(state=EventState.DEAD, error_code__in=OF_TOKENS)
    return _revive(dead.exclude(source=Source.STRIPE).filter(account=integration_id))


def _revive(rows: QuerySet[InboxEvent]) -> int:
    ids = list(rows.values_list("id", flat=True))
    if not ids:
        return 0
    InboxEvent.objects.filter(id__in=ids).update(
        state=EventState.PENDING, attempts=0, due_at=None, finished_at=None
    )
    log.info("events_revived", count=len(ids))
    jobs.wake()
    return len(ids)
