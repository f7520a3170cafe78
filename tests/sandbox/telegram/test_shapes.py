"""What the simulator sends is what aiogram's models of the Bot API expect."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from aiogram import types
from pydantic import TypeAdapter

from tests.processes import eventually
from tests.sandbox.telegram.place import ALL_UPDATES, Place

if TYPE_CHECKING:
    from tests.processes import Sandbox
    from tests.sandbox.telegram.receiver import Receiver


def unknown_members(given: Any, model: Any) -> set[str]:
    """Find the names in `given` that the model leaves in its extras."""
    extra = set(model.__pydantic_extra__ or {}) if hasattr(model, "__pydantic_extra__") else set()
    for name in type(model).model_fields if hasattr(type(model), "model_fields") else ():
        value = getattr(model, name)
        for inner in value if isinstance(value, list) else [value]:
            if hasattr(inner, "model_fields_set"):
                extra |= unknown_members(given, inner)
    return extra


@pytest.mark.parametrize("kind", ["channel", "supergroup"])
def test_updates_are_what_aiogram_expects(sandbox: Sandbox, receiver: Receiver, kind: str) -> None:
    place = Place(sandbox.telegram, kind=kind)
    allowed = [*ALL_UPDATES, "channel_post"]
    place.call("setWebhook", url=receiver.url, allowed_updates=allowed)
    place.start()
    markup = {"inline_keyboard": [[{"text": "a", "callback_data": "x"}]]}
    sent = place.call("sendMessage", chat_id=place.ann, text="x", reply_markup=markup)
    press = {"bot": place.username, "message_id": sent["message_id"], "data": "x", "wait": 0}
    place.do(place.ann, "callbacks", **press)
    place.do(place.ann, "links", url=place.join_link(name="door", creates_join_request=True))
    place.call("approveChatJoinRequest", chat_id=place.chat, user_id=place.ann)
    place.put_member(place.ann, status="restricted")
    place.call("banChatMember", chat_id=place.chat, user_id=place.ann)
    place.control("POST", f"chats/{place.chat}/posts", text="news")
    place.do(place.ann, "block", bot=place.username)
    expected = set(ALL_UPDATES) | ({"channel_post"} if kind == "channel" else set())
    eventually(lambda: {got.kind for got in receiver.got} >= expected)
    for got in receiver.got:
        update = types.Update.model_validate(got.update)
        assert update.event_type == got.kind
        assert not unknown_members(got.update, update)


@pytest.mark.parametrize("kind", ["channel", "supergroup"])
def test_answers_are_what_aiogram_expects(sandbox: Sandbox, kind: str) -> None:
    place = Place(sandbox.telegram, kind=kind)
    place.start()
    chat = {"chat_id": place.chat}
    member: TypeAdapter[Any] = TypeAdapter(types.ResultChatMemberUnion)
    types.User.model_validate(place.call("getMe"))
    types.WebhookInfo.model_validate(place.call("getWebhookInfo"))
    types.ChatFullInfo.model_validate(place.call("getChat", **chat))
    types.ChatFullInfo.model_validate(place.call("getChat", chat_id=place.ann))
    types.Message.model_validate(place.call("sendMessage", chat_id=place.ann, text="x"))
    types.Message.model_validate(place.call("sendMessage", **chat, text="x"))
    link = place.call("createChatInviteLink", **chat, creates_join_request=True)
    types.ChatInviteLink.model_validate(link)
    revoke = place.call("revokeChatInviteLink", **chat, invite_link=link["invite_link"])
    assert types.ChatInviteLink.model_validate(revoke).is_revoked
    assert place.call("exportChatInviteLink", **chat).startswith("https://t.me/+")
    statuses = ("member", "restricted", "left", "kicked", "administrator")
    for status in statuses:
        place.put_member(place.ann, status=status)
        found = place.call("getChatMember", **chat, user_id=place.ann)
        assert member.validate_python(found).status == status
    for one in place.call("getChatAdministrators", **chat):
        member.validate_python(one)
