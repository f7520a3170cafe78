"""Every refusal that the product decides by comes under the condition that the vendor names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.sandbox.telegram.place import Place, Refusal

if TYPE_CHECKING:
    from tests.processes import Sandbox


def test_a_revoked_token_is_unauthorized_and_its_successor_works(place: Place) -> None:
    old = place.token
    place.token = place.control("POST", f"bots/{place.username}/token")["token"]
    answer = place.phone.post(f"/bot{old}/getMe")
    assert (answer.status_code, answer.json()["description"]) == (401, "Unauthorized")
    assert place.call("getMe")["id"] == place.bot_id


@pytest.mark.parametrize("token", ["", "abc", "123", "123:short", "x:" + "a" * 35])
def test_a_malformed_token_is_not_found(place: Place, token: str) -> None:
    answer = place.phone.post(f"/bot{token}/getMe")
    assert (answer.status_code, answer.json()["description"]) == (404, "Not Found")


def test_an_unknown_method_is_not_found(place: Place) -> None:
    assert place.refusal("sendPigeon") == Refusal(404, "Not Found: method not found")


def test_a_new_token_says_that_it_is_of_the_sandbox(place: Place) -> None:
    assert ":SANDBOX_" in place.token
    assert len(place.token.partition(":")[2]) == 35


def test_who_never_pressed_start_cant_be_written_to(place: Place) -> None:
    expected = Refusal(403, "Forbidden: bot can't initiate conversation with a user")
    assert place.refusal("sendMessage", chat_id=place.ann, text="hi") == expected


def test_who_blocked_the_bot_cant_be_written_to_until_they_unblock(place: Place) -> None:
    place.start()
    place.do(place.ann, "block", bot=place.username)
    expected = Refusal(403, "Forbidden: bot was blocked by the user")
    assert place.refusal("sendMessage", chat_id=place.ann, text="hi") == expected
    assert place.refusal("sendChatAction", chat_id=place.ann, action="typing") == expected
    place.do(place.ann, "unblock", bot=place.username)
    place.call("sendMessage", chat_id=place.ann, text="hi")


def test_a_deleted_account_cant_be_written_to(place: Place) -> None:
    place.start()
    place.control("PATCH", f"users/{place.ann}", deactivated=True)
    expected = Refusal(403, "Forbidden: user is deactivated")
    assert place.refusal("sendMessage", chat_id=place.ann, text="hi") == expected


@pytest.mark.parametrize("chat", [1, -100999, "@nobody", "nonsense", -1_003_999_999_999])
def test_an_unknown_chat_is_not_found(place: Place, chat: int | str) -> None:
    expected = Refusal(400, "Bad Request: chat not found")
    assert place.refusal("sendMessage", chat_id=chat, text="hi") == expected


def test_an_empty_chat_id_is_named(place: Place) -> None:
    expected = Refusal(400, "Bad Request: chat_id is empty")
    assert place.refusal("sendMessage", chat_id="", text="hi") == expected


def test_bots_dont_write_to_bots(place: Place) -> None:
    expected = Refusal(403, "Forbidden: bot can't send messages to bots")
    assert place.refusal("sendMessage", chat_id=place.bot_id, text="hi") == expected


@pytest.mark.parametrize(
    ("status", "description"),
    [
        ("kicked", "Forbidden: bot was kicked from the channel chat"),
        ("left", "Forbidden: bot is not a member of the channel chat"),
    ],
)
def test_a_bot_that_is_out_of_the_chat_is_told_how(
    place: Place, status: str, description: str
) -> None:
    place.put_member(place.bot_id, status=status)
    for method in ("getChat", "createChatInviteLink", "exportChatInviteLink"):
        assert place.refusal(method, chat_id=place.chat) == Refusal(403, description)
    for method in ("getChatMember", "banChatMember", "approveChatJoinRequest"):
        answer = place.refusal(method, chat_id=place.chat, user_id=place.ann)
        assert answer == Refusal(403, description)


def test_a_deleted_chat_is_named(place: Place) -> None:
    place.control("DELETE", f"chats/{place.chat}")
    expected = Refusal(403, "Forbidden: the group chat was deleted")
    assert place.refusal("sendMessage", chat_id=place.chat, text="hi") == expected


def test_an_upgraded_group_names_its_supergroup(sandbox: Sandbox) -> None:
    place = Place(sandbox.telegram, kind="group")
    grown = place.control("POST", f"chats/{place.chat}/upgrade")["id"]
    answer = place.post("sendMessage", chat_id=place.chat, text="hi")
    assert answer.status_code == 400
    assert answer.json() == {
        "ok": False,
        "error_code": 400,
        "description": "Bad Request: group chat was upgraded to a supergroup chat",
        "parameters": {"migrate_to_chat_id": grown},
    }
    place.call("sendMessage", chat_id=grown, text="hi")


@pytest.mark.parametrize(
    ("method", "right", "what"),
    [
        ("createChatInviteLink", "can_invite_users", "manage chat invite link"),
        ("approveChatJoinRequest", "can_invite_users", "manage chat join requests"),
        ("declineChatJoinRequest", "can_invite_users", "manage chat join requests"),
        ("banChatMember", "can_restrict_members", "restrict/unrestrict chat member"),
        ("unbanChatMember", "can_restrict_members", "restrict/unrestrict chat member"),
    ],
)
def test_a_missing_right_is_named(place: Place, method: str, right: str, what: str) -> None:
    place.put_member(place.bot_id, status="administrator", **{right: False})
    params = {"chat_id": place.chat} | ({"user_id": place.ann} if "Link" not in method else {})
    assert place.refusal(method, **params) == Refusal(
        400, f"Bad Request: not enough rights to {what}"
    )


def test_a_bot_without_the_right_to_post_cant_post_in_a_channel(place: Place) -> None:
    place.put_member(place.bot_id, status="administrator", can_post_messages=False)
    expected = Refusal(400, "Bad Request: need administrator rights in the channel chat")
    assert place.refusal("sendMessage", chat_id=place.chat, text="hi") == expected


def test_owner_administrators_and_the_bot_itself_cant_be_removed(place: Place) -> None:
    place.put_member(place.ann, status="administrator")
    cases = {
        place.owner: "can't remove chat owner",
        place.ann: "user is an administrator of the chat",
        place.bot_id: "can't restrict self",
    }
    for user, description in cases.items():
        for method in ("banChatMember", "unbanChatMember"):
            answer = place.refusal(method, chat_id=place.chat, user_id=user)
            assert answer == Refusal(400, f"Bad Request: {description}")


def test_an_unknown_person_is_no_participant(place: Place) -> None:
    expected = Refusal(400, "Bad Request: PARTICIPANT_ID_INVALID")
    assert place.refusal("getChatMember", chat_id=place.chat, user_id=42) == expected
    assert place.refusal("banChatMember", chat_id=place.chat, user_id=42) == expected


def test_a_request_that_isnt_there_cant_be_decided(place: Place) -> None:
    expected = Refusal(400, "Bad Request: HIDE_REQUESTER_MISSING")
    for method in ("approveChatJoinRequest", "declineChatJoinRequest"):
        assert place.refusal(method, chat_id=place.chat, user_id=place.ann) == expected


def test_who_is_in_already_cant_be_approved(place: Place) -> None:
    place.put_member(place.ann, status="member")
    expected = Refusal(400, "Bad Request: USER_ALREADY_PARTICIPANT")
    answer = place.refusal("approveChatJoinRequest", chat_id=place.chat, user_id=place.ann)
    assert answer == expected


def test_who_is_in_too_many_channels_cant_be_approved(place: Place) -> None:
    place.do(place.ann, "links", url=place.join_link())
    place.control("PATCH", f"users/{place.ann}", too_many_chats=True)
    answer = place.refusal("approveChatJoinRequest", chat_id=place.chat, user_id=place.ann)
    assert answer == Refusal(400, "Bad Request: USER_CHANNELS_TOO_MUCH")


def test_an_unchanged_message_is_not_modified(place: Place) -> None:
    place.start()
    sent = place.call("sendMessage", chat_id=place.ann, text="<b>a</b>", parse_mode="HTML")
    answer = place.refusal(
        "editMessageText",
        chat_id=place.ann,
        message_id=sent["message_id"],
        text="<b>a</b>",
        parse_mode="HTML",
    )
    assert answer.status == 400
    assert answer.description.startswith("Bad Request: message is not modified: ")


def test_a_press_is_answered_once_and_in_time(sandbox: Sandbox, place: Place) -> None:
    too_old = Refusal(
        400,
        "Bad Request: query is too old and response timeout expired or query ID is invalid",
    )
    place.start()
    keyboard = {"inline_keyboard": [[{"text": "a", "callback_data": "x"}]]}
    sent = place.call("sendMessage", chat_id=place.ann, text="a", reply_markup=keyboard)
    press = {"bot": place.username, "message_id": sent["message_id"], "data": "x", "wait": 0}
    first = place.do(place.ann, "callbacks", **press)["id"]
    place.call("answerCallbackQuery", callback_query_id=first)
    assert place.refusal("answerCallbackQuery", callback_query_id=first) == too_old
    assert place.refusal("answerCallbackQuery", callback_query_id="77") == too_old
    second = place.do(place.ann, "callbacks", **press)["id"]
    assert sandbox.stripe.post("/control/clock", json={"seconds": 3600}).status_code == 200
    assert place.refusal("answerCallbackQuery", callback_query_id=second) == too_old


def test_the_webhook_is_set_once_a_second_at_most(place: Place) -> None:
    place.call("setWebhook", url="https://example.com/hook")
    answer = place.post("setWebhook", url="https://example.com/hook")
    assert answer.status_code == 429
    assert answer.json()["parameters"] == {"retry_after": 1}
    place.faults(webhook_pace=False)
    place.call("setWebhook", url="https://example.com/hook")


def test_a_chat_takes_a_burst_and_then_one_message_a_second(place: Place) -> None:
    place.start()
    place.faults(strict_pace=True)
    for _ in range(5):
        place.call("sendMessage", chat_id=place.ann, text="hi")
    answer = place.post("sendMessage", chat_id=place.ann, text="hi")
    assert answer.status_code == 429
    assert answer.json()["description"] == "Too Many Requests: retry after 1"
    assert answer.json()["parameters"] == {"retry_after": 1}


def test_updates_come_by_webhook_only(place: Place) -> None:
    answer = place.refusal("getUpdates")
    assert answer.status == 409
    assert answer.description.startswith("Conflict: ")
