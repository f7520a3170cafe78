"""The access policy on real rows: what each word of Stripe's does to a person's place."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.usecases.snapshots import DAY, NOW, dispute, payment
from velvetrope.gateways.stripe.snapshots import DisputeSnapshot

if TYPE_CHECKING:
    from tests.usecases.backroom import Backroom

UPDATED = "customer.subscription.updated"


def choose(room: Backroom, **policy: object) -> None:
    """Let the integration's policy differ from the default by this."""
    room.integration.policy = policy
    room.integration.save()


# Grace


def test_grace_counts_from_the_first_failure_however_late_it_is_learned_of(room: Backroom) -> None:
    room.subscribes()
    room.later(6 * DAY)
    room.subscribes(kind=UPDATED, status="past_due", past_due_since=NOW + DAY)
    row = room.right("sub_1")
    assert (row.holds, row.reason, row.recheck_at) == (True, "grace", NOW + 8 * DAY)


def test_grace_that_was_over_before_anybody_told_ends_access_at_once(room: Backroom) -> None:
    room.subscribes()
    room.later(10 * DAY)
    room.subscribes(kind=UPDATED, status="past_due", past_due_since=NOW + DAY)
    row = room.right("sub_1")
    assert (row.holds, row.reason) == (False, "grace_over")


def test_a_retry_does_not_start_grace_anew(room: Backroom) -> None:
    room.subscribes()
    for _ in range(4):
        room.later(2 * DAY)
        room.subscribes(kind=UPDATED, status="past_due", past_due_since=NOW + DAY)
    assert room.right("sub_1").reason == "grace_over"


def test_a_failure_after_a_payment_is_a_new_one_even_if_the_payment_was_not_seen(
    room: Backroom,
) -> None:
    room.subscribes()
    room.subscribes(kind=UPDATED, status="past_due", past_due_since=NOW)
    room.later(30 * DAY)
    since = NOW + 29 * DAY
    room.subscribes(kind=UPDATED, status="past_due", past_due_since=since, latest_invoice="in_2")
    row = room.right("sub_1")
    assert (row.holds, row.recheck_at) == (True, since + 7 * DAY)


def test_the_sweep_asks_stripe_before_grace_ends_access(room: Backroom) -> None:
    room.subscribes(status="past_due", past_due_since=NOW)
    room.later(7 * DAY + timedelta(minutes=1))
    room.stripe.asked.clear()
    room.sweep()
    assert "subscriptions of cus_1" in room.stripe.asked
    assert not room.right("sub_1").holds


# Collection paused


def test_collection_that_is_paused_ends_access_only_where_the_policy_says_so(
    room: Backroom,
) -> None:
    room.subscribes()
    room.subscribes(kind=UPDATED, paused_collection=True)
    assert room.right("sub_1").holds
    choose(room, collection_pause_keeps=False)
    room.subscribes(kind=UPDATED, paused_collection=True)
    assert (room.right("sub_1").holds, room.right("sub_1").reason) == (False, "collection_paused")
    room.subscribes(kind=UPDATED)
    assert room.right("sub_1").holds


# Money that went back


@pytest.mark.parametrize(
    ("statuses", "kept"),
    [
        (["warning_needs_response"], "warning"),
        (["warning_under_review"], "warning"),
        (["warning_closed"], "won"),
        (["prevented"], "won"),
        (["needs_response"], "open"),
        (["a_new_word"], "open"),
        (["won", "lost", "needs_response"], "lost"),
        (["won", "under_review", "warning_under_review"], "open"),
        (["won", "warning_needs_response"], "warning"),
    ],
)
def test_of_several_disputes_the_worst_counts(
    room: Backroom, statuses: list[str], kept: str
) -> None:
    found = [DisputeSnapshot(id=f"dp_{status}", status=status) for status in statuses]
    room.pays(disputes=tuple(found))
    assert room.right("pi_1").dispute == kept


@pytest.mark.parametrize(
    ("field", "fact", "by_default"),
    [
        ("dispute_warning_suspends", {"disputes": dispute("warning_needs_response")}, True),
        ("dispute_suspends", {"disputes": dispute("needs_response")}, False),
        ("dispute_lost_ends", {"disputes": dispute("lost")}, False),
        ("refund_ends", {"amount_refunded": 900}, False),
        ("partial_refund_ends", {"amount_refunded": 100}, True),
    ],
)
def test_each_field_of_the_policy_decides_about_its_own_fact(
    room: Backroom, field: str, fact: dict[str, object], by_default: bool
) -> None:
    room.pays()
    room.pays("charge.refunded", **fact)
    assert room.right("pi_1").holds is by_default
    choose(room, **{field: by_default})
    room.pays("charge.refunded", **fact)
    assert room.right("pi_1").holds is not by_default


def test_an_inquiry_that_becomes_a_dispute_suspends_then(room: Backroom) -> None:
    room.pays()
    room.pays("charge.dispute.created", disputes=dispute("warning_needs_response"))
    assert room.right("pi_1").holds
    room.pays("charge.dispute.updated", disputes=dispute("needs_response"))
    assert room.right("pi_1").reason == "disputed"
    room.pays("charge.dispute.closed", disputes=dispute("won"))
    assert room.right("pi_1").holds


def test_a_refund_that_fails_is_as_if_it_had_never_been(room: Backroom) -> None:
    room.pays()
    room.pays("refund.created", amount_refunded=900)
    assert not room.right("pi_1").holds
    room.pays("refund.failed", amount_refunded=0)
    assert room.right("pi_1").holds


def test_a_new_payment_makes_up_for_a_partial_refund_that_ended_access(room: Backroom) -> None:
    choose(room, partial_refund_ends=True)
    room.subscribes()
    paid = payment(id="pi_9", invoice="in_1", subscription="sub_1", amount_refunded=100)
    room.stripe.payments["pi_9"] = paid
    room.stripe_says(
        "charge.refunded", {"id": "ch_9", "customer": "cus_1", "payment_intent": "pi_9"}
    )
    assert not room.right("sub_1").holds
    room.stripe.bills["in_2"] = "open"
    room.subscribes(kind=UPDATED, latest_invoice="in_2")
    assert not room.right("sub_1").holds
    room.stripe.bills["in_2"] = "paid"
    room.subscribes(kind=UPDATED, latest_invoice="in_2")
    assert room.right("sub_1").holds
