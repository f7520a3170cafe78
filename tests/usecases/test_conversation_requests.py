from __future__ import annotations

import msgspec
import pytest

from tests.usecases.conversation_desk import message, press, user
from velvetrope.gateways.telegram.updates import decode_update
from velvetrope.usecases.conversation.requests import Request, Wish, read_request


def read(update: dict[str, object]) -> Request | None:
    return read_request(decode_update(msgspec.json.encode(update)))


@pytest.mark.parametrize(
    ("text", "wish", "argument", "addressee"),
    [
        ("/start", Wish.START, "", ""),
        ("/start promo_1", Wish.START, "promo_1", ""),
        ("/start@velvet_bot promo_1", Wish.START, "promo_1", "velvet_bot"),
        ("/START", Wish.START, "", ""),
        ("  /status \n", Wish.STATUS, "", ""),
        ("/plans now please", Wish.PLANS, "now please", ""),
        ("/language uk", Wish.LANGUAGE, "uk", ""),
        ("/help", Wish.HELP, "", ""),
        ("/terms", Wish.TERMS, "", ""),
        ("/privacy", Wish.PRIVACY, "", ""),
        ("/paysupport", Wish.PAYSUPPORT, "", ""),
        ("/plan 1", Wish.UNKNOWN_COMMAND, "1", ""),
        ("/enter", Wish.UNKNOWN_COMMAND, "", ""),
        ("/quit", Wish.UNKNOWN_COMMAND, "", ""),
        ("/", Wish.TALK, "", ""),
        ("hello /start", Wish.TALK, "", ""),
        ("привіт", Wish.TALK, "", ""),
        ("/старт", Wish.TALK, "", ""),
        (None, Wish.SILENT, "", ""),
    ],
)
def test_a_text_is_a_command_with_its_argument_or_talk(
    text: str | None, wish: Wish, argument: str, addressee: str
) -> None:
    request = read(message(text))
    assert request is not None
    assert (request.wish, request.argument, request.addressee) == (wish, argument, addressee)


@pytest.mark.parametrize(
    ("data", "wish", "argument"),
    [
        ("plan:12", Wish.PLAN, "12"),
        ("portal", Wish.PORTAL, ""),
        ("enter", Wish.ENTER, ""),
        ("language", Wish.LANGUAGE, ""),
        ("language:uk", Wish.LANGUAGE, "uk"),
        ("plans", Wish.PLANS, ""),
        ("status", Wish.STATUS, ""),
        ("help", Wish.HELP, ""),
        ("buy_now", Wish.OUTDATED, ""),
        ("talk", Wish.OUTDATED, ""),
        (None, Wish.OUTDATED, ""),
    ],
)
def test_a_button_is_a_wish(data: str | None, wish: Wish, argument: str) -> None:
    request = read(press(data))
    assert request is not None
    assert (request.wish, request.argument) == (wish, argument)
    assert (request.callback_id, request.message_id) == ("q1", 9)


def test_a_message_that_can_no_longer_be_edited_is_not_named() -> None:
    holder = {"message_id": 9, "date": 0, "chat": {"id": 77, "type": "private"}}
    for request in (read(press("plans", message=holder)), read(press("plans", message=None))):
        assert request is not None
        assert request.message_id is None


GROUP = {"id": -1001, "type": "supergroup", "title": "Talk"}
CHANNEL = {"id": -1002, "type": "channel", "title": "Club"}


@pytest.mark.parametrize(
    "update",
    [
        message("/start", chat=GROUP),
        message("/start", chat={"id": -5, "type": "group"}),
        message("/start", chat=CHANNEL),
        message("/start", **{"from": user(is_bot=True)}),
        message("/start", **{"from": None}),
        message("/start", sender_chat=CHANNEL),
        message(
            None,
            successful_payment={
                "currency": "XTR",
                "total_amount": 1,
                "invoice_payload": "x",
                "telegram_payment_charge_id": "t",
            },
        ),
        press("plans", message={"message_id": 9, "date": 1, "chat": GROUP}),
        press("plans", **{"from": user(is_bot=True)}),
        {"update_id": 1, "edited_message": {"message_id": 1}},
        {"update_id": 1, "channel_post": {"message_id": 1, "chat": CHANNEL, "text": "/start"}},
        {"update_id": 1, "business_message": {"message_id": 1, "text": "/start"}},
        {"update_id": 1},
    ],
)
def test_what_no_person_says_in_private_is_nobodys_wish(update: dict[str, object]) -> None:
    assert read(update) is None


def test_an_argument_is_cut_but_never_into_a_valid_payload() -> None:
    request = read(message("/start " + "x" * 4000))
    assert request is not None
    assert 64 < len(request.argument) < 100
