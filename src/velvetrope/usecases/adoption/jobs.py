"""The durable jobs of adoption: asking Telegram in a measured way, then one person at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from velvetrope.pipeline import jobs

if TYPE_CHECKING:
    from datetime import datetime

    from velvetrope.pipeline.work import Work

#: Looks where some people of a list are.
LOOK: Final = "adoption_look"
#: Has some people of a confirmed list adopted.
ORDER: Final = "adoption_order"
#: Adopts one person, in their own lane.
ADOPT: Final = "adopt"
#: Tells one person in the morning that they were adopted at night.
TELL: Final = "adoption_tell"
#: Asks how many members the chats of an integration have.
COUNT: Final = "count_members"


class ListJob(msgspec.Struct, frozen=True):
    """Names a list of people; runs in the list's lane."""

    adoption_id: int
    integration_id: int


class AdoptJob(msgspec.Struct, frozen=True):
    """Names one line of a list; runs in the person's lane."""

    row_id: int
    integration_id: int
    telegram_user_id: int


class TellJob(msgspec.Struct, frozen=True):
    """Names what a person is to be told of; runs in the person's lane."""

    integration_id: int
    telegram_user_id: int
    entitlement_id: int


def lane_of(adoption_id: int) -> str:
    return f"job:adoption:{adoption_id}"


def request(kind: str, order: ListJob, cause: object) -> None:
    """Have a list taken up, within the caller's transaction; the same `cause` asks once."""
    jobs.enqueue(
        kind,
        order,
        account=order.integration_id,
        lane=lane_of(order.adoption_id),
        external_id=f"{kind}:{order.adoption_id}:{cause}",
    )


def defer_next(work: Work, kind: str, order: ListJob, cause: object, at: datetime) -> None:
    """Go on with a list after the commit, not before `at`."""
    work.defer(
        kind,
        order,
        lane=lane_of(order.adoption_id),
        account=order.integration_id,
        external_id=f"{kind}:{order.adoption_id}:{cause}",
        at=at,
    )
