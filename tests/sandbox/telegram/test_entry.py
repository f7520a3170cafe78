from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.processes import eventually
from tests.sandbox.telegram.place import ALL_UPDATES, Place, Refusal

if TYPE_CHECKING:
    from tests.processes import Sandbox
    from tests.sandbox.telegram.receiver import Receiver


@pytest.fixture
def told(place: Place, receiver: Receiver) -> Place:
    """Give a place whose bot is told everything from now on."""
    place.call(
        "setWebhook", url=receiver.url, allowed_updates=ALL_UPDATES, drop_pending_updates=True
    )
    return place


def test_a_request_is_told_approved_and_lets_the_person_in(told: Place, receiver: Receiver) -> None:
    link = told.join_link()
    assert told.do(told.ann, "links", url=link)["outcome"] == "requested"
    assert told.dialog(told.ann, told.chat)["request"] == "pending"
    (asked,) = receiver.wait(1)
    request = asked.update["chat_join_request"]
    assert request["user_chat_id"] == request["from"]["id"] == told.ann
    assert request["invite_link"]["invite_link"] == link
    told.call("approveChatJoinRequest", chat_id=told.chat, user_id=told.ann)
    came = receiver.wait(2)[1].update["chat_member"]
    assert came["old_chat_member"]["status"] == "left"
    assert came["new_chat_member"]["status"] == "member"
    assert came["via_join_request"] is True
    assert came["invite_link"]["invite_link"] == link
    seen = told.dialog(told.ann, told.chat)
    assert (seen["is_in"], seen["request"]) == (True, "approved")
    assert told.status_of(told.ann) == "member"
    assert told.do(told.ann, "links", url=link)["outcome"] == "already"


def test_who_came_and_went_and_by_whose_hand_is_on_record(told: Place) -> None:
    told.do(told.ann, "links", url=told.join_link())
    told.call("approveChatJoinRequest", chat_id=told.chat, user_id=told.ann)
    told.call("unbanChatMember", chat_id=told.chat, user_id=told.ann)
    told.put_member(told.ann, status="member")
    told.do(told.ann, "leave", chat=told.chat)
    moves = [
        (one["was_in"], one["is_in"], one["actor"] == told.ann)
        for one in told.control("GET", "movements?limit=20000")["movements"]
        if (one["chat"], one["user"]) == (told.chat, told.ann)
    ]
    assert moves == [
        (False, True, False),
        (True, False, False),
        (False, True, False),
        (True, False, True),
    ]


def test_a_waiting_request_is_told_once(told: Place, receiver: Receiver) -> None:
    link = told.join_link()
    told.do(told.ann, "links", url=link)
    told.do(told.ann, "links", url=link)
    told.start()
    assert {got.kind for got in receiver.wait(2)} == {"chat_join_request", "message"}
    assert len(receiver.got) == 2


def test_who_asks_can_be_written_to_until_the_request_is_decided(told: Place) -> None:
    told.do(told.ann, "links", url=told.join_link())
    told.call("sendMessage", chat_id=told.ann, text="The plans")
    told.call("declineChatJoinRequest", chat_id=told.chat, user_id=told.ann)
    assert told.dialog(told.ann, told.chat)["request"] == "declined"
    expected = Refusal(403, "Forbidden: bot can't initiate conversation with a user")
    assert told.refusal("sendMessage", chat_id=told.ann, text="x") == expected


def test_who_asks_can_be_written_to_for_five_minutes_only(sandbox: Sandbox, told: Place) -> None:
    told.do(told.ann, "links", url=told.join_link())
    sandbox.stripe.post("/control/clock", json={"seconds": 301})
    assert told.refusal("sendMessage", chat_id=told.ann, text="x").status == 403


def test_a_request_can_be_taken_back_and_made_again(told: Place) -> None:
    link = told.join_link()
    told.do(told.ann, "links", url=link)
    told.do(told.ann, "withdraw", chat=told.chat)
    expected = Refusal(400, "Bad Request: HIDE_REQUESTER_MISSING")
    answer = told.refusal("approveChatJoinRequest", chat_id=told.chat, user_id=told.ann)
    assert answer == expected
    assert told.do(told.ann, "links", url=link)["outcome"] == "requested"


def test_a_request_that_the_owner_decides_is_gone_for_the_bot(told: Place) -> None:
    told.do(told.ann, "links", url=told.join_link())
    told.control("POST", f"chats/{told.chat}/requests/{told.ann}", approve=True)
    answer = told.refusal("approveChatJoinRequest", chat_id=told.chat, user_id=told.ann)
    assert answer == Refusal(400, "Bad Request: USER_ALREADY_PARTICIPANT")


def test_a_revoked_or_expired_link_leads_nowhere(sandbox: Sandbox, told: Place) -> None:
    link = told.join_link()
    told.call("revokeChatInviteLink", chat_id=told.chat, invite_link=link)
    assert told.do(told.ann, "links", url=link)["outcome"] == "expired"
    now = told.call("sendMessage", chat_id=told.chat, text="x")["date"]
    short = told.join_link(expire_date=now + 60, creates_join_request=True)
    assert told.do(told.ann, "links", url=short)["outcome"] == "requested"
    sandbox.stripe.post("/control/clock", json={"seconds": 61})
    assert told.do(told.new_person("Bea"), "links", url=short)["outcome"] == "expired"


def test_a_member_limit_counts_who_is_in_now(told: Place) -> None:
    link, bea = told.join_link(member_limit=1), told.new_person("Bea")
    assert told.do(told.ann, "links", url=link)["outcome"] == "joined"
    assert told.do(bea, "links", url=link)["outcome"] == "full"
    told.do(told.ann, "leave", chat=told.chat)
    assert told.do(bea, "links", url=link)["outcome"] == "joined"


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        (
            {"member_limit": 1, "creates_join_request": True},
            "member limit can't be specified for links requiring administrator approval",
        ),
        ({"name": "x" * 33}, "invite link name is too long"),
        ({"member_limit": 100_000}, "USAGE_LIMIT_INVALID"),
        ({"expire_date": 1}, "EXPIRE_DATE_INVALID"),
    ],
)
def test_a_links_fields_keep_to_the_limits(
    place: Place, fields: dict[str, object], complaint: str
) -> None:
    answer = place.refusal("createChatInviteLink", chat_id=place.chat, **fields)
    assert answer == Refusal(400, f"Bad Request: {complaint}")


def test_a_bot_revokes_only_its_own_links(place: Place) -> None:
    foreign = place.control("POST", f"chats/{place.chat}/links")["invite_link"]
    answer = place.refusal("revokeChatInviteLink", chat_id=place.chat, invite_link=foreign)
    assert answer.status == 400


def test_a_ban_keeps_out_until_it_is_lifted(told: Place, receiver: Receiver) -> None:
    link = told.join_link()
    told.put_member(told.ann, status="member")
    told.call("banChatMember", chat_id=told.chat, user_id=told.ann)
    assert told.status_of(told.ann) == "kicked"
    assert told.do(told.ann, "links", url=link)["outcome"] == "banned"
    told.call("unbanChatMember", chat_id=told.chat, user_id=told.ann, only_if_banned=True)
    assert told.status_of(told.ann) == "left"
    assert told.do(told.ann, "links", url=link)["outcome"] == "requested"
    steps = [
        (got.update["chat_member"]["old_chat_member"], got.update["chat_member"]["new_chat_member"])
        for got in receiver.wait(4)
        if got.kind == "chat_member"
    ]
    assert [(old["status"], new["status"]) for old, new in steps] == [
        ("left", "member"),
        ("member", "kicked"),
        ("kicked", "left"),
    ]


def test_a_ban_may_end_by_itself_but_a_very_short_one_is_for_ever(
    sandbox: Sandbox, place: Place
) -> None:
    bea = place.new_person("Bea")
    now = place.call("sendMessage", chat_id=place.chat, text="x")["date"]
    ban = {"chat_id": place.chat}
    place.call("banChatMember", **ban, user_id=place.ann, until_date=now + 3600)
    place.call("banChatMember", **ban, user_id=bea, until_date=now + 5)
    sandbox.stripe.post("/control/clock", json={"seconds": 3601})
    assert place.status_of(place.ann) == "left"
    assert place.status_of(bea) == "kicked"


def test_unban_removes_a_member_and_leaves_them_free_to_return(place: Place) -> None:
    place.put_member(place.ann, status="member")
    unban = {"chat_id": place.chat, "user_id": place.ann}
    place.call("unbanChatMember", **unban, only_if_banned=True)
    assert place.status_of(place.ann) == "member"
    place.call("unbanChatMember", **unban)
    assert place.status_of(place.ann) == "left"
    assert place.do(place.ann, "links", url=place.join_link())["outcome"] == "requested"


def test_only_supergroups_and_channels_know_requests_and_unbans(sandbox: Sandbox) -> None:
    group = Place(sandbox.telegram, kind="group")
    expected = Refusal(
        400, "Bad Request: method is available for supergroup and channel chats only"
    )
    made = {"chat_id": group.chat, "creates_join_request": True}
    assert group.refusal("createChatInviteLink", **made) == expected
    unban = {"chat_id": group.chat, "user_id": group.ann}
    assert group.refusal("unbanChatMember", **unban) == expected


def test_the_bot_is_told_of_its_own_rights_and_of_being_blocked(
    told: Place, receiver: Receiver
) -> None:
    told.put_member(told.bot_id, status="administrator", can_invite_users=False)
    told.do(told.ann, "block", bot=told.username)
    told.do(told.ann, "unblock", bot=told.username)
    changes = [got.update["my_chat_member"] for got in receiver.wait(3)]
    (rights,) = [change for change in changes if change["chat"]["type"] == "channel"]
    private = [change for change in changes if change["chat"]["type"] == "private"]
    assert rights["new_chat_member"]["can_invite_users"] is False
    states = [change["new_chat_member"]["status"] for change in private]
    assert states == ["kicked", "member"]


def test_a_bot_without_the_right_to_invite_hears_of_no_requests(
    told: Place, receiver: Receiver
) -> None:
    link = told.join_link()
    told.put_member(told.bot_id, status="administrator", can_invite_users=False)
    told.do(told.ann, "links", url=link)
    told.start()
    assert {got.kind for got in receiver.wait(2)} == {"my_chat_member", "message"}


def test_start_links_carry_their_payload(told: Place, receiver: Receiver) -> None:
    url = f"https://t.me/{told.username}?start=spring_sale"
    answer = told.do(told.ann, "links", url=url)
    assert (answer["outcome"], answer["payload"]) == ("started", "spring_sale")
    (got,) = receiver.wait(1)
    assert got.text == "/start spring_sale"
    assert got.update["message"]["entities"] == [{"type": "bot_command", "offset": 0, "length": 6}]


def test_posts_are_seen_by_who_is_in(place: Place) -> None:
    place.control("POST", f"chats/{place.chat}/posts", text="<b>Hello</b>")
    place.do(place.ann, "links", url=place.join_link(), look=True)
    outside = place.dialog(place.ann, place.chat)
    assert (outside["is_in"], outside["messages"], outside["asks_approval"]) == (False, [], True)
    place.put_member(place.ann, status="member")
    inside = place.dialog(place.ann, place.chat)
    assert [message["text"] for message in inside["messages"]] == ["Hello"]
    refused = place.phone.post(
        f"/control/chats/{place.chat}/posts", json={"text": "x", "from": place.ann}
    )
    assert refused.status_code == 403


def test_a_chat_shows_its_members_requests_and_links(place: Place) -> None:
    link = place.join_link()
    place.do(place.ann, "links", url=link)
    shown = place.phone.get(f"/control/chats/{place.chat}").json()
    assert {(m["id"], m["status"]) for m in shown["members"]} == {
        (place.owner, "creator"),
        (place.bot_id, "administrator"),
    }
    assert [(r["user"], r["state"]) for r in shown["join_requests"]] == [(place.ann, "pending")]
    assert [made["invite_link"] for made in shown["invite_links"]] == [link]
    administrators = place.call("getChatAdministrators", chat_id=place.chat)
    assert {one["status"] for one in administrators} == {"creator", "administrator"}


def test_leaving_is_told_and_ends_what_the_person_sees(told: Place, receiver: Receiver) -> None:
    told.put_member(told.ann, status="member")
    told.do(told.ann, "leave", chat=told.chat)
    left = receiver.wait(2)[1].update["chat_member"]
    assert left["from"]["id"] == told.ann
    assert left["new_chat_member"]["status"] == "left"
    eventually(lambda: not told.dialog(told.ann, told.chat)["is_in"])


def test_a_press_gets_the_bots_answer(told: Place, receiver: Receiver) -> None:
    told.start()
    markup = {"inline_keyboard": [[{"text": "a", "callback_data": "plan:1"}]]}
    sent = told.call("sendMessage", chat_id=told.ann, text="x", reply_markup=markup)
    press = {"bot": told.username, "message_id": sent["message_id"], "data": "plan:1"}
    unanswered = told.do(told.ann, "callbacks", **press, wait=0)
    assert unanswered["answered"] is False
    query = next(got for got in receiver.wait(2) if got.kind == "callback_query")
    assert query.update["callback_query"]["data"] == "plan:1"
    assert query.update["callback_query"]["id"] == unanswered["id"]
    told.call("answerCallbackQuery", callback_query_id=unanswered["id"], text="Chosen")


def test_the_bot_can_leave(told: Place) -> None:
    told.call("leaveChat", chat_id=told.chat)
    answer = told.refusal("getChat", chat_id=told.chat)
    assert answer == Refusal(403, "Forbidden: bot is not a member of the channel chat")
