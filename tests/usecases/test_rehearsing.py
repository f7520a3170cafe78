"""A dry run tells what a look at everybody would change, and changes nothing."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from django.apps import apps

from tests.usecases.leavers import crowd, member, says
from tests.usecases.snapshots import ANN, DAY, LOUNGE, subscription, tag
from velvetrope.domain.errors import NeedsOperator
from velvetrope.store.models import Access, DryRun, Entitlement, InboxEvent
from velvetrope.usecases import operations
from velvetrope.usecases.rehearsing.rehearsal import Change, Effect, rehearse
from velvetrope.usecases.rehearsing.running import find_changes

if TYPE_CHECKING:
    from tests.usecases.backroom import Backroom


def rehearsed(room: Backroom, person: int = ANN) -> list[Change]:
    return asyncio.run(rehearse(room.services, (room.integration.id, person)))


def found(room: Backroom) -> list[Change]:
    async def run() -> list[Change]:
        pages = [page async for page in find_changes(room.services, room.integration.id)]
        return [one for page in pages for one in page.changes]

    return asyncio.run(run())


def tables() -> dict[str, list[dict[str, object]]]:
    models = apps.get_app_config("store").get_models()
    return {model.__name__: list(model.objects.order_by("pk").values()) for model in models}  # type: ignore[attr-defined]  # every model has a manager


def end_unseen(room: Backroom, person: int = ANN) -> None:
    """Have a subscription end without an event that tells of it."""
    key = f"sub_{person}"
    room.stripe.subscriptions[key] = subscription(
        id=key, customer=f"cus_{person}", metadata=tag(person), status="unpaid"
    )


def effects(changes: list[Change]) -> list[tuple[Effect, int | None]]:
    return [(one.effect, one.chat_id) for one in changes]


def test_who_would_leave_is_told_with_the_reason_and_what_they_would_hear(
    room: Backroom,
) -> None:
    member(room, ANN)
    end_unseen(room)
    leave, message = rehearsed(room)
    assert (leave.effect, leave.chat_id) == (Effect.LEAVE, room.lounge.id)
    [ground] = leave.grounds
    assert (ground.plan_id, ground.reason, ground.holds) == (room.monthly.id, "ended", False)
    assert (message.effect, message.occasion) == (Effect.MESSAGE, "ended")


def test_nothing_is_written_and_nobody_is_asked_for_anything(room: Backroom) -> None:
    for person in crowd(room, 3):
        end_unseen(room, person)
    before = tables()
    assert len(found(room)) == 6
    assert tables() == before


def test_what_a_dry_run_tells_is_what_a_look_then_does(room: Backroom) -> None:
    member(room, ANN)
    end_unseen(room)
    assert Effect.LEAVE in dict(effects(rehearsed(room)))
    room.stripe_says(
        "customer.subscription.updated",
        {"id": f"sub_{ANN}", "object": "subscription", "customer": f"cus_{ANN}"},
    )
    assert [row.chat_id for row in room.calls("unbanChatMember")] == [LOUNGE]


def test_who_waits_at_the_door_and_has_paid_unseen_would_enter(room: Backroom) -> None:
    member(room, ANN)
    says(room, ANN, "customer.subscription.deleted", status="canceled", ended_at=room.now)
    room.sent()
    room.bot.statuses[LOUNGE, ANN] = "left"
    room.asks()
    room.sent(*room.calls("sendMessage"))
    Access.objects.update(requested_at=room.now, action="", observed="requested")
    room.stripe.subscriptions["sub_new"] = subscription(
        id="sub_new", customer=f"cus_{ANN}", metadata=tag(ANN)
    )
    changes = rehearsed(room)
    assert (Effect.ENTER, room.lounge.id) in effects(changes)
    assert "opened" in {one.occasion for one in changes}


def test_an_administrator_would_stay(room: Backroom) -> None:
    member(room, ANN)
    end_unseen(room)
    room.bot.statuses[LOUNGE, ANN] = "administrator"
    assert effects(rehearsed(room))[0] == (Effect.STAY, room.lounge.id)


def test_who_has_all_in_order_is_not_listed(room: Backroom) -> None:
    crowd(room, 25)
    room.later(DAY)
    assert found(room) == []


def test_who_waits_for_an_operator_is_listed_as_waiting(room: Backroom) -> None:
    people = crowd(room, 7)
    for person in people:
        says(room, person, "customer.subscription.deleted", status="canceled", ended_at=room.now)
    room.sent()
    waiting = [one for one in found(room) if one.effect is Effect.WAIT]
    assert len(waiting) == 2


# As the console asks for it


def test_a_dry_run_that_an_operator_asks_for_is_kept_with_its_numbers(room: Backroom) -> None:
    for person in crowd(room, 24)[:3]:
        end_unseen(room, person)
    run = operations.request_dry_run(room.integration.id, "operator:anna")
    room.run_jobs()
    run.refresh_from_db()
    assert run.finished_at == room.now
    assert run.looked_at == 24
    assert run.counts == {"leave": 3, f"leave:{room.lounge.id}": 3, "message": 3}
    assert len(run.changes) == 6
    assert Entitlement.objects.filter(holds=False).count() == 0


def test_a_second_one_is_not_begun_while_the_first_goes_on(room: Backroom) -> None:
    first = operations.request_dry_run(room.integration.id, "operator:anna")
    assert operations.request_dry_run(room.integration.id, "operator:anna").id == first.id
    room.run_jobs()
    assert operations.request_dry_run(room.integration.id, "operator:anna").id != first.id


def test_a_dry_run_that_stripe_refuses_ends_with_the_reason(room: Backroom) -> None:
    member(room, ANN)
    run = operations.request_dry_run(room.integration.id, "operator:anna")
    room.stripe.trouble = NeedsOperator("stripe_key_invalid")
    room.run_jobs()
    run.refresh_from_db()
    assert (run.error_code, run.finished_at) == ("stripe_key_invalid", room.now)


def test_only_the_last_few_are_kept(room: Backroom) -> None:
    for _ in range(8):
        operations.request_dry_run(room.integration.id, "operator:anna")
        room.run_jobs()
    assert DryRun.objects.count() == 5
    assert not InboxEvent.objects.filter(state="dead").exists()
