"""Having everybody's rights judged anew after an operator changed what they follow from."""

from __future__ import annotations

from typing import Final

import msgspec

from velvetrope.pipeline import jobs
from velvetrope.store.ids import new_id

#: The kind of the job, as in the routing table.
REVIEW: Final = "review"


class ReviewOrder(msgspec.Struct, frozen=True, kw_only=True):
    """The customers of an integration from this one on, a batch at a time."""

    integration_id: int
    #: Names the change that is the reason, in the ids of all that follows.
    cause: int
    #: The last customer who has been looked at.
    after: int = 0


def lane_of_reviews(integration_id: int) -> str:
    return f"job:review:{integration_id}"


def external_id_of(order: ReviewOrder) -> str:
    return f"{REVIEW}:{order.cause}:{order.after}"


def request_review(integration_id: int) -> str:
    """Have the integration's customers judged anew, within the caller's transaction.

    Gives the external id of the job that begins with it.
    """
    order = ReviewOrder(integration_id=integration_id, cause=new_id())
    external_id = external_id_of(order)
    jobs.enqueue(
        REVIEW,
        order,
        account=integration_id,
        lane=lane_of_reviews(integration_id),
        external_id=external_id,
    )
    return external_id
