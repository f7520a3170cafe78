"""Events that Stripe made and nobody delivered are found, once, and told of."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from tests.usecases.snapshots import NOW, numbers, subscription
from velvetrope.domain.errors import RetryLater
from velvetrope.gateways.stripe.gateway import API_VERSION
from velvetrope.gateways.stripe.snapshots import EndpointSnapshot, EventSnapshot
from velvetrope.store.models import Alert, AuditEntry, InboxEvent, StripeAccount
from velvetrope.usecases import operations
from velvetrope.usecases.reconciling.backfilling import BACKFILL, EVENT_TYPES

if TYPE_CHECKING:
    from tests.usecases.backroom import Backroom

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
URL = "https://example.com/stripe/bots/webhooks"


def endpoint(**fields: Any) -> EndpointSnapshot:
    values: dict[str, Any] = {
        "id": "we_1",
        "url": URL,
        "is_enabled": True,
        "types": ("*",),
        "api_version": None,
    }
    return EndpointSnapshot(**(values | fields))


@pytest.fixture
def room(room: Backroom) -> Backroom:
    """Let the account be as old as the story, and its webhook be in order."""
    StripeAccount.objects.update(created_at=NOW - HOUR)
    room.stripe.lists["webhook endpoints"] = [endpoint()]
    return room


def made(room: Backroom, kind: str, named: dict[str, Any]) -> EventSnapshot:
    """Have Stripe make an event that nobody delivers."""
    key = f"evt_{next(numbers)}"
    payload = {
        "id": key,
        "object": "event",
        "type": kind,
        "created": int(room.now.timestamp()),
        "livemode": False,
        "data": {"object": named},
    }
    event = EventSnapshot(
        id=key,
        type=kind,
        created=room.now,
        livemode=False,
        payload=msgspec.json.encode(payload),
    )
    room.stripe.lists.setdefault("events", []).insert(0, event)
    return event


def subscribes_unheard(room: Backroom, key: str = "sub_1") -> EventSnapshot:
    room.stripe.subscriptions[key] = subscription(id=key)
    named = {"id": key, "object": "subscription", "customer": "cus_1"}
    return made(room, "customer.subscription.created", named)


def comes(room: Backroom, event: EventSnapshot) -> None:
    """Have an event come by itself after all."""
    InboxEvent.objects.create(
        source="stripe",
        account=room.account,
        external_id=event.id,
        kind=event.type,
        lane="x",
        payload=event.payload,
        state="done",
        received_at=room.now,
    )


def handle(room: Backroom) -> None:
    """Let the dispatcher find what was stored."""
    from tests.usecases.backroom import event_of  # noqa: PLC0415  Django is set up by now

    for row in InboxEvent.objects.filter(source="stripe", state="pending").order_by("id"):
        InboxEvent.objects.filter(id=row.id).update(state="claimed")
        room.take(event_of(row))


def open_codes() -> set[str]:
    return set(Alert.objects.filter(closed_at=None).values_list("code", flat=True))


def test_an_event_that_was_lost_is_found_within_the_hour(room: Backroom) -> None:
    room.reconcile("events")
    subscribes_unheard(room)
    room.later(HOUR)
    room.reconcile("events")
    handle(room)
    assert room.right("sub_1").holds
    assert len(room.texts()) == 1


def test_what_came_while_nobody_listened_is_found_at_the_start_and_blamed_on_nobody(
    room: Backroom,
) -> None:
    subscribes_unheard(room)
    room.later(30 * MINUTE)
    room.reconcile("events")
    handle(room)
    assert room.right("sub_1").holds
    assert open_codes() == set()


def test_an_event_that_came_by_itself_is_not_stored_again(room: Backroom) -> None:
    comes(room, subscribes_unheard(room))
    room.later(HOUR)
    room.reconcile("events")
    assert InboxEvent.objects.filter(source="stripe").count() == 1


def test_an_event_is_stored_once_however_often_it_is_listed(room: Backroom) -> None:
    subscribes_unheard(room)
    for _ in range(3):
        room.later(5 * MINUTE)
        room.reconcile("events")
        room.later(HOUR)
        room.reconcile("events")
    assert InboxEvent.objects.filter(source="stripe").count() == 1


def test_the_place_is_kept_only_when_everything_before_it_is_stored(room: Backroom) -> None:
    room.reconcile("events")
    before = StripeAccount.objects.get().events_until
    subscribes_unheard(room)
    room.later(2 * HOUR)
    room.stripe.trouble = RetryLater("stripe_unavailable")
    with pytest.raises(RetryLater):
        room.reconcile("events")
    assert StripeAccount.objects.get().events_until == before
    room.stripe.trouble = None
    InboxEvent.objects.filter(kind=BACKFILL, state="claimed").update(state="pending")
    room.run_jobs()
    assert StripeAccount.objects.get().events_until == room.now
    assert InboxEvent.objects.filter(source="stripe").count() == 1


def test_long_lists_are_read_to_their_end(room: Backroom) -> None:
    room.stripe.page_size = 2
    for number in range(7):
        subscribes_unheard(room, f"sub_{number}")
    room.later(HOUR)
    room.reconcile("events")
    assert InboxEvent.objects.filter(source="stripe").count() == 7


def test_days_of_silence_are_fetched_hour_by_hour(room: Backroom) -> None:
    for day in range(20):
        subscribes_unheard(room, f"sub_{day}")
        room.later(timedelta(days=1))
    room.reconcile("events")
    assert InboxEvent.objects.filter(source="stripe").count() == 20
    assert StripeAccount.objects.get().events_until == room.now


def test_missed_events_are_told_of_until_some_come_by_themselves_again(room: Backroom) -> None:
    room.reconcile("events")
    room.later(MINUTE)
    subscribes_unheard(room)
    room.later(HOUR)
    room.reconcile("events")
    assert open_codes() == {"stripe_events_missed"}
    room.later(HOUR)
    room.reconcile("events")
    assert open_codes() == {"stripe_events_missed"}  # nothing happened that could tell
    comes(room, subscribes_unheard(room, "sub_2"))
    room.later(HOUR)
    room.reconcile("events")
    assert open_codes() == set()
    assert Alert.objects.filter(code="stripe_events_missed").count() == 1


def test_an_event_that_may_still_be_on_its_way_is_no_missed_one(room: Backroom) -> None:
    room.reconcile("events")
    room.later(55 * MINUTE)
    subscribes_unheard(room)
    room.later(5 * MINUTE)
    room.reconcile("events")
    assert open_codes() == set()


def test_silence_is_told_of_while_people_subscribe(room: Backroom) -> None:
    room.subscribes()
    room.reconcile("events")
    room.later(timedelta(days=33))
    room.reconcile("events")
    assert open_codes() == set()
    room.later(timedelta(days=2))
    room.reconcile("events")
    assert open_codes() == {"stripe_silent"}
    comes(room, made(room, "invoice.paid", {"id": "in_1", "object": "invoice"}))
    room.later(HOUR)
    room.reconcile("events")
    assert open_codes() == set()


def test_nobody_minds_silence_where_nobody_subscribes(room: Backroom) -> None:
    room.reconcile("events")
    room.later(timedelta(days=400))
    room.reconcile("events")
    assert open_codes() == set()


@pytest.mark.parametrize(
    ("endpoints", "code"),
    [
        ([], "stripe_webhook_missing"),
        ([endpoint(url="https://example.com/other")], "stripe_webhook_missing"),
        ([endpoint(url="https://old.example.com/stripe/bots/webhooks")],
         "stripe_webhook_elsewhere"),
        ([endpoint(is_enabled=False)], "stripe_webhook_disabled"),
        ([endpoint(types=("invoice.paid",))], "stripe_webhook_types"),
        ([endpoint(api_version="2020-08-27")], "stripe_webhook_version"),
        ([endpoint(), endpoint(id="we_2", url="https://example.com/other")], None),
        ([endpoint(types=EVENT_TYPES, api_version=API_VERSION)], None),
        ([endpoint(is_enabled=False), endpoint(id="we_2", url=URL + "/")], None),
    ],
)  # fmt: skip
def test_an_endpoint_that_is_not_as_it_should_be_is_told_of(
    room: Backroom, endpoints: list[EndpointSnapshot], code: str | None
) -> None:
    room.stripe.lists["webhook endpoints"] = list(endpoints)
    room.reconcile("events")
    assert open_codes() == ({code} if code else set())
    room.stripe.lists["webhook endpoints"] = [endpoint()]
    room.later(HOUR)
    room.reconcile("events")
    assert open_codes() == set()


def test_a_key_that_may_not_list_endpoints_is_no_trouble(room: Backroom) -> None:
    room.stripe.hidden.add("webhook endpoints")
    room.reconcile("events")
    assert open_codes() == set()


def test_a_key_that_may_not_list_events_is_told_of_until_it_may(room: Backroom) -> None:
    room.stripe.hidden.add("events")
    room.reconcile("events")
    assert open_codes() == {"stripe_permission"}
    room.stripe.hidden.clear()
    room.later(HOUR)
    room.reconcile("events")
    assert open_codes() == set()


def test_an_operator_has_older_events_fetched_and_hears_how_many(room: Backroom) -> None:
    StripeAccount.objects.update(created_at=NOW, events_until=NOW)
    room.now -= timedelta(days=5)
    subscribes_unheard(room)
    comes(room, subscribes_unheard(room, "sub_2"))
    room.now = NOW
    _, job = operations.backfill(room.account, NOW - timedelta(days=7), "operator:olga")
    room.run_jobs()
    entry = AuditEntry.objects.get(action="events.backfilled")
    assert entry.actor == "operator:olga"
    assert entry.after == {
        "job": job,
        "since": (NOW - timedelta(days=7)).isoformat(),
        "found": 2,
        "known": 1,
        "new": 1,
    }


def test_what_stripe_has_forgotten_is_not_asked_for(room: Backroom) -> None:
    with pytest.raises(operations.NothingToReconcileError):
        operations.backfill(room.account, NOW - timedelta(days=4000), "operator:olga")
