"""One link for each chat, which works when it is handed out."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.usecases.snapshots import ANN, DAY, LOUNGE
from velvetrope.domain.errors import NeedsOperator, Permanent, RetryLater
from velvetrope.gateways.telegram.updates import ChatInviteLink
from velvetrope.store.models import Access, Chat, InboxEvent
from velvetrope.usecases.invite_links import InviteLinks
from velvetrope.usecases.observing import observe

if TYPE_CHECKING:
    from tests.usecases.backroom import Backroom


def link(room: Backroom, links: InviteLinks | None = None) -> str:
    return asyncio.run((links or InviteLinks(room.services)).link(room.lounge.id))


def test_a_link_is_made_once_and_handed_out_again(room: Backroom) -> None:
    assert link(room) == link(room) == "https://t.me/+1"
    assert room.bot.called == ["createChatInviteLink"]
    room.lounge.refresh_from_db()
    assert room.lounge.invite_link_at == room.now


def test_two_who_need_it_at_once_get_one_link(room: Backroom) -> None:
    links = InviteLinks(room.services)

    async def both() -> list[str]:
        return await asyncio.gather(*(links.link(room.lounge.id) for _ in range(5)))

    assert set(asyncio.run(both())) == {"https://t.me/+1"}
    assert len(room.bot.links) == 1


def test_an_old_link_is_looked_at_and_kept_while_it_works(room: Backroom) -> None:
    link(room)
    room.later(timedelta(hours=2))
    assert link(room) == "https://t.me/+1"
    assert room.bot.called == ["createChatInviteLink", "editChatInviteLink"]


@pytest.mark.parametrize("refused", [True, False])
def test_a_link_that_was_revoked_is_renewed(room: Backroom, refused: bool) -> None:
    link(room)
    room.later(DAY)
    room.bot.links["https://t.me/+1"] = ChatInviteLink("https://t.me/+1", is_revoked=True)
    if refused:
        room.bot.trouble["editChatInviteLink"] = Permanent("bad_request")
    assert link(room) == "https://t.me/+2"


def test_a_link_that_somebody_revoked_is_renewed_within_minutes(room: Backroom) -> None:
    link(room)
    room.bot.links["https://t.me/+1"] = ChatInviteLink("https://t.me/+1", is_revoked=True)
    room.later(timedelta(minutes=5))
    assert link(room) == "https://t.me/+2"
    assert link(room) == "https://t.me/+2"


def test_a_link_that_can_not_be_had_has_the_bot_looked_at_once(room: Backroom) -> None:
    room.bot.trouble["createChatInviteLink"] = NeedsOperator("missing_rights")
    for _ in range(3):
        with pytest.raises(NeedsOperator):
            link(room)
    assert InboxEvent.objects.filter(kind="check").count() == 1


def test_a_chat_that_has_moved_is_found_by_the_next_try(room: Backroom) -> None:
    room.bot.trouble["createChatInviteLink"] = RetryLater("chat_migrated", migrate_to_chat_id=-9)
    with pytest.raises(RetryLater):
        link(room)
    room.lounge.refresh_from_db()
    assert room.lounge.telegram_id == -9
    del room.bot.trouble["createChatInviteLink"]
    assert link(room)


def test_passing_trouble_changes_nothing(room: Backroom) -> None:
    room.bot.trouble["createChatInviteLink"] = RetryLater("telegram_unavailable")
    with pytest.raises(RetryLater):
        link(room)
    room.lounge.refresh_from_db()
    assert room.lounge.telegram_id == LOUNGE


def test_there_is_no_link_to_a_chat_that_is_gone(room: Backroom) -> None:
    Chat.objects.filter(id=room.lounge.id).delete()
    with pytest.raises(Permanent):
        link(room)


# Looking where people are


def test_what_telegram_does_not_tell_is_left_out(room: Backroom) -> None:
    room.bot.trouble["getChatMember"] = Permanent("bad_request")
    assert asyncio.run(observe(room.services, (room.integration.id, ANN))) == ()


def test_nobody_is_looked_for_where_it_is_known_or_the_bot_can_not_see(room: Backroom) -> None:
    Access.objects.create(customer=room.ann, chat=room.lounge, observed="outside")
    Chat.objects.filter(id=room.vault.id).update(problem={"code": "missing_rights", "data": {}})
    assert asyncio.run(observe(room.services, (room.integration.id, ANN))) == ()
    assert room.bot.called == []


def test_what_an_update_has_told_meanwhile_counts_more(room: Backroom) -> None:
    from tests.usecases.snapshots import subscription  # noqa: PLC0415  beside its only use

    room.stripe.subscriptions["sub_1"] = subscription()
    named = {"id": "sub_1", "object": "subscription", "customer": "cus_1"}
    event = room.stripe_event("customer.subscription.created", named)
    early = room.prepare(event)  # sees nobody
    room.moves("member", by=5)
    room.finish(early)
    assert room.access().observed == "inside"
