"""Dead letters are listed together, replayed from the start or given up, each on record."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.web.console.rows import (
    World,
    make_customer,
    make_dead_event,
    make_dead_item,
    make_world,
)
from velvetrope.domain.states import EventState, ItemState, Source
from velvetrope.store.models import AuditEntry, InboxEvent, OutboxItem
from velvetrope.usecases import operations
from velvetrope.usecases.operations import Kind, Ref, Selection

pytestmark = [pytest.mark.both_databases, pytest.mark.usefixtures("database")]

ACTOR = "operator:anna"


@pytest.fixture
def world(database: object) -> World:  # noqa: ARG001  must exist first
    return make_world()


def test_events_and_items_are_listed_together_newest_first(world: World) -> None:
    later = make_dead_event(world.integration, 3)
    found = operations.list_dead()
    assert [letter.ref for letter in found] == [
        Ref(Kind.EVENT, later.pk),
        Ref(Kind.ITEM, world.dead_item.pk),
        Ref(Kind.EVENT, world.dead_event.pk),
    ]
    assert found[1].error_code == "target_is_admin"


def test_lists_go_on_before_the_last_one_shown(world: World) -> None:
    for number in range(10, 17):
        make_dead_event(world.integration, number)
        make_dead_item(world.customer)
    everything = [letter.ref for letter in operations.list_dead(limit=1000)]
    leafed: list[Ref] = []
    before = None
    while page := operations.list_dead(Selection(before=before), limit=4):
        leafed += [letter.ref for letter in page]
        before = page[-1].ref.id
    assert leafed == everything
    assert len(everything) == 16


def test_a_selection_narrows_down_by_error_kind_and_integration(world: World) -> None:
    stripes = make_dead_event(
        world.integration, 4, source=Source.STRIPE.value, external_id="evt_1", error_code="other"
    )
    assert operations.count_dead() == 3
    assert operations.count_dead(Selection(error_code="other")) == 1
    assert operations.count_dead(Selection(kind=Kind.ITEM)) == 1
    # A Stripe event's account is no integration, even if the numbers are the same.
    of_integration = operations.select_refs(Selection(integration_id=world.integration.pk))
    assert Ref(Kind.EVENT, stripes.pk) not in of_integration
    assert len(of_integration) == 2


def test_counting_stops_where_it_is_told(world: World) -> None:
    for number in range(10, 20):
        make_dead_event(world.integration, number)
    assert operations.count_dead(most=5) == 5


def test_a_replayed_event_is_pending_as_if_it_had_just_come(world: World) -> None:
    assert operations.replay([Ref(Kind.EVENT, world.dead_event.pk)], ACTOR) == 1
    row = InboxEvent.objects.get(pk=world.dead_event.pk)
    assert (row.state, row.attempts, row.error_code, row.error) == (EventState.PENDING, 0, "", "")
    assert row.due_at is None
    assert row.finished_at is None


def test_a_replayed_item_is_pending_and_a_discarded_one_stays_on_record(world: World) -> None:
    other = make_dead_item(world.customer)
    operations.replay([Ref(Kind.ITEM, world.dead_item.pk)], ACTOR)
    operations.discard([Ref(Kind.ITEM, other.pk)], ACTOR)
    assert OutboxItem.objects.get(pk=world.dead_item.pk).state == ItemState.PENDING
    given_up = OutboxItem.objects.get(pk=other.pk)
    assert given_up.state == ItemState.DISCARDED
    assert given_up.error_code == "target_is_admin"
    assert given_up.finished_at is not None


def test_each_one_is_audited_with_what_it_was(world: World) -> None:
    operations.replay([Ref(Kind.EVENT, world.dead_event.pk)], ACTOR)
    entry = AuditEntry.objects.get(action="event.replayed")
    assert entry.actor == ACTOR
    assert entry.subject_id == str(world.dead_event.pk)
    assert entry.integration_id == world.integration.pk
    assert entry.before == {"state": "dead", "error_code": "stripe_not_found", "attempts": 8}


def test_what_is_no_dead_letter_is_left_alone(world: World) -> None:
    refs = [Ref(Kind.EVENT, world.event.pk), Ref(Kind.ITEM, world.item.pk), Ref(Kind.EVENT, 1)]
    assert operations.replay(refs, ACTOR) == 0
    assert operations.discard(refs, ACTOR) == 0
    assert InboxEvent.objects.get(pk=world.event.pk).state == EventState.DONE
    assert OutboxItem.objects.get(pk=world.item.pk).state == ItemState.SENT
    assert not AuditEntry.objects.exists()


def test_the_same_one_twice_is_replayed_once(world: World) -> None:
    ref = Ref(Kind.EVENT, world.dead_event.pk)
    assert operations.replay([ref, ref], ACTOR) == 1
    assert operations.replay([ref], ACTOR) == 0
    assert AuditEntry.objects.filter(action="event.replayed").count() == 1


def test_more_than_a_database_takes_at_once_are_replayed_all(world: World) -> None:
    customer = make_customer(world.integration, 43)
    for number in range(1100):
        make_dead_event(world.integration, 100 + number, error="")
        if number % 2:
            make_dead_item(customer)
    refs = operations.select_refs(Selection(), most=10_000)
    assert len(refs) == 1652
    assert operations.replay(refs, ACTOR) == 1652
    assert operations.count_dead() == 0


@given(st.sampled_from(list(Kind)), st.integers(0, 2**63 - 1))
def test_a_reference_reads_what_it_writes(kind: Kind, number: int) -> None:
    assert Ref.parse(str(Ref(kind, number))) == Ref(kind, number)


@pytest.mark.parametrize(
    "text", ["", "event", "event:", "event:x", "event:-1", "else:1", "event:²"]
)
def test_a_reference_refuses_anything_else(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        Ref.parse(text)
