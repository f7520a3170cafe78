"""The second opinion itself: it refuses what the real services would refuse."""

from __future__ import annotations

from typing import Any

import pytest

from tests.gateways.wire import WrongRequestError, check_bot_api_request, check_stripe_request

TEXT = {"chat_id": 1, "text": "x"}


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("sendMesage", TEXT),
        ("sendMessage", {"chat_id": 1}),
        ("sendMessage", {**TEXT, "buttons": []}),
        ("sendMessage", {**TEXT, "chat_id": None}),
        ("sendMessage", {**TEXT, "text": ""}),
        ("sendMessage", {**TEXT, "text": "x" * 4097}),
        ("sendMessage", {**TEXT, "text": "<b>x", "parse_mode": "HTML"}),
        ("sendMessage", {**TEXT, "text": "<table>x</table>", "parse_mode": "HTML"}),
        ("sendMessage", {**TEXT, "text": "a < b", "parse_mode": "HTML"}),
        ("sendMessage", {**TEXT, "text": "a & b", "parse_mode": "HTML"}),
        ("sendMessage", {**TEXT, "reply_markup": {"inline_keyboard": [[{"text": "t"}]]}}),
        (
            "sendMessage",
            {**TEXT, "reply_markup": {"inline_keyboard": [[{"text": "t", "link": "x"}]]}},
        ),
        (
            "sendMessage",
            {**TEXT, "reply_markup": {"inline_keyboard": [[{"text": "t", "url": "x"}]]}},
        ),
        (
            "sendMessage",
            {
                **TEXT,
                "reply_markup": {"inline_keyboard": [[{"text": "t", "callback_data": "й" * 33}]]},
            },
        ),
        ("getChatMember", {"chat_id": 1, "user_id": "2"}),
        ("unbanChatMember", {"chat_id": 1, "user_id": 2, "only_if_banned": 1}),
        (
            "createChatInviteLink",
            {"chat_id": 1, "creates_join_request": True, "member_limit": 1},
        ),
        ("createChatInviteLink", {"chat_id": 1, "name": "x" * 33}),
        ("setWebhook", {"url": "http://x.example/h", "allowed_updates": ["message"]}),
        ("setWebhook", {"url": "https://x.example/h"}),
        (
            "setWebhook",
            {"url": "https://x.example", "allowed_updates": ["message"], "secret_token": "a b"},
        ),
    ],
)
def test_a_wrong_call_of_the_bot_api_is_refused(method: str, params: dict[str, Any]) -> None:
    with pytest.raises(WrongRequestError):
        check_bot_api_request(method, params)


@pytest.mark.parametrize(
    ("method", "path", "params"),
    [
        ("GET", "/v1/plans", {}),
        ("POST", "/v1/checkout/sessions", {"payment_method": "card"}),
        ("POST", "/v1/checkout/sessions", {"mode": "paiment"}),
        ("POST", "/v1/checkout/sessions", {"expires_at": "soon"}),
        ("POST", "/v1/checkout/sessions", {"line_items[0][prize]": "price_1"}),
        ("POST", "/v1/checkout/sessions", {"metadata": {"k" * 41: "v"}}),
        ("POST", "/v1/checkout/sessions", {"metadata": {"k": 5}}),
        ("POST", "/v1/checkout/sessions", {"allow_promotion_codes": "yes"}),
        ("POST", "/v1/checkout/sessions", {"locale": "uk"}),
        ("GET", "/v1/invoice_payments", {"payment[payment_intent]": "pi_1"}),
        ("GET", "/v1/events", {"types[0]": "invoice.paid", "since": "1"}),
        ("POST", "/v1/billing_portal/sessions", {"customer": {"id": "cus_1"}}),
    ],
)
def test_a_wrong_request_to_stripe_is_refused(
    method: str, path: str, params: dict[str, Any]
) -> None:
    with pytest.raises(WrongRequestError):
        check_stripe_request(method, path, params)


def test_a_form_and_nested_data_say_the_same() -> None:
    nested = {
        "mode": "payment",
        "line_items": [{"price": "price_1", "quantity": 1}],
        "metadata": {"a": "b"},
        "allow_promotion_codes": True,
    }
    form = {
        "mode": "payment",
        "line_items[0][price]": "price_1",
        "line_items[0][quantity]": "1",
        "metadata[a]": "b",
        "allow_promotion_codes": "true",
    }
    for params in (nested, form):
        check_stripe_request("POST", "/v1/checkout/sessions", params)
