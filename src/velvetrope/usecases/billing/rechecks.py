"""Having what a customer's rights rest on looked at again, in the customer's own line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from velvetrope.pipeline import jobs

if TYPE_CHECKING:
    from velvetrope.pipeline.work import Work
    from velvetrope.usecases.lanes import Whom

RECHECK: Final = "recheck"


class RecheckOrder(msgspec.Struct, frozen=True, kw_only=True):
    integration_id: int
    telegram_user_id: int


def request_recheck(whom: Whom, cause: object) -> bool:
    """Store the job within the caller's transaction; False if the same `cause` asked before."""
    return jobs.enqueue(
        RECHECK,
        _order(whom),
        account=whom.integration_id,
        lane=whom.lane,
        external_id=f"{RECHECK}:{whom.telegram_user_id}:{cause}",
    )


def defer_recheck(work: Work, whom: Whom, *, external_id: str) -> None:
    """Leave the job to the commit; the same `external_id` counts once."""
    work.defer(
        RECHECK,
        _order(whom),
        account=whom.integration_id,
        lane=whom.lane,
        external_id=external_id,
    )


def _order(whom: Whom) -> RecheckOrder:
    return RecheckOrder(integration_id=whom.integration_id, telegram_user_id=whom.telegram_user_id)
