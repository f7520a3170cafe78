"""An operator changes the policy: counted before, on record, and applied to everybody soon."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from tests.usecases.snapshots import DAY, NOW, dispute, tag
from velvetrope.domain.validation import Invalid
from velvetrope.store.models import AuditEntry, Entitlement, Integration
from velvetrope.usecases import operations
from velvetrope.usecases.operations import Effect

if TYPE_CHECKING:
    from tests.usecases.backroom import Backroom
    from velvetrope.domain.policy import Policy

UPDATED = "customer.subscription.updated"


def change(room: Backroom, *reset: str, **values: object) -> Policy:
    return operations.change_policy(room.integration.id, values, reset, "op")


def effect(room: Backroom, **values: object) -> Effect:
    wanted = operations.policy_of(room.integration).changed(values)
    return operations.foresee(room.integration.id, wanted, room.now)


def test_only_differences_from_the_default_are_stored(room: Backroom) -> None:
    change(room, grace_days="3", refund_ends="yes")
    assert Integration.objects.get().policy == {"grace_days": 3}
    change(room, "grace_days")
    assert Integration.objects.get().policy == {}


def test_a_change_is_on_record_with_before_and_after(room: Backroom) -> None:
    change(room, grace_days=3)
    entry = AuditEntry.objects.get(action="policy.changed")
    assert (entry.actor, entry.before, entry.after) == ("op", {"grace_days": 7}, {"grace_days": 3})


def test_a_change_that_changes_nothing_leaves_no_trace(room: Backroom) -> None:
    change(room, grace_days=7)
    assert not AuditEntry.objects.filter(action="policy.changed").exists()
    assert room.run_jobs() == []


@pytest.mark.parametrize(
    ("values", "reset"), [({"grace_days": 91}, ()), ({"grace": 3}, ()), ({}, ("grace",))]
)
def test_a_bad_change_changes_nothing(
    room: Backroom, values: dict[str, object], reset: tuple[str, ...]
) -> None:
    with pytest.raises(Invalid):
        operations.change_policy(room.integration.id, values, reset, "op")
    assert Integration.objects.get().policy == {}


def test_who_would_be_out_by_a_shorter_grace_is_counted_asked_about_and_out(
    room: Backroom,
) -> None:
    room.subscribes()
    room.later(5 * DAY)
    room.subscribes("sub_1", UPDATED, status="past_due", past_due_since=NOW + DAY)
    assert effect(room, grace_days=3) == Effect(losing=1)
    assert effect(room, grace_days=30) == Effect()
    change(room, grace_days=5)
    room.run_jobs()
    assert (room.right("sub_1").holds, room.right("sub_1").recheck_at) == (True, NOW + 6 * DAY)
    change(room, grace_days=3)
    room.stripe.asked.clear()
    room.run_jobs()
    assert room.stripe.asked != []
    assert room.right("sub_1").reason == "grace_over"


def test_a_longer_grace_brings_back_who_still_owes_and_not_who_has_left(room: Backroom) -> None:
    for key in ("sub_1", "sub_2"):
        room.subscribes(key)
        room.later(5 * DAY)
        room.subscribes(key, UPDATED, status="past_due", past_due_since=NOW - 5 * DAY)
    assert not room.right("sub_2").holds
    gone = msgspec.structs.replace(room.stripe.subscriptions["sub_2"], status="canceled")
    room.stripe.subscriptions["sub_2"] = gone
    assert effect(room, grace_days=60) == Effect(gaining=1)
    change(room, grace_days=60)
    room.run_jobs()
    assert (room.right("sub_1").holds, room.right("sub_2").holds) == (True, False)


def test_a_payment_that_a_bank_disputes_follows_the_new_policy(room: Backroom) -> None:
    room.pays()
    room.pays("charge.dispute.created", disputes=dispute("needs_response"))
    assert not room.right("pi_1").holds
    assert effect(room, dispute_suspends="no") == Effect(gaining=1)
    change(room, dispute_suspends="no")
    room.run_jobs()
    assert room.right("pi_1").holds


@pytest.mark.parametrize("ended", ["period_end", "ends_at"])
def test_who_is_in_by_patience_alone_is_counted(room: Backroom, ended: str) -> None:
    room.subscribes()
    room.later(3 * DAY)
    moments = {"period_end": room.now + DAY, "ends_at": None, ended: room.now - 5 * DAY / 24}
    Entitlement.objects.update(**moments)
    assert effect(room, slack_hours=1) == Effect()
    assert effect(room, slack_hours=8) == Effect(gaining=1)


def test_only_chats_that_nothing_else_opens_are_counted(room: Backroom) -> None:
    room.subscribes()
    room.pays(amount_refunded=100)
    assert effect(room, partial_refund_ends="yes") == Effect()
    room.subscribes("sub_1", "customer.subscription.deleted", status="canceled")
    assert effect(room, partial_refund_ends="yes") == Effect(losing=1)


def test_a_paused_collection_that_ends_access_closes_every_chat_of_the_plan(
    room: Backroom,
) -> None:
    room.subscribes(
        price_ids=("price_vip",), metadata=tag(plan="price_vip"), paused_collection=True
    )
    assert effect(room, collection_pause_keeps="no") == Effect(losing=1)
    change(room, collection_pause_keeps="no")
    room.run_jobs()
    assert not room.access(room.vault).desired
