from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, cast

import msgspec
import pytest

from tests.usecases.conversation_desk import USER, Desk, message, press, user
from tests.usecases.wording import gallery
from velvetrope.domain.states import CheckoutState, Presence
from velvetrope.store.models import Access, Checkout
from velvetrope.usecases.conversation.blocking import OwnMembershipHandler
from velvetrope.usecases.conversation.handler import ConversationHandler
from velvetrope.usecases.door import OwnStandingHandler

if TYPE_CHECKING:
    from datetime import datetime

    from velvetrope.pipeline.routes import Handler
    from velvetrope.store.models import Customer
    from velvetrope.usecases.services import Services


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def talk() -> Handler[object]:
    """Give the conversation for all that needs nobody else: it is given no services."""
    return cast("Handler[object]", ConversationHandler(cast("Services", None)))


async def test_the_first_start_makes_a_customer_with_their_source(
    desk: Desk, talk: Handler[object]
) -> None:
    update = message("/start autumn_1", **{"from": user(username="anna", language_code="uk-UA")})
    assert await desk.hear(talk, desk.event(update)) is None
    person = desk.person
    assert (person.source, person.first_name, person.username) == ("autumn_1", "Anna", "anna")
    assert (person.telegram_language, person.started_at) == ("uk", desk.now)
    [(method, said)] = desk.said()
    assert (method, said.chat_id) == ("sendMessage", USER)
    assert said.text.startswith("Вітаю, Anna!")
    assert said.buttons[0].callback_data == "plan:1"


async def test_a_later_start_keeps_the_source_and_learns_the_new_name(
    desk: Desk, talk: Handler[object]
) -> None:
    await desk.hear(talk, desk.event(message("/start autumn_1")))
    renamed = message("/start winter", **{"from": user(first_name="Hanna", language_code="ru")})
    await desk.hear(talk, desk.event(renamed))
    assert (desk.person.source, desk.person.first_name) == ("autumn_1", "Hanna")
    assert desk.person.telegram_language == "ru"


@pytest.mark.parametrize("payload", ["back", "спам", "a b", ""])
async def test_what_is_no_payload_or_the_products_own_is_no_source(
    desk: Desk, talk: Handler[object], payload: str
) -> None:
    await desk.hear(talk, desk.event(message(f"/start {payload}")))
    assert desk.person.source == ""


async def test_a_person_known_from_the_door_keeps_the_source_of_their_first_start(
    desk: Desk, talk: Handler[object]
) -> None:
    desk.known(started_at=None)
    await desk.hear(talk, desk.event(message("/start autumn_1")))
    assert (desk.person.source, desk.person.started_at) == ("autumn_1", desk.now)


async def test_somebody_who_holds_something_is_greeted_with_how_it_stands(
    desk: Desk, talk: Handler[object]
) -> None:
    desk.holding(desk.known(), 1)
    await desk.hear(talk, desk.event(message("/start")))
    [(_, said)] = desk.said()
    assert said.text.startswith("Hello, Anna! 👋\n\nYour access:")
    assert [button.callback_data for button in said.buttons] == ["enter", "portal", "plans"]


def checkout(customer: Customer, state: CheckoutState) -> Checkout:
    return Checkout(
        customer_id=customer.id,
        plan_id=1,
        stripe_session_id=f"cs_{state}",
        state=state.value,
        expires_at=gallery.NOW + timedelta(hours=1),
        created_at=gallery.NOW,
    )


async def test_who_comes_back_before_stripes_news_is_told_to_wait(
    desk: Desk, talk: Handler[object]
) -> None:
    desk.keep(checkout(desk.known(), CheckoutState.OPEN))
    await desk.hear(talk, desk.event(message("/start back")))
    assert desk.text().startswith("If you’ve just paid")


async def test_who_comes_back_with_money_on_its_way_or_a_right_sees_the_status(
    desk: Desk, talk: Handler[object]
) -> None:
    customer = desk.known()
    desk.keep(checkout(customer, CheckoutState.PENDING))
    await desk.hear(talk, desk.event(message("/start back")))
    assert "Waiting for the payment to arrive" in desk.text()
    desk.holding(customer, 1)
    await desk.hear(talk, desk.event(message("/start back")))
    assert "Next payment: 30 June 2027" in desk.text()


async def test_who_comes_back_without_anything_is_greeted(
    desk: Desk, talk: Handler[object]
) -> None:
    await desk.hear(talk, desk.event(message("/start back")))
    assert desk.text().startswith("Hello, Anna!")


@pytest.mark.parametrize(
    ("text", "beginning"),
    [
        ("/status", "You don’t have access yet."),
        ("/plans", "Here is what you can choose from:"),
        ("/language", "Which language shall I write in?"),
        ("/help", "This is the members’ entrance"),
        ("/terms", "<b>The terms in short</b>"),
        ("/privacy", "<b>Your data</b>"),
        ("/paysupport", "Trouble with a payment?"),
        ("/paysupport@Velvet_Bot", "Trouble with a payment?"),
        ("/paysupport@other_bot", "I don’t know this command."),
        ("/buy", "I don’t know this command."),
        ("hello?", "I’m only a bot"),
        (None, "I’m only a bot"),
    ],
)
async def test_each_word_has_its_answer(
    desk: Desk, talk: Handler[object], text: str | None, beginning: str
) -> None:
    assert await desk.hear(talk, desk.event(message(text))) is None
    assert desk.text().startswith(beginning)


async def test_an_album_is_answered_once(desk: Desk, talk: Handler[object]) -> None:
    for _ in range(3):
        await desk.hear(talk, desk.event(message(None)))
    assert len({item.occasion for item in desk.items}) == 1
    await desk.hear(talk, desk.event(message("text")))
    assert desk.items[-1].occasion is None


async def test_a_button_is_answered_before_its_message(desk: Desk, talk: Handler[object]) -> None:
    await desk.hear(talk, desk.event(press("plans"), kind="callback_query"))
    (first, answer), (second, said) = desk.said()
    assert (first, answer.callback_query_id, answer.text) == ("answerCallbackQuery", "q1", "")
    assert (second, said.chat_id) == ("sendMessage", USER)


async def test_a_query_that_telegram_has_forgotten_is_not_answered(
    desk: Desk, talk: Handler[object]
) -> None:
    event = desk.event(press("plans"), kind="callback_query")
    desk.now += timedelta(minutes=3)
    await desk.hear(talk, event)
    assert [method for method, _ in desk.said()] == ["sendMessage"]


@pytest.mark.parametrize("data", ["gone", "plan:x", "plan:", "plan:²", "plan:" + "9" * 30])
async def test_a_button_that_leads_nowhere_does_no_harm(
    desk: Desk, talk: Handler[object], data: str
) -> None:
    await desk.hear(talk, desk.event(press(data), kind="callback_query"))
    assert [method for method, _ in desk.said()] == ["answerCallbackQuery", "sendMessage"]


async def test_a_chosen_language_is_kept_and_the_choice_turns_into_the_plans(
    desk: Desk, talk: Handler[object]
) -> None:
    desk.known()
    await desk.hear(talk, desk.event(press("language:uk"), kind="callback_query"))
    assert desk.person.chosen_language == "uk"
    _, (method, said) = desk.said()
    assert (method, said.message_id) == ("editMessageText", 9)
    assert said.text.startswith("Готово: писатиму українською.\n\nОсь що можна обрати:")
    await desk.hear(talk, desk.event(message("/help")))
    assert desk.text().startswith("Тут вхід")


async def test_a_language_can_be_typed_and_a_member_sees_their_access_in_it(
    desk: Desk, talk: Handler[object]
) -> None:
    desk.holding(desk.known(), 1)
    await desk.hear(talk, desk.event(message("/language ru")))
    [(method, said)] = desk.said()
    assert method == "sendMessage"
    assert said.text.startswith("Готово: буду писать по-русски.\n\nВаш доступ:")


async def test_a_language_that_is_not_spoken_shows_the_choice(
    desk: Desk, talk: Handler[object]
) -> None:
    await desk.hear(talk, desk.event(press("language:xx"), kind="callback_query"))
    assert desk.person.chosen_language == ""
    assert desk.text() == "Which language shall I write in?"


async def test_only_doors_that_a_person_has_not_passed_are_shown(
    desk: Desk, talk: Handler[object]
) -> None:
    customer = desk.known()
    desk.holding(customer, 2)
    desk.keep(Access(customer_id=customer.id, chat_id=1, observed=Presence.INSIDE.value))
    await desk.hear(talk, desk.event(press("enter"), kind="callback_query"))
    _, (_, said) = desk.said()
    assert [button.url for button in said.buttons] == ["invite:2"]
    desk.keep(Access(customer_id=customer.id, chat_id=2, requested_at=desk.now))
    await desk.hear(talk, desk.event(press("enter"), kind="callback_query"))
    assert desk.text().startswith("You’re already inside")


async def test_who_holds_nothing_is_shown_plans_instead_of_doors(
    desk: Desk, talk: Handler[object]
) -> None:
    await desk.hear(talk, desk.event(press("enter"), kind="callback_query"))
    assert desk.text().startswith("You don’t have access yet.")


async def test_other_people_and_places_are_left_alone(desk: Desk, talk: Handler[object]) -> None:
    group = {"id": -1002, "type": "supergroup"}
    outcome = await desk.hear(talk, desk.event(message("/start", chat=group)))
    assert outcome == "ignored"
    assert (desk.items, desk.rows) == ([], {})


async def test_an_unchanged_customer_is_not_written_again(
    desk: Desk, talk: Handler[object]
) -> None:
    known = desk.known()
    await desk.hear(talk, desk.event(message("/help")))
    assert desk.person is known


def membership(status: str, at: int, **chat: object) -> dict[str, object]:
    bot = {"id": 1, "is_bot": True, "first_name": "bot"}
    change = {
        "chat": {"id": USER, "type": "private", **chat},
        "from": user(),
        "date": int(gallery.NOW.timestamp()) + at,
        "old_chat_member": {"status": "member", "user": bot},
        "new_chat_member": {"status": status, "user": bot},
    }
    return {"update_id": 1, "my_chat_member": change}


@pytest.fixture
def standing() -> Handler[object]:
    return cast("Handler[object]", OwnMembershipHandler(OwnStandingHandler()))


def blocked_at(desk: Desk) -> datetime | None:
    return desk.person.blocked_at


async def test_who_blocks_the_bot_is_remembered_until_they_come_back(
    desk: Desk, standing: Handler[object]
) -> None:
    desk.known()
    await desk.hear(standing, desk.event(membership("kicked", 10), kind="my_chat_member"))
    assert blocked_at(desk) == gallery.NOW + timedelta(seconds=10)
    await desk.hear(standing, desk.event(membership("member", 20), kind="my_chat_member"))
    assert blocked_at(desk) is None


async def test_news_that_come_late_change_nothing(
    desk: Desk, standing: Handler[object], talk: Handler[object]
) -> None:
    desk.known(blocked_at=gallery.NOW)
    stale = desk.event(membership("member", -5), kind="my_chat_member")
    assert await desk.hear(standing, stale) == "ignored"
    assert blocked_at(desk) == gallery.NOW
    old = message("/start", date=int(gallery.NOW.timestamp()) - 5)
    await desk.hear(talk, desk.event(old))
    assert blocked_at(desk) == gallery.NOW
    await desk.hear(talk, desk.event(message("/start")))
    assert blocked_at(desk) is None
    stale = desk.event(membership("kicked", -5), kind="my_chat_member")
    assert await desk.hear(standing, stale) == "ignored"
    assert blocked_at(desk) is None


async def test_a_stranger_who_blocks_is_nobody_and_other_chats_are_for_others(
    desk: Desk, standing: Handler[object]
) -> None:
    event = desk.event(membership("kicked", 0), kind="my_chat_member")
    assert await desk.hear(standing, event) == "ignored"
    channel = membership("administrator", 0, id=-1001, type="channel")
    await desk.hear(standing, desk.event(channel, kind="my_chat_member"))
    assert desk.rows == {}
    assert [job.kind for job in desk.jobs] == ["check"]


async def test_without_anything_for_sale_a_start_still_answers(talk: Handler[object]) -> None:
    desk = Desk(replace(gallery.FULL, plans=()))
    await desk.hear(talk, desk.event(message("/start")))
    assert "Nothing is on sale right now" in desk.text()


async def test_what_is_no_update_is_an_error_of_its_own(desk: Desk, talk: Handler[object]) -> None:
    with pytest.raises((ValueError, msgspec.MsgspecError)):
        await desk.hear(talk, desk.event(b"[]"))
