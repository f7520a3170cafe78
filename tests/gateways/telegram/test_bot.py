"""Every method of the bot, with its request checked against aiogram's models."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from tests.gateways import hostile
from tests.gateways.acting import ActingBot
from tests.gateways.wire import check_bot_api_request
from velvetrope.domain.errors import Permanent, RetryLater
from velvetrope.gateways.telegram.bot import BotApi
from velvetrope.gateways.telegram.client import TelegramClient
from velvetrope.gateways.telegram.records import BotCommand

if TYPE_CHECKING:
    import asyncio

TOKEN = "123456789:SECRETsecretSECRETsecretSECRETsecre"
CHANNEL, PERSON = -1001234567890, 5_000_000_001

CHAT = {"id": PERSON, "type": "private", "first_name": "Олена"}
MESSAGE = {"message_id": 17, "date": 1_790_000_000, "chat": CHAT, "text": "hi"}
LINK = {
    "invite_link": "https://t.me/+abc",
    "creator": {"id": 123456789, "is_bot": True, "first_name": "Door"},
    "creates_join_request": True,
    "is_primary": False,
    "is_revoked": False,
}
MEMBER = {"status": "member", "user": {"id": PERSON, "is_bot": False, "first_name": "Олена"}}

RESULTS: dict[str, object] = {
    "getMe": {"id": 123456789, "is_bot": True, "first_name": "Door", "username": "door_bot"},
    "getWebhookInfo": {"url": "https://x.example/h", "pending_update_count": 3},
    "getChat": {"id": CHANNEL, "type": "channel", "title": "Клуб", "max_reaction_count": 11},
    "getChatMember": MEMBER,
    "getChatMemberCount": 12,
    "createChatInviteLink": LINK,
    "editChatInviteLink": LINK,
    "editMessageText": MESSAGE,
}

Call = Callable[[ActingBot], Awaitable[object]]

KEYBOARD = [
    [{"text": "Pay", "url": "https://pay.example/c/1"}],
    [{"text": "Plans", "callback_data": "plans"}],
]
CALLS: dict[str, Call] = {
    "getMe": lambda bot: bot.get_me(),
    "setWebhook": lambda bot: bot.set_webhook("https://x.example/h", secret_token="s-1_A"),
    "getWebhookInfo": lambda bot: bot.get_webhook_info(),
    "setMyCommands": lambda bot: bot.set_my_commands(
        [BotCommand("start", "Почати"), BotCommand("plans", "Тарифи")], language_code="uk"
    ),
    "setMyDescription": lambda bot: bot.set_my_description("d" * 512, language_code="ru"),
    "setMyShortDescription": lambda bot: bot.set_my_short_description("d" * 120),
    "getChat": lambda bot: bot.get_chat(CHANNEL),
    "getChatMember": lambda bot: bot.get_chat_member(CHANNEL, PERSON),
    "getChatMemberCount": lambda bot: bot.get_chat_member_count(CHANNEL),
    "createChatInviteLink": lambda bot: bot.create_chat_invite_link(CHANNEL, name="Velvet Rope"),
    "editChatInviteLink": lambda bot: bot.edit_chat_invite_link(CHANNEL, "https://t.me/+abc"),
    "approveChatJoinRequest": lambda bot: bot.approve(CHANNEL, PERSON),
    "declineChatJoinRequest": lambda bot: bot.decline(CHANNEL, PERSON),
    "editMessageText": lambda bot: bot.edit(PERSON, 17, "інше", KEYBOARD),
}


async def _vendor(request: hostile.Request, writer: asyncio.StreamWriter) -> None:
    result = RESULTS.get(request.path.rpartition("/")[2], True)
    await hostile.answering({"ok": True, "result": result})(request, writer)


def _refusing(status: int, description: str) -> hostile.Reply:
    answer = {"ok": False, "error_code": status, "description": description}
    return hostile.answering(answer, status)


async def _ask(reply: hostile.Reply, call: Call) -> tuple[object, list[hostile.Request]]:
    async with hostile.serving(reply) as server, aiohttp.ClientSession() as session:
        result = await call(ActingBot(TelegramClient(session, server.url), TOKEN))
    return result, server.requests


@pytest.mark.parametrize("method", sorted(CALLS))
async def test_every_request_is_one_that_aiogram_knows(method: str) -> None:
    _, (request,) = await _ask(_vendor, CALLS[method])
    assert request.path == f"/bot{TOKEN}/{method}"
    check_bot_api_request(method, json.loads(request.body))


@pytest.mark.parametrize("method", sorted(set(CALLS) & set(RESULTS)))
async def test_a_result_of_another_shape_is_trouble_on_their_side(method: str) -> None:
    if method == "editMessageText":
        return  # its result is not looked at
    with pytest.raises(RetryLater) as caught:
        await _ask(hostile.answering({"ok": True, "result": "?"}), CALLS[method])
    assert caught.value.code == "telegram_unavailable"


async def test_results_are_read() -> None:
    async def result_of(method: str) -> Any:
        return (await _ask(_vendor, CALLS[method]))[0]

    assert (await result_of("getMe")).username == "door_bot"
    assert (await result_of("getWebhookInfo")).pending_update_count == 3
    assert (await result_of("getChat")).title == "Клуб"
    assert (await result_of("getChatMember")).is_inside
    assert await result_of("getChatMemberCount") == 12
    assert (await result_of("createChatInviteLink")).creates_join_request
    assert await result_of("editMessageText") is True
    assert await result_of("approveChatJoinRequest") is True


async def test_letting_in_somebody_who_is_in_is_a_success() -> None:
    refusing = _refusing(400, "Bad Request: USER_ALREADY_PARTICIPANT")
    approved, _ = await _ask(refusing, CALLS["approveChatJoinRequest"])
    declined, _ = await _ask(refusing, CALLS["declineChatJoinRequest"])
    assert (approved, declined) == (False, False)


async def test_a_message_that_reads_so_already_is_a_success() -> None:
    refusing = _refusing(400, "Bad Request: message is not modified")
    assert (await _ask(refusing, CALLS["editMessageText"]))[0] is False


async def test_stored_calls_learn_that_there_was_nothing_to_do() -> None:
    refusing = _refusing(400, "Bad Request: USER_ALREADY_PARTICIPANT")
    params = {"chat_id": CHANNEL, "user_id": PERSON}
    performed: Any = (
        await _ask(refusing, lambda bot: bot.perform("approveChatJoinRequest", params))
    )[0]
    assert (performed.result, performed.already) == (None, "already_participant")


async def test_other_refusals_stay_failures() -> None:
    with pytest.raises(Permanent) as caught:
        await _ask(
            _refusing(400, "Bad Request: HIDE_REQUESTER_MISSING"), CALLS["approveChatJoinRequest"]
        )
    assert caught.value.code == "request_missing"


async def test_a_bot_shows_its_id_but_not_its_token() -> None:
    async with aiohttp.ClientSession() as session:
        shown = repr(BotApi(TelegramClient(session, "http://127.0.0.1:9"), TOKEN))
    assert shown == "BotApi(bot 123456789)"
