"""What is on record of rights and places: each change once, with who or what brought it about."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tests.usecases.snapshots import NOW
from velvetrope.store.models import AuditEntry, InboxEvent
from velvetrope.usecases import chronicle

KEEPER = 5

if TYPE_CHECKING:
    from tests.usecases.backroom import Backroom


def entries(action: str) -> list[tuple[dict[str, Any] | None, dict[str, Any]]]:
    rows = AuditEntry.objects.filter(action=action, subject="customer").order_by("id")
    return [(row.before, row.after or {}) for row in rows]


def places() -> list[tuple[str, str]]:
    return [(after["observed"], after.get("by", "")) for _, after in entries(chronicle.PLACE)]


def test_a_decision_is_recorded_when_it_changes_and_names_its_event(room: Backroom) -> None:
    room.subscribes()
    ((before, after),) = entries(chronicle.RIGHT)
    assert before is None
    assert (after["holds"], after["reason"], after["plan"]) == (True, "active", room.monthly.id)
    entry = AuditEntry.objects.get(action=chronicle.RIGHT)
    assert entry.subject_id == str(room.ann.id)
    assert InboxEvent.objects.get(id=entry.cause or 0).kind == "customer.subscription.created"


def test_the_same_decision_again_leaves_no_entry(room: Backroom) -> None:
    room.subscribes()
    count = AuditEntry.objects.count()
    room.later(timedelta(minutes=1))
    room.subscribes(kind="customer.subscription.updated")
    assert AuditEntry.objects.count() == count


def test_a_renewal_and_another_plan_are_changes(room: Backroom) -> None:
    room.subscribes()
    room.later(timedelta(minutes=1))
    room.subscribes(current_period_end=NOW + timedelta(days=61))
    room.later(timedelta(minutes=1))
    room.subscribes(current_period_end=NOW + timedelta(days=61), price_ids=("price_vip",))
    _, renewed, moved = entries(chronicle.RIGHT)
    assert renewed[0] is not None
    assert renewed[0]["until"] != renewed[1]["until"]
    assert moved[0] is not None
    assert (moved[0]["plan"], moved[1]["plan"]) == (room.monthly.id, room.vip.id)


def test_it_is_known_who_let_a_person_in_and_who_took_them_out(room: Backroom) -> None:
    room.subscribes()
    room.asks()
    room.sent()
    room.moves("left", by=room.ann.telegram_user_id)
    room.moves("kicked", by=KEEPER)
    assert places() == [
        ("outside", ""),
        ("requested", ""),
        ("inside", "bot"),
        ("outside", "self"),
        ("banned", "admin"),
    ]
    assert entries(chronicle.PLACE)[-1][1]["who"] == f"({KEEPER})"


def test_a_ban_that_the_bot_lifts_is_its_doing(room: Backroom) -> None:
    room.moves("kicked", by=KEEPER)
    room.subscribes()
    room.sent()
    assert places()[-1] == ("outside", "bot")
