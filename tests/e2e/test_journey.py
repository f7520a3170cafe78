"""From /start to inside the channel, over HTTP alone, in every language."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from velvetrope.sandbox.handset import eventually

if TYPE_CHECKING:
    from tests.e2e.house import House

pytestmark = pytest.mark.both_databases

MONTHLY, YEARLY, ONCE = 0, 1, 2
#: A word of the monthly plan's line that only this language has.
PER_MONTH = {"en": "month", "uk": "місяць", "ru": "месяц"}


@pytest.mark.parametrize("language", ["en", "uk", "ru"])
async def test_a_person_pays_and_is_let_in_in_their_own_language(
    house: House, language: str
) -> None:
    person = await house.person(language)
    plans = await person.say("/start")
    assert PER_MONTH[language] in plans.text
    assert len([one for one in plans.buttons if one.callback_data.startswith("plan:")]) == 3
    await house.buy(person)
    await person.follow(await house.invitation(person))
    await person.gets_in(house.chat)
    subscription = await house.subscription_of(person)
    assert subscription["status"] == "active"


async def test_what_is_paid_once_opens_the_channel_too(house: House) -> None:
    person = await house.person()
    await house.let_in(person, ONCE)
    payment = await house.payment_of(person)
    assert payment["status"] == "succeeded"


async def test_choosing_the_same_plan_again_gives_the_same_session(house: House) -> None:
    person = await house.person()
    first = await house.offer(person)
    assert await house.offer(person) == first


async def test_who_holds_a_plan_is_told_so_instead_of_being_charged_again(house: House) -> None:
    person = await house.person()
    plans = await person.say("/plans")
    await house.let_in(person)
    answer = await person.press(plans, plans.buttons[MONTHLY].callback_data)
    assert not any("/checkout/" in button.url for button in answer.buttons)


async def test_the_portal_is_one_button_away(house: House) -> None:
    person = await house.person()
    await house.let_in(person)
    status = await person.say("/status")
    portal = await person.press(status, "portal")
    assert portal.button(house.stripe.url).url


async def test_a_chosen_language_wins_and_is_remembered(house: House) -> None:
    person = await house.person("en")
    await person.say("/start")
    picker = await person.say("/language")
    await person.touch(picker, "language:uk")
    assert PER_MONTH["uk"] in (await person.say("/plans")).text


@pytest.mark.parametrize(
    "said", ["/help", "/terms", "/privacy", "/paysupport", "/nonsense", "hello", "/status@{bot}"]
)
async def test_everything_said_in_private_is_answered(house: House, said: str) -> None:
    person = await house.person()
    assert (await person.say(said.format(bot=house.bot))).text


async def test_several_chats_of_a_plan_are_each_offered(house: House) -> None:
    person = await house.person()
    await house.buy(person)

    async def links() -> int:
        messages = await person.messages()
        return len(
            {b.url for one in messages for b in one.buttons if b.url.startswith("https://t.me/+")}
        )

    assert await eventually(links, "a link for each chat") == len(house.chats)


async def test_a_deep_links_payload_is_kept_as_the_source(house: House) -> None:
    person = await house.person()
    await person.say("/start summer_2027")
    assert house.shown(person)["source"] == "summer_2027"


async def test_a_message_in_a_group_is_left_alone(house: House) -> None:
    before = (await house.telegram.get("calls"))["last"]
    person = await house.person()
    room = await house.telegram.post(
        "chats", {"title": "Others", "kind": "supergroup", "owner": person.id}
    )
    bots = (await house.telegram.get("state"))["bots"]
    bot_id = next(bot["id"] for bot in bots if bot["username"] == house.bot)
    await house.telegram.ask(
        "PUT", f"chats/{room['id']}/members/{bot_id}", {"status": "administrator"}
    )
    await house.telegram.post(f"chats/{room['id']}/posts", {"text": "/start", "from": person.id})
    await person.say("/help")
    calls = (await house.telegram.get(f"calls?after={before}"))["calls"]
    assert {call["params"].get("chat_id") for call in calls} == {person.id}
