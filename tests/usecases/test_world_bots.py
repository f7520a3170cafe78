"""The world around a bot changes: seen, told once with the fix, over by itself when mended."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec
import pytest

from tests.usecases.snapshots import ANN, BOT, LOUNGE, NOW, VAULT
from tests.usecases.vendors import HOOK
from velvetrope.domain.errors import NeedsOperator, Permanent, RetryLater
from velvetrope.domain.states import ItemState
from velvetrope.domain.validation import Invalid
from velvetrope.gateways.telegram.bot import ALLOWED_UPDATES
from velvetrope.gateways.telegram.records import WebhookInfo
from velvetrope.store.models import Access, Alert, Chat, Customer, Integration, OutboxItem
from velvetrope.store.revisions import touch
from velvetrope.usecases import onboarding, operations
from velvetrope.usecases.watching import AGE, AGE_OF_TROUBLE, EVERY, LEAST, list_due

if TYPE_CHECKING:
    from tests.usecases.backroom import Backroom

HOUR = timedelta(hours=1)
NEW = -1009999999999
ACTOR = "operator:olga"


@pytest.fixture(autouse=True)
def _in_charge(room: Backroom) -> None:
    room.bot.statuses |= {(chat, BOT): "administrator" for chat in (LOUNGE, VAULT, NEW)}
    Integration.objects.update(alerts_to=501)


def an_hour_passes(room: Backroom) -> None:
    room.later(AGE + timedelta(seconds=1))
    room.sweep()


def minutes_pass(room: Backroom) -> None:
    room.later(AGE_OF_TROUBLE + timedelta(seconds=1))
    room.sweep()


def is_open(room: Backroom) -> list[tuple[str, str]]:
    rows = Alert.objects.filter(closed_at=None, integration=room.integration).order_by("id")
    return list(rows.values_list("code", "subject"))


def told(room: Backroom) -> list[str]:
    """Give what the operator was written, shortened to what it begins with."""
    room.sweep()
    rows = OutboxItem.objects.filter(chat_id=501).order_by("id")
    return [msgspec.json.decode(row.params)["text"].split("\n")[0] for row in rows]


def own_standing(room: Backroom, status: str, chat: int = LOUNGE) -> None:
    """Have Telegram tell that the bot's standing in a chat is now this one."""
    room.bot.statuses[chat, BOT] = status
    room.update(
        "my_chat_member",
        {
            "chat": {"id": chat, "type": "channel"},
            "from": {"id": 9, "is_bot": False},
            "date": int(room.now.timestamp()),
            "old_chat_member": {"status": "administrator", "user": {"id": BOT, "is_bot": True}},
            "new_chat_member": {"status": status, "user": {"id": BOT, "is_bot": True}},
        },
        BOT,
    )
    room.run_jobs()


def waits(room: Backroom, error: NeedsOperator) -> OutboxItem:
    """Have Ann, who pays, ask to enter while the bot can't let her in."""
    room.subscribes()
    room.sent()
    room.asks()
    (call,) = room.calls("approveChatJoinRequest")
    room.failed(call, error, ItemState.SUSPENDED)
    OutboxItem.objects.filter(id=call.id).update(state="suspended")
    room.run_jobs()
    return call


# The bot's place in a chat


def test_a_bot_that_was_removed_is_told_at_once_and_goes_on_when_it_is_back(room: Backroom) -> None:
    own_standing(room, "kicked")
    assert is_open(room) == [("bot_not_in_chat", f"chat:{room.lounge.id}")]
    call = waits(room, NeedsOperator("bot_not_in_chat"))
    own_standing(room, "administrator")
    assert is_open(room) == []
    call.refresh_from_db()
    assert call.state == "pending"
    room.sent()
    assert room.access().observed == "inside"


def test_a_removal_whose_update_was_lost_is_seen_within_the_hour(room: Backroom) -> None:
    room.bot.statuses[LOUNGE, BOT] = "left"
    an_hour_passes(room)
    assert is_open(room) == [("bot_not_in_chat", f"chat:{room.lounge.id}")]
    minutes_pass(room)
    assert len(told(room)) == 1
    room.bot.statuses[LOUNGE, BOT] = "administrator"
    minutes_pass(room)
    assert is_open(room) == []
    assert [text[:1] for text in told(room)] == ["⚠", "✅"]


@pytest.mark.parametrize("right", ["can_invite_users", "can_restrict_members"])
def test_each_right_that_is_lost_is_named(room: Backroom, right: str) -> None:
    room.bot.lacking = {right}
    own_standing(room, "administrator")
    rows = Alert.objects.filter(closed_at=None)
    assert {(row.code, row.data["rights"]) for row in rows} == {("missing_rights", right)}
    room.bot.lacking = set()
    own_standing(room, "administrator")
    assert is_open(room) == []


def test_a_second_right_that_is_lost_adds_to_the_same_alert(room: Backroom) -> None:
    room.bot.statuses[VAULT, BOT] = "creator"
    for lacking in ({"can_invite_users"}, {"can_invite_users", "can_restrict_members"}):
        room.bot.lacking = lacking
        own_standing(room, "administrator")
    (row,) = Alert.objects.all()
    assert row.data["rights"] == "can_invite_users, can_restrict_members"


def test_trouble_in_one_chat_keeps_nothing_from_another(room: Backroom) -> None:
    call = waits(room, NeedsOperator("missing_rights"))
    own_standing(room, "member", VAULT)
    assert is_open(room) == [("missing_rights", f"chat:{room.vault.id}")]
    call.refresh_from_db()
    assert call.state == "pending"


def test_a_chat_that_was_deleted_is_told_and_a_new_one_takes_its_place(room: Backroom) -> None:
    room.bot.trouble["getChat"] = Permanent("chat_not_found")
    an_hour_passes(room)
    assert [code for code, _ in is_open(room)] == ["bot_not_in_chat"] * 2
    assert Customer.objects.filter(id=room.ann.id).exists()
    del room.bot.trouble["getChat"]
    chats = f"{NEW} {VAULT}"
    onboarding.update_integration(room.integration.id, {"chats": chats}, ACTOR)
    room.run_jobs()
    assert is_open(room) == []


def test_who_knocked_while_the_bot_could_not_hear_is_let_in(room: Backroom) -> None:
    room.subscribes()
    room.sent()
    own_standing(room, "member")  # Telegram tells it of no request now
    own_standing(room, "administrator")
    (call,) = room.calls("approveChatJoinRequest")
    room.sent(call)
    assert room.access().observed == "inside"


def test_who_did_not_knock_is_shown_the_way_once(room: Backroom) -> None:
    room.subscribes()
    room.sent()
    own_standing(room, "member")
    own_standing(room, "administrator")
    (call,) = room.calls("approveChatJoinRequest")
    room.failed(call, Permanent("request_missing"), ItemState.SKIPPED)
    assert len(room.texts()) == 1
    room.sent()
    own_standing(room, "administrator")
    assert room.calls() == []


def test_who_is_inside_hears_nothing_of_it(room: Backroom) -> None:
    room.subscribes()
    room.enters()
    room.bot.statuses[LOUNGE, ANN] = "member"
    own_standing(room, "member")
    own_standing(room, "administrator")
    assert room.calls() == []


def test_a_chat_that_was_made_again_takes_the_place_and_its_people_along(room: Backroom) -> None:
    room.subscribes()
    room.enters()
    room.bot.statuses[NEW, ANN] = "left"
    operations.replace_chat(room.lounge.id, f" {NEW} ", ACTOR)
    room.run_jobs()
    room.lounge.refresh_from_db()
    assert (room.lounge.telegram_id, room.lounge.problem) == (NEW, None)
    assert room.access().desired
    assert len(room.texts()) == 1
    room.sent()
    room.enters(NEW)
    assert room.access().observed == "inside"
    assert room.calls("unbanChatMember") == []


@pytest.mark.parametrize("given", ["", "x", str(VAULT), "5"])
def test_only_another_chat_can_take_the_place(room: Backroom, given: str) -> None:
    with pytest.raises(Invalid):
        operations.replace_chat(room.lounge.id, given, ACTOR)


# A group becomes a supergroup


def becomes_supergroup(room: Backroom) -> None:
    room.bot.moved[LOUNGE] = NEW


def moved(room: Backroom) -> bool:
    room.lounge.refresh_from_db()
    return room.lounge.telegram_id == NEW


@pytest.mark.parametrize("teller", ["old", "new"])
def test_the_service_message_swaps_the_id_everywhere(room: Backroom, teller: str) -> None:
    Chat.objects.filter(id=room.lounge.id).update(
        invite_link="https://t.me/+old", invite_link_at=NOW
    )
    room.subscribes()
    room.enters()
    call = OutboxItem.objects.create(
        integration=room.integration,
        customer=room.ann,
        chat_id=LOUNGE,
        method="unbanChatMember",
        params=msgspec.json.encode({"chat_id": LOUNGE, "user_id": ANN}),
        priority="grant",
        created_at=NOW,
        state="suspended",
    )
    becomes_supergroup(room)
    body: dict[str, object] = {"message_id": 1, "date": 1}
    if teller == "old":
        body |= {"chat": {"id": LOUNGE, "type": "group"}, "migrate_to_chat_id": NEW}
    else:
        body |= {"chat": {"id": NEW, "type": "supergroup"}, "migrate_from_chat_id": LOUNGE}
    assert room.update("message", body) == "handled"
    assert room.update("message", body) == "ignored"
    assert moved(room)
    assert room.lounge.invite_link == ""
    call.refresh_from_db()
    assert (call.chat_id, msgspec.json.decode(call.params)["chat_id"]) == (NEW, NEW)
    assert room.access().observed == "inside"
    assert room.run_jobs() == ["check"]
    assert is_open(room) == []


def test_a_call_that_is_told_of_the_new_id_swaps_it_and_counts(room: Backroom) -> None:
    room.subscribes()
    room.sent()
    room.asks()
    (call,) = room.calls("approveChatJoinRequest")
    becomes_supergroup(room)
    # What delivery makes of a 400 with the new id.
    call.chat_id = NEW
    call.params = msgspec.json.encode({"chat_id": NEW, "user_id": ANN})
    error = RetryLater("chat_migrated", migrate_to_chat_id=NEW, from_chat_id=LOUNGE)
    room.failed(call, error, ItemState.CLAIMED)
    assert moved(room)
    assert room.access().problem == ""
    room.sent(call)
    assert room.access().observed == "inside"


def test_a_move_that_nobody_told_of_is_seen_within_the_hour(room: Backroom) -> None:
    becomes_supergroup(room)
    an_hour_passes(room)
    assert moved(room)
    assert room.lounge.kind == "channel"  # as getChat tells it of the new one
    assert is_open(room) == []


def test_an_id_that_is_listed_already_is_left_to_the_operator(room: Backroom) -> None:
    room.bot.moved[LOUNGE] = VAULT
    an_hour_passes(room)
    assert is_open(room) == [("chat_migrated", f"chat:{room.lounge.id}")]
    onboarding.update_integration(room.integration.id, {"chats": str(VAULT)}, ACTOR)
    room.run_jobs()
    assert is_open(room) == []


# The token


@pytest.mark.parametrize("code", ["bot_unauthorized", "bot_not_found"])
def test_a_token_that_was_revoked_holds_everything_until_a_new_one_is_given(
    room: Backroom, code: str
) -> None:
    room.bot.trouble = dict.fromkeys(
        ("getMe", "getChat", "getChatMember", "getWebhookInfo"), NeedsOperator(code)
    )
    call = waits(room, NeedsOperator(code))
    assert is_open(room) == [(code, "")]
    assert told(room) == []  # the bot itself can't
    for _ in range(3):
        an_hour_passes(room)
    call.refresh_from_db()
    assert call.state == "suspended"
    assert Access.objects.get(customer=room.ann, chat=room.lounge).desired
    room.bot.trouble = {}
    onboarding.update_integration(room.integration.id, {"token": f"{BOT}:{'n' * 35}"}, ACTOR)
    room.run_jobs()
    assert is_open(room) == []
    assert room.bot.webhook is not None
    call.refresh_from_db()
    assert call.state == "pending"
    room.sent()
    assert room.access().observed == "inside"


def test_a_token_of_another_bot_is_not_taken_for_this_one(room: Backroom) -> None:
    room.bot.me = BOT + 1
    an_hour_passes(room)
    assert is_open(room) == [("token_of_another_bot", "")]
    assert "setWebhook" not in room.bot.called


# The webhook


def test_a_look_at_what_is_right_changes_nothing(room: Backroom) -> None:
    an_hour_passes(room)
    called = [one for one in room.bot.called if one != "getChatMemberCount"]
    assert sorted(set(called)) == ["getChat", "getChatMember", "getMe", "getWebhookInfo"]
    assert len(called) == 6


def test_a_webhook_that_leads_elsewhere_is_told_and_left(room: Backroom) -> None:
    room.bot.info = WebhookInfo(url="https://user:pw@evil.example/secret/path")
    an_hour_passes(room)
    assert is_open(room) == [("webhook_elsewhere", "")]
    assert Alert.objects.get().data == {"url": "evil.example"}
    an_hour_passes(room)
    assert "setWebhook" not in room.bot.called
    room.integration.refresh_from_db()
    assert room.integration.registration == "failed"
    operations.verify(room.integration.id, ACTOR)
    room.run_jobs()
    assert room.bot.info.url == HOOK
    assert is_open(room) == []


@pytest.mark.parametrize(
    "info", [WebhookInfo(url=""), WebhookInfo(url=HOOK, allowed_updates=("message",))]
)
def test_a_webhook_that_nobody_has_or_that_lacks_updates_is_set_again(
    room: Backroom, info: WebhookInfo
) -> None:
    room.bot.info = info
    an_hour_passes(room)
    assert room.bot.webhook == (HOOK, "hook")
    assert is_open(room) == []
    an_hour_passes(room)
    assert room.bot.called.count("setWebhook") == 1


def test_a_webhook_that_cannot_be_set_again_is_told(room: Backroom) -> None:
    room.bot.info = WebhookInfo(url="")
    room.bot.trouble["setWebhook"] = Permanent("bad_request")
    an_hour_passes(room)
    assert is_open(room) == [("webhook_missing", ""), ("webhook_refused", "")]


def failing(minutes_ago: int, waiting: int, room: Backroom) -> WebhookInfo:
    return WebhookInfo(
        url=HOOK,
        allowed_updates=ALLOWED_UPDATES,
        pending_update_count=waiting,
        last_error_date=int((room.now - timedelta(minutes=minutes_ago)).timestamp()),
        last_error_message="Connection refused",
    )


@pytest.mark.parametrize(
    ("minutes_ago", "waiting", "codes"),
    [
        (-60, 3, ["webhook_failing"]),
        (-60, 0, []),
        (60 * 24, 3, []),
        (60 * 24, 5000, ["updates_pending"]),
        (-60, 5000, ["webhook_failing", "updates_pending"]),
    ],
)
def test_deliveries_that_fail_and_updates_that_pile_up_are_told(
    room: Backroom, minutes_ago: int, waiting: int, codes: list[str]
) -> None:
    room.bot.info = failing(minutes_ago, waiting, room)
    an_hour_passes(room)
    assert [code for code, _ in is_open(room)] == codes
    room.bot.info = WebhookInfo(url=HOOK, allowed_updates=ALLOWED_UPDATES)
    minutes_pass(room)
    assert is_open(room) == []


# How it is looked at


def many(room: Backroom, number: int) -> None:
    row = room.integration
    rows = []
    for index in range(number):
        twin = Integration.objects.get(id=row.id)
        twin.pk, twin.name, twin.bot_id = None, f"bot {index}", 5000 + index
        twin.webhook_secret_hash = f"h{index}"
        rows.append(twin)
    Integration.objects.bulk_create(rows)


def test_many_bots_are_spread_over_the_hour(room: Backroom) -> None:
    many(room, 3000)
    later = NOW + timedelta(hours=5)
    share = 3000 * EVERY / AGE
    assert share <= len(list_due(later)) <= share * 1.5


def test_few_bots_are_looked_at_together(room: Backroom) -> None:
    many(room, LEAST - 1)
    assert len(list_due(NOW + 2 * HOUR)) == LEAST
    assert list_due(NOW + HOUR / 2) == []


def test_a_silent_telegram_is_not_asked_by_every_bot(room: Backroom) -> None:
    many(room, 100)
    room.bot.trouble["getMe"] = RetryLater("telegram_unavailable")
    room.later(2 * HOUR)
    room.sweep()
    assert room.bot.called.count("getMe") < 20
    assert Alert.objects.count() == 0


def test_bots_that_are_off_or_told_to_be_silent_are_left_alone(room: Backroom) -> None:
    assert list_due(NOW + 2 * HOUR) == [room.integration.id]
    Integration.objects.update(paused_until=NOW + 3 * HOUR)
    assert list_due(NOW + 2 * HOUR) == []
    Integration.objects.update(paused_until=None, active=False)
    assert list_due(NOW + 2 * HOUR) == []


def test_what_is_switched_off_needs_no_mending(room: Backroom) -> None:
    own_standing(room, "left")
    assert is_open(room)
    operations.set_active(room.integration.id, ACTOR, active=False)
    assert is_open(room) == []
    operations.set_active(room.integration.id, ACTOR, active=True)
    room.run_jobs()
    assert is_open(room)


def test_an_older_look_does_not_overwrite_a_newer_one(room: Backroom) -> None:
    touch([room.integration.id])
    onboarding.request_check(room.integration.id, cause="slow")
    Integration.objects.update(verified_at=NOW + HOUR)
    room.bot.statuses[LOUNGE, BOT] = "left"
    room.run_jobs()
    assert is_open(room) == []
