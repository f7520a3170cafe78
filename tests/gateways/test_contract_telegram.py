"""The whole surface of the bot against the simulated Telegram: both agree about the vendor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import aiohttp
import msgspec
import pytest

from tests.gateways.acting import ActingBot
from tests.gateways.wire import check_calls_of
from tests.processes import Sandbox
from velvetrope.domain.errors import NeedsOperator, Permanent, RetryLater, VelvetError
from velvetrope.gateways.telegram import errors
from velvetrope.gateways.telegram.bot import ALLOWED_UPDATES, BotApi
from velvetrope.gateways.telegram.client import TelegramClient, Timeouts
from velvetrope.gateways.telegram.records import BotCommand

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Iterator


RIGHTS = {"can_invite_users": True, "can_restrict_members": True}


class Stage(msgspec.Struct):
    """A bot with rights in a channel, its owner, and a person who has pressed /start."""

    sandbox: Sandbox
    bot_id: int
    username: str
    token: str
    owner: int
    person: int
    channel: int

    def control(self, method: str, path: str, **body: object) -> Any:
        answer = self.sandbox.telegram.request(method, f"/control/{path}", json=body)
        assert answer.is_success, answer.text
        return answer.json()

    def new_person(self, *, started: bool = True) -> int:
        person: int = self.control("POST", "users", first_name="Олена", language_code="uk")["id"]
        if started:
            self.control("POST", f"users/{person}/messages", bot=self.username, text="/start")
        return person

    def put(self, chat: int, user: int, status: str, **rights: bool) -> None:
        self.control("PUT", f"chats/{chat}/members/{user}", status=status, rights=rights)

    def standing(self, user: int) -> str:
        members = self.control("GET", f"chats/{self.channel}")["members"]
        return next((one["status"] for one in members if one["id"] == user), "left")


@pytest.fixture
def stage(sandbox: Sandbox) -> Iterator[Stage]:
    post = sandbox.telegram.post
    post("/control/faults", json={"reset": True}).raise_for_status()
    bot = post(
        "/control/bots", json={"name": "Door", "username": f"door_{uuid4().hex[:8]}_bot"}
    ).json()
    owner = post("/control/users", json={"first_name": "Власниця"}).json()["id"]
    channel = post(
        "/control/chats", json={"title": "Клуб", "kind": "channel", "owner": owner}
    ).json()["id"]
    made = Stage(sandbox, bot["id"], bot["username"], bot["token"], owner, 0, channel)
    made.put(channel, made.bot_id, "administrator", **RIGHTS)
    made.person = made.new_person()
    yield made
    post("/control/faults", json={"reset": True}).raise_for_status()


@pytest.fixture
async def bot(stage: Stage) -> AsyncIterator[ActingBot]:
    async with aiohttp.ClientSession() as session:
        yield ActingBot(_client(session, stage), stage.token)


@pytest.fixture(scope="module", autouse=True)
def second_opinion(sandbox: Sandbox) -> Iterator[None]:
    """Put every request of this module before aiogram's models."""
    yield
    assert check_calls_of(sandbox) > 50


def _client(session: aiohttp.ClientSession, stage: Stage) -> TelegramClient:
    return TelegramClient(
        session, stage.sandbox.telegram_url, timeout=Timeouts(connect=2, read=0.5, total=5)
    )


async def _refusal(call: Awaitable[object], kind: type[VelvetError], code: str) -> VelvetError:
    with pytest.raises(VelvetError) as caught:
        await call
    assert (type(caught.value), caught.value.code) == (kind, code), caught.value
    return caught.value


async def test_a_bot_knows_itself(bot: ActingBot, stage: Stage) -> None:
    me = await bot.get_me()
    assert (me.id, me.username, me.is_bot) == (stage.bot_id, stage.username, True)


async def test_a_webhook_is_set_looked_at_and_deleted(bot: ActingBot) -> None:
    url = "https://door.example/telegram/bots/webhooks"
    await bot.set_webhook(url, secret_token="secret-1_A")
    info = await bot.get_webhook_info()
    assert info.url == url
    assert sorted(info.allowed_updates) == sorted(ALLOWED_UPDATES)
    assert info.max_connections == 100
    await bot.act("deleteWebhook", drop_pending_updates=True)
    assert (await bot.get_webhook_info()).url == ""


async def test_commands_and_descriptions_are_set_in_every_language(bot: ActingBot) -> None:
    for language in (None, "en", "uk", "ru"):
        await bot.set_my_commands([BotCommand("plans", "Тарифи")], language_code=language)
        await bot.set_my_description("d" * 512, language_code=language)
        await bot.set_my_short_description("d" * 120, language_code=language)


async def test_a_channel_and_who_is_in_it_are_seen(bot: ActingBot, stage: Stage) -> None:
    chat = await bot.get_chat(stage.channel)
    assert (chat.id, chat.type, chat.title) == (stage.channel, "channel", "Клуб")
    own = await bot.get_chat_member(stage.channel, stage.bot_id)
    assert own.is_admin
    assert (own.can_invite_users, own.can_restrict_members) == (True, True)
    assert (await bot.get_chat_member(stage.channel, stage.owner)).status == "creator"
    assert not (await bot.get_chat_member(stage.channel, stage.person)).is_inside
    administrators = await bot.act("getChatAdministrators", chat_id=stage.channel)
    assert {one["user"]["id"] for one in administrators} == {stage.owner, stage.bot_id}


async def test_a_link_lets_ask_and_the_asker_in(bot: ActingBot, stage: Stage) -> None:
    link = await bot.create_chat_invite_link(stage.channel, name="Velvet Rope")
    assert link.creates_join_request
    stage.control("POST", f"users/{stage.person}/links", url=link.invite_link)
    assert await bot.approve(stage.channel, stage.person) is True
    assert stage.standing(stage.person) == "member"
    assert await bot.approve(stage.channel, stage.person) is False
    assert (await bot.get_chat_member(stage.channel, stage.person)).is_inside
    assert await bot.get_chat_member_count(stage.channel) == 3


async def test_somebody_who_asked_is_turned_down_once(bot: ActingBot, stage: Stage) -> None:
    link = await bot.create_chat_invite_link(stage.channel)
    stage.control("POST", f"users/{stage.person}/links", url=link.invite_link)
    assert await bot.decline(stage.channel, stage.person) is True
    again = bot.decline(stage.channel, stage.person)
    await _refusal(again, Permanent, "request_missing")
    await _refusal(bot.approve(stage.channel, stage.person), Permanent, "request_missing")


async def test_who_is_in_too_many_chats_is_told_apart(bot: ActingBot, stage: Stage) -> None:
    link = await bot.create_chat_invite_link(stage.channel)
    stage.control("PATCH", f"users/{stage.person}", too_many_chats=True)
    stage.control("POST", f"users/{stage.person}/links", url=link.invite_link)
    approval = bot.approve(stage.channel, stage.person)
    await _refusal(approval, Permanent, "too_many_chats")


async def test_a_revoked_link_lets_nobody_ask(bot: ActingBot, stage: Stage) -> None:
    link = await bot.create_chat_invite_link(stage.channel)
    kept = await bot.edit_chat_invite_link(stage.channel, link.invite_link)
    assert (kept.invite_link, kept.creates_join_request) == (link.invite_link, True)
    revoked = await bot.act(
        "revokeChatInviteLink", chat_id=stage.channel, invite_link=link.invite_link
    )
    assert (revoked["invite_link"], revoked["is_revoked"]) == (link.invite_link, True)
    edit = bot.edit_chat_invite_link(stage.channel, link.invite_link)
    await _refusal(edit, Permanent, "bad_request")


async def test_a_limited_link_does_not_ask(bot: ActingBot, stage: Stage) -> None:
    link = await bot.create_chat_invite_link(
        stage.channel, creates_join_request=False, member_limit=1
    )
    assert (link.creates_join_request, link.member_limit) == (False, 1)


async def test_unbanning_removes_and_leaves_the_door_open(bot: ActingBot, stage: Stage) -> None:
    stage.put(stage.channel, stage.person, "member")
    await bot.unban(stage.channel, stage.person, only_if_banned=True)
    assert stage.standing(stage.person) == "member"
    await bot.unban(stage.channel, stage.person, only_if_banned=False)
    assert stage.standing(stage.person) == "left"
    await bot.unban(stage.channel, stage.person, only_if_banned=False)


async def test_a_ban_is_lifted_before_an_invitation(bot: ActingBot, stage: Stage) -> None:
    stage.put(stage.channel, stage.person, "member")
    await bot.ban(stage.channel, stage.person)
    assert (await bot.get_chat_member(stage.channel, stage.person)).status == "kicked"
    await bot.unban(stage.channel, stage.person, only_if_banned=True)
    assert (await bot.get_chat_member(stage.channel, stage.person)).status == "left"


async def test_owners_and_administrators_cannot_be_removed(bot: ActingBot, stage: Stage) -> None:
    stage.put(stage.channel, stage.person, "administrator", can_invite_users=True)
    for target in (stage.owner, stage.person):
        kick = bot.unban(stage.channel, target, only_if_banned=False)
        await _refusal(kick, Permanent, "target_is_admin")
        await _refusal(bot.ban(stage.channel, target), Permanent, "target_is_admin")


async def test_missing_rights_need_the_operator(bot: ActingBot, stage: Stage) -> None:
    none = {"can_invite_users": False, "can_restrict_members": False}
    stage.put(stage.channel, stage.bot_id, "administrator", **none)
    own = await bot.get_chat_member(stage.channel, stage.bot_id)
    assert (own.can_invite_users, own.can_restrict_members) == (False, False)
    for call in (
        bot.create_chat_invite_link(stage.channel),
        bot.approve(stage.channel, stage.person),
        bot.unban(stage.channel, stage.person, only_if_banned=False),
    ):
        await _refusal(call, NeedsOperator, "missing_rights")


@pytest.mark.parametrize("status", ["left", "kicked"])
async def test_a_chat_without_the_bot_needs_the_operator(
    bot: ActingBot, stage: Stage, status: str
) -> None:
    stage.put(stage.channel, stage.bot_id, status)
    await _refusal(bot.get_chat(stage.channel), NeedsOperator, "bot_not_in_chat")
    link = bot.create_chat_invite_link(stage.channel)
    await _refusal(link, NeedsOperator, "bot_not_in_chat")


async def test_a_deleted_chat_needs_the_operator(bot: ActingBot, stage: Stage) -> None:
    stage.control("DELETE", f"chats/{stage.channel}")
    await _refusal(bot.get_chat(stage.channel), NeedsOperator, "bot_not_in_chat")


async def test_a_group_that_grew_tells_its_new_id(bot: ActingBot, stage: Stage) -> None:
    group = stage.control("POST", "chats", title="Розмови", kind="group", owner=stage.owner)["id"]
    stage.put(group, stage.bot_id, "administrator", **RIGHTS)
    refused = bot.create_chat_invite_link(group)
    await _refusal(refused, Permanent, "bad_request")  # a basic group knows no requests
    grown = stage.control("POST", f"chats/{group}/upgrade")["id"]
    error = await _refusal(bot.say(group, "hi"), RetryLater, "chat_migrated")
    assert errors.migrated_to(error.data) == grown
    assert (await bot.get_chat(grown)).type == "supergroup"


async def test_a_message_is_sent_and_edited(bot: ActingBot, stage: Stage) -> None:
    keyboard = [
        [{"text": "Pay", "url": "https://pay.example/c/1"}],
        [{"text": "Plans", "callback_data": "plans"}],
    ]
    sent = await bot.say(stage.person, "<b>Вітаємо</b> &lt;3", keyboard)
    edit = (stage.person, sent, "<i>Інше</i>")
    assert await bot.edit(*edit, keyboard) is True
    assert await bot.edit(*edit, keyboard) is False
    await bot.act("deleteMessage", chat_id=stage.person, message_id=sent)
    await _refusal(bot.edit(*edit), Permanent, "bad_request")


async def test_a_pressed_button_is_answered_once(bot: ActingBot, stage: Stage) -> None:
    plans = [[{"text": "Plans", "callback_data": "plans"}]]
    sent = await bot.say(stage.person, "hi", plans)
    await bot.set_webhook("https://127.0.0.1:9/none", secret_token="s")
    pressed = stage.control(
        "POST",
        f"users/{stage.person}/callbacks",
        bot=stage.username,
        message_id=sent,
        data="plans",
        wait=0,
    )
    await bot.act("answerCallbackQuery", callback_query_id=pressed["id"], text="ok")
    again = bot.act("answerCallbackQuery", callback_query_id=pressed["id"])
    await _refusal(again, Permanent, "query_expired")
    await bot.act("deleteWebhook")


async def test_people_who_cannot_be_written_to_are_told_apart(bot: ActingBot, stage: Stage) -> None:
    stranger = stage.new_person(started=False)
    await _refusal(bot.say(stranger, "hi"), Permanent, "cannot_initiate")
    await _refusal(bot.say(999_999_999, "hi"), Permanent, "chat_not_found")
    await _refusal(bot.say(stage.bot_id, "hi"), Permanent, "cannot_initiate")
    stage.control("POST", f"users/{stage.person}/block", bot=stage.username)
    await _refusal(bot.say(stage.person, "hi"), Permanent, "blocked_by_user")
    stage.control("POST", f"users/{stage.person}/unblock", bot=stage.username)
    stage.control("PATCH", f"users/{stage.person}", deactivated=True)
    await _refusal(bot.say(stage.person, "hi"), Permanent, "user_deactivated")


async def test_a_bot_without_a_valid_token_needs_the_operator(stage: Stage) -> None:
    async with aiohttp.ClientSession() as session:
        client = _client(session, stage)
        for token, code in (
            (f"{stage.bot_id}:{'x' * 35}", "bot_unauthorized"),
            ("nonsense", "bot_not_found"),
        ):
            await _refusal(BotApi(client, token).get_me(), NeedsOperator, code)


async def test_a_bot_that_left_is_not_in_the_chat(bot: ActingBot, stage: Stage) -> None:
    await bot.act("leaveChat", chat_id=stage.channel)
    await _refusal(bot.get_chat(stage.channel), NeedsOperator, "bot_not_in_chat")


@pytest.mark.parametrize(
    ("rule", "kind", "code"),
    [
        ({"status": 429, "retry_after": 7}, RetryLater, "too_many_requests"),
        ({"status": 500}, RetryLater, "telegram_unavailable"),
        ({"status": 502, "body": "<html>Bad Gateway</html>"}, RetryLater, "telegram_unavailable"),
        ({"lose_answer": True}, RetryLater, "telegram_unavailable"),
        ({"delay": 0.8}, RetryLater, "telegram_timeout"),
        ({"status": 409}, NeedsOperator, "conflict"),
    ],
)
async def test_faults_have_their_kinds(
    bot: ActingBot, stage: Stage, rule: dict[str, object], kind: type[VelvetError], code: str
) -> None:
    stage.control("POST", "faults", fail_next={"match": "sendMessage", **rule})
    error = await _refusal(bot.say(stage.person, "hi"), kind, code)
    if code == "too_many_requests":
        assert isinstance(error, RetryLater)
        assert error.retry_after == 7


async def test_a_lost_answer_was_a_delivery(bot: ActingBot, stage: Stage) -> None:
    fault = {"match": "sendMessage", "lose_answer": True}
    stage.control("POST", "faults", fail_next=fault)
    call = bot.say(stage.person, "delivered all the same")
    error = await _refusal(call, RetryLater, "telegram_unavailable")
    assert error.data["maybe_delivered"] is True
    dialogs = stage.control("GET", f"users/{stage.person}/dialogs")
    (dialog,) = [one for one in dialogs if one.get("bot") == stage.username]
    assert dialog["messages"][-1]["text"] == "delivered all the same"
