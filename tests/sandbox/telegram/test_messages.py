from __future__ import annotations

import pytest

from tests.sandbox.telegram.place import Place, Refusal


def keyboard(**button: object) -> dict[str, object]:
    return {"inline_keyboard": [[{"text": "a", **button}]]}


@pytest.fixture
def ready(place: Place) -> Place:
    place.start()
    return place


def test_a_sent_message_is_seen_by_the_person(ready: Place) -> None:
    sent = ready.call(
        "sendMessage",
        chat_id=ready.ann,
        text="Hello, <b>Ann</b>",
        parse_mode="HTML",
        reply_markup=keyboard(callback_data="plans"),
    )
    seen = ready.dialog(ready.ann)["messages"][-1]
    assert seen["id"] == sent["message_id"]
    assert seen["text"] == sent["text"] == "Hello, Ann"
    assert seen["entities"] == sent["entities"] == [{"type": "bold", "offset": 7, "length": 3}]
    assert seen["keyboard"] == [[{"text": "a", "callback_data": "plans"}]]
    assert seen["from"] == ready.username


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "message text is empty"),
        ("   \n", "message text is empty"),
        ("<b></b>", "message text is empty"),
        ("x" * 4097, "message is too long"),
        ("🎩" * 2049, "message is too long"),
    ],
)
def test_a_text_has_1_to_4096_units(ready: Place, text: str, complaint: str) -> None:
    answer = ready.refusal("sendMessage", chat_id=ready.ann, text=text, parse_mode="HTML")
    assert answer == Refusal(400, f"Bad Request: {complaint}")


def test_the_longest_text_counts_without_its_tags(ready: Place) -> None:
    ready.call("sendMessage", chat_id=ready.ann, text=f"<b>{'x' * 4096}</b>", parse_mode="HTML")


@pytest.mark.parametrize("data", ["", "x" * 65, "я" * 33])
def test_callback_data_has_1_to_64_bytes(ready: Place, data: str) -> None:
    answer = ready.refusal(
        "sendMessage", chat_id=ready.ann, text="x", reply_markup=keyboard(callback_data=data)
    )
    assert answer == Refusal(400, "Bad Request: BUTTON_DATA_INVALID")


@pytest.mark.parametrize(
    "url", ["https://checkout.stripe.com/c/pay", "http://127.0.0.1:8000/x", "t.me/x", "tg://user"]
)
def test_a_button_may_lead_to_an_address(ready: Place, url: str) -> None:
    ready.call("sendMessage", chat_id=ready.ann, text="x", reply_markup=keyboard(url=url))


@pytest.mark.parametrize("url", ["http://localhost/x", "https://", "ftp://a.b", "https://a b.c"])
def test_a_buttons_address_must_be_one(ready: Place, url: str) -> None:
    answer = ready.refusal(
        "sendMessage", chat_id=ready.ann, text="x", reply_markup=keyboard(url=url)
    )
    assert answer.status == 400
    assert answer.description.startswith(f"Bad Request: inline keyboard button URL '{url}'")


@pytest.mark.parametrize(
    "button",
    [{}, {"url": "https://a.b", "callback_data": "x"}, {"sticker": "x"}, {"text": " "}],
)
def test_a_button_does_exactly_one_thing(ready: Place, button: dict[str, object]) -> None:
    answer = ready.refusal(
        "sendMessage", chat_id=ready.ann, text="x", reply_markup=keyboard(**button)
    )
    assert answer.status == 400
    assert "can't parse inline keyboard button" in answer.description


def test_an_edit_changes_text_and_keyboard(ready: Place) -> None:
    sent = ready.call(
        "sendMessage", chat_id=ready.ann, text="a", reply_markup=keyboard(callback_data="x")
    )
    place = {"chat_id": ready.ann, "message_id": sent["message_id"]}
    edited = ready.call("editMessageText", **place, text="b")
    assert (edited["text"], "reply_markup" in edited, "edit_date" in edited) == ("b", False, True)
    ready.call("editMessageReplyMarkup", **place, reply_markup=keyboard(callback_data="y"))
    assert ready.dialog(ready.ann)["messages"][-1]["keyboard"][0][0]["callback_data"] == "y"
    ready.call("deleteMessage", **place)
    assert ready.dialog(ready.ann)["messages"][-1]["text"] == "/start"
    missing = Refusal(400, "Bad Request: message to edit not found")
    assert ready.refusal("editMessageText", **place, text="c") == missing
    gone = Refusal(400, "Bad Request: message to delete not found")
    assert ready.refusal("deleteMessage", **place) == gone


def test_a_bot_cant_edit_what_a_person_wrote(ready: Place) -> None:
    written = ready.dialog(ready.ann)["messages"][0]["id"]
    answer = ready.refusal("editMessageText", chat_id=ready.ann, message_id=written, text="x")
    assert answer == Refusal(400, "Bad Request: message can't be edited")


def test_the_person_sees_that_the_bot_types_until_it_has_written(ready: Place) -> None:
    ready.call("sendChatAction", chat_id=ready.ann, action="typing")
    assert ready.dialog(ready.ann)["typing"] is True
    ready.call("sendMessage", chat_id=ready.ann, text="x")
    assert ready.dialog(ready.ann)["typing"] is False


def test_commands_are_shown_in_the_persons_language(place: Place) -> None:
    for language, word in (("", "Start"), ("uk", "Почати")):
        place.call(
            "setMyCommands",
            commands=[{"command": "start", "description": word}],
            language_code=language,
        )
    place.call("setMyDescription", description="Двері", language_code="uk")
    place.call("setMyDescription", description="A door")
    olena = place.new_person("Олена", "uk")
    john = place.new_person("John", "de")
    assert place.dialog(olena)["commands"] == [{"command": "start", "description": "Почати"}]
    assert place.dialog(john)["commands"] == [{"command": "start", "description": "Start"}]
    assert place.dialog(olena)["description"] == "Двері"
    assert place.dialog(john)["description"] == "A door"
    assert place.call("getMyCommands", language_code="uk")[0]["description"] == "Почати"
    place.call("deleteMyCommands", language_code="uk")
    assert place.call("getMyCommands", language_code="uk") == []


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("setMyCommands", {"commands": [{"command": "Not valid!", "description": "x"}]}),
        ("setMyCommands", {"commands": [{"command": "start", "description": ""}]}),
        ("setMyCommands", {"commands": [], "language_code": "english"}),
        ("setMyDescription", {"description": "x" * 513}),
        ("setMyShortDescription", {"short_description": "x" * 121}),
    ],
)
def test_what_a_bot_says_of_itself_keeps_to_the_limits(
    place: Place, method: str, params: dict[str, object]
) -> None:
    assert place.refusal(method, **params).status == 400
