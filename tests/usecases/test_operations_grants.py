"""Access by hand takes the way of everything else: a job, the lane, the rules, the door."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from django.db import connection

from tests.pipeline.works import Works, until
from tests.web.console.rows import World, make_customer, make_integration, make_plan, make_world
from velvetrope.domain.states import EventState, Source
from velvetrope.store.models import Access, AuditEntry, Entitlement, InboxEvent
from velvetrope.usecases import operations
from velvetrope.usecases.granting import GrantHandler, RevokeHandler
from velvetrope.usecases.orders import GRANT, REVOKE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from velvetrope.usecases.observing import Seen

pytestmark = pytest.mark.both_databases

ACTOR = "operator:anna"


async def nowhere(_: object) -> tuple[Seen, ...]:
    return ()


HANDLERS = {
    (Source.JOB.value, GRANT): GrantHandler(nowhere),
    (Source.JOB.value, REVOKE): RevokeHandler(),
}


@pytest.fixture
def world(database: str) -> Iterator[World]:  # noqa: ARG001  must exist first
    yield make_world()
    connection.close()


def test_a_grant_is_a_job_in_the_customers_lane(world: World) -> None:
    number = operations.grant(world.customer.pk, world.plan.pk, None, " friend ", ACTOR)
    job = InboxEvent.objects.get(kind=GRANT)
    assert job.lane == f"tg:{world.integration.pk}:42"
    assert job.external_id == f"grant:{number}"
    assert job.state == EventState.PENDING
    assert not Entitlement.objects.filter(kind="grant").exists()
    entry = AuditEntry.objects.get(action="grant.ordered")
    assert entry.after is not None
    assert entry.after["note"] == "friend"


def test_a_grant_that_makes_no_sense_is_refused(world: World) -> None:
    other = make_integration(world.account, 2)
    foreign = make_plan(other, world.chat, 9)
    past = datetime.now(UTC) - timedelta(days=1)
    with pytest.raises(operations.GrantRefusedError, match="another bot"):
        operations.grant(world.customer.pk, foreign.pk, None, "", ACTOR)
    with pytest.raises(operations.GrantRefusedError, match="past"):
        operations.grant(world.customer.pk, world.plan.pk, past, "", ACTOR)
    with pytest.raises(operations.GrantRefusedError, match="Stripe"):
        operations.revoke(world.entitlement.pk, "", ACTOR)
    assert not InboxEvent.objects.filter(source="job").exists()
    assert not AuditEntry.objects.exists()


async def test_a_grant_opens_the_door_and_its_end_closes_it(world: World) -> None:
    guest = await asyncio.to_thread(make_customer, world.integration, 77)
    works = Works(world.integration)
    try:
        await works.start(HANDLERS)
        await asyncio.to_thread(operations.grant, guest.pk, world.plan.pk, None, "friend", ACTOR)
        held = await until(lambda: asyncio.to_thread(_held, guest.pk), what="the grant")
        assert held.reason == "granted"
        assert held.note == "friend"
        assert await asyncio.to_thread(_wanted, guest.pk)
        await asyncio.to_thread(operations.revoke, held.pk, "", ACTOR)
        await until(lambda: asyncio.to_thread(_closed, held.pk), what="the end of the grant")
        assert not await asyncio.to_thread(_wanted, guest.pk)
    finally:
        await works.close()


async def test_a_grant_that_is_applied_twice_is_one_entitlement(world: World) -> None:
    works = Works(world.integration)
    try:
        number = await asyncio.to_thread(
            operations.grant, world.customer.pk, world.plan.pk, None, "", ACTOR
        )
        await works.start(HANDLERS)
        await until(lambda: asyncio.to_thread(_done, number), what="the job")
        await asyncio.to_thread(_again, number)
        works.pipeline.wake()
        await until(lambda: asyncio.to_thread(_done, number), what="the job, again")
        assert await asyncio.to_thread(Entitlement.objects.filter(kind="grant").count) == 1
    finally:
        await works.close()


def _held(customer_id: int) -> Entitlement | None:
    return Entitlement.objects.filter(customer_id=customer_id, kind="grant", holds=True).first()


def _closed(entitlement_id: int) -> bool:
    return Entitlement.objects.filter(pk=entitlement_id, holds=False, status="canceled").exists()


def _wanted(customer_id: int) -> bool:
    return Access.objects.filter(customer_id=customer_id, desired=True).exists()


def _done(number: int) -> bool:
    return InboxEvent.objects.filter(external_id=f"grant:{number}", state=EventState.DONE).exists()


def _again(number: int) -> None:
    InboxEvent.objects.filter(external_id=f"grant:{number}").update(
        state=EventState.PENDING, outcome=""
    )
