from __future__ import annotations

from dataclasses import replace

import pytest

from tests.test_settings import PRODUCTION
from velvetrope.cli.vendor_words import explain_here
from velvetrope.settings import load

SETTINGS = load(PRODUCTION)


@pytest.mark.parametrize(
    ("code", "host"),
    [
        ("telegram_unavailable", "api.telegram.org"),
        ("telegram_timeout", "api.telegram.org"),
        ("stripe_unavailable", "api.stripe.com"),
        ("stripe_timeout", "api.stripe.com"),
    ],
)
def test_a_vendor_out_of_reach_is_named_and_the_pipelines_data_are_not(
    code: str, host: str
) -> None:
    data = {"method": "getMe", "reason": "TimeoutError", "maybe_delivered": True, "replayed": False}
    said = explain_here({"code": code, "data": data}, SETTINGS)
    assert host in said.fix
    assert "run the command again" in said.fix
    assert "tried again" not in said.fix
    assert said.details == ""


def test_the_status_that_a_vendor_answered_with_is_kept() -> None:
    telegram = {"code": "telegram_unavailable", "data": {"reason": "http_502", "method": "getMe"}}
    stripe = {"code": "stripe_unavailable", "data": {"status": 503, "replayed": True}}
    assert explain_here(telegram, SETTINGS).details == "HTTP 502"
    assert explain_here(stripe, SETTINGS).details == "HTTP 503"


def test_a_password_in_an_address_is_not_shown() -> None:
    settings = replace(SETTINGS, telegram_api_url="https://me:hunter2secret@relay.example.com:99")
    said = explain_here("telegram_timeout", settings)
    assert "relay.example.com:99" in said.fix
    assert "hunter2secret" not in said.fix


@pytest.mark.parametrize("code", ["too_many_requests", "stripe_rate_limited"])
def test_who_is_asked_to_slow_down_waits_and_runs_it_again(code: str) -> None:
    said = explain_here({"code": code, "data": {"method": "getMe"}}, SETTINGS)
    assert "Wait a minute" in said.fix


def test_what_must_be_mended_reads_as_in_the_console() -> None:
    said = explain_here({"code": "bot_unauthorized", "data": {}}, SETTINGS)
    assert "@BotFather" in said.fix
