"""The jobs of a run: Stripe's lists page by page, and people in chats a few at a time.

All that a run leaves to be done carries its name, so that it can be waited for and told of.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec

from velvetrope.pipeline import jobs

#: Kinds of the jobs, as in the routing table.
LIST_PAGE: Final = "reconcile_list"
LOOK_AROUND: Final = "reconcile_look"
#: What the record calls the ends of both, by an account and by an integration.
LISTED: Final = "reconciled.stripe"
LOOKED: Final = "reconciled.chats"

Counts = dict[str, int]


class Edge(msgspec.Struct, frozen=True):
    """Where a page of subscriptions ended: the second, and the names that were made in it."""

    at: datetime
    names: tuple[str, ...]


class ListOrder(msgspec.Struct, frozen=True, kw_only=True):
    """One page of one of an account's lists, held against what is here."""

    stripe_account_id: int
    #: The integration whose jobs these are.
    host: int
    #: Names the run.
    run: str
    started_at: datetime
    stage: str
    after: str | None = None
    edge: Edge | None = None
    #: Whether all that is unknown here is brought in, and nobody told: nothing was here before.
    is_rebuild: bool = False
    #: Who ordered it; empty for the product itself.
    actor: str = ""
    counts: Counts = {}
    page: int = 0

    @property
    def external_id(self) -> str:
        return f"{self.run}:list:{self.stripe_account_id}:{self.page}"

    @property
    def lane(self) -> str:
        return f"job:list:{self.stripe_account_id}"


class LookOrder(msgspec.Struct, frozen=True, kw_only=True):
    """The next people of an integration who should be in or out, longest not looked at first."""

    integration_id: int
    run: str
    started_at: datetime
    #: Only those who wait at a door or are to leave.
    only_open: bool = False
    is_rebuild: bool = False
    actor: str = ""
    counts: Counts = {}
    step: int = 0

    @property
    def external_id(self) -> str:
        return f"{self.run}:look:{self.integration_id}:{self.step}"

    @property
    def lane(self) -> str:
        return lane_of_looks(self.integration_id)


def lane_of_looks(integration_id: int) -> str:
    return f"job:look:{integration_id}"


def request_list(order: ListOrder) -> bool:
    """Store the job within the caller's transaction; False if it was asked for before."""
    return jobs.enqueue(
        LIST_PAGE, order, account=order.host, lane=order.lane, external_id=order.external_id
    )


def request_look(order: LookOrder) -> bool:
    """Store the job within the caller's transaction; False if it was asked for before."""
    return jobs.enqueue(
        LOOK_AROUND,
        order,
        account=order.integration_id,
        lane=order.lane,
        external_id=order.external_id,
    )


def added(counts: Counts, **more: int) -> Counts:
    """Give the figures with these added."""
    return {name: counts.get(name, 0) + more.get(name, 0) for name in {**counts, **more}}
