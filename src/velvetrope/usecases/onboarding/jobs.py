"""The durable jobs of onboarding, as they are asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from velvetrope.pipeline import jobs
from velvetrope.store.ids import new_id

if TYPE_CHECKING:
    from velvetrope.pipeline.work import Work

#: Verifies the bot, its rights and its prices, and points its webhook here.
REGISTER = "register"
#: Looks whether the bot, its chats and its webhook are as they should be; mends what it can.
CHECK = "check"
#: What the lane of an integration's jobs begins with; its id follows.
LANE = "job:integration:"
#: Copies what Stripe says of an integration's prices.
SYNC_PLANS = "sync_plans"


class IntegrationJob(msgspec.Struct, frozen=True):
    integration_id: int


def request_registration(integration_id: int, *, cause: str = "") -> str:
    """Have the integration verified and registered, within the caller's transaction.

    Gives the job's external id, by which its outcome can be looked up. The same `cause` asks once.
    """
    return _request(REGISTER, integration_id, cause)


def request_plan_sync(integration_id: int, *, cause: str = "") -> str:
    """Have the integration's plans copied from Stripe again, within the caller's transaction.

    Gives the job's external id. The same `cause` asks once.
    """
    return _request(SYNC_PLANS, integration_id, cause)


def request_check(integration_id: int, *, cause: str) -> str:
    """Have the bot and its chats looked at, within the caller's transaction; once for a cause."""
    return _request(CHECK, integration_id, cause)


def defer_check(work: Work, integration_id: int, *, cause: str) -> None:
    """Have the bot and its chats looked at because of what a handler saw; once for a cause."""
    work.defer(
        CHECK,
        IntegrationJob(integration_id),
        lane=lane_of(integration_id),
        account=integration_id,
        external_id=external_id_of(CHECK, cause),
    )


def external_id_of(kind: str, cause: str) -> str:
    """Give the external id of the job that was asked for by a cause."""
    return f"{kind}:{cause}"


def _request(kind: str, integration_id: int, cause: str = "") -> str:
    external_id = external_id_of(kind, cause or str(new_id()))
    jobs.enqueue(
        kind,
        IntegrationJob(integration_id),
        account=integration_id,
        lane=lane_of(integration_id),
        external_id=external_id,
    )
    return external_id


def lane_of(integration_id: int) -> str:
    """Give the lane in which the jobs of one integration follow each other."""
    return f"{LANE}{integration_id}"
