"""Registering a bot: what is found, what is kept of it, and what other trouble must not stop."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.usecases.snapshots import BOT, LOUNGE, NOW, VAULT, price
from velvetrope.domain.errors import NeedsOperator, Permanent, RetryLater
from velvetrope.domain.validation import Invalid
from velvetrope.store.encryption import Secret
from velvetrope.store.models import (
    Access,
    Chat,
    InboxEvent,
    Integration,
    OutboxItem,
    Plan,
    StripeAccount,
)
from velvetrope.usecases import onboarding, operations

if TYPE_CHECKING:
    from tests.usecases.backroom import Backroom

ACTOR = "operator:olga"


@pytest.fixture(autouse=True)
def _in_charge(room: Backroom) -> None:
    room.bot.statuses |= {(chat, BOT): "administrator" for chat in (LOUNGE, VAULT)}


def verified(room: Backroom) -> Integration:
    onboarding.request_registration(room.integration.id)
    room.run_jobs()
    room.integration.refresh_from_db()
    return room.integration


def codes(room: Backroom) -> list[str]:
    return [problem["code"] for problem in room.integration.problems]


def test_a_bot_in_order_is_registered(room: Backroom) -> None:
    row = verified(room)
    assert (row.registration, row.problems, row.verified_at) == ("registered", [], NOW)
    assert row.bot_username == "rope_bot"
    assert room.bot.webhook == ("https://example.com/telegram/bots/webhooks", "hook")
    assert room.bot.called.count("setMyCommands") == 4
    assert set(Chat.objects.values_list("kind", "problem")) == {("channel", None)}


def test_a_new_secret_is_what_telegram_is_told(room: Backroom) -> None:
    onboarding.rotate_webhook_secret(room.integration.id, ACTOR)
    room.integration.refresh_from_db()
    assert room.integration.registration == "pending"
    room.run_jobs()
    room.integration.refresh_from_db()
    assert room.integration.registration == "registered"
    assert room.bot.webhook is not None
    assert room.integration.webhook_secret is not None
    assert room.bot.webhook[1] == room.integration.webhook_secret.reveal()
    assert room.bot.webhook[1] != "hook"


def test_stripes_outage_keeps_no_bot_from_its_people(room: Backroom) -> None:
    room.stripe.trouble = RetryLater("stripe_unavailable")
    with pytest.raises(RetryLater):
        verified(room)
    assert room.bot.webhook is not None


def test_a_missing_key_of_stripe_is_a_finding_like_others(room: Backroom) -> None:
    room.stripe.keyless = NeedsOperator("stripe_key_missing", account=1)
    row = verified(room)
    assert row.registration == "registered"
    assert codes(room) == ["stripe_key_missing"]
    assert Plan.objects.filter(sellable=True).count() == 3  # nothing was learnt of them


def test_a_refused_key_of_stripe_is_told_once(room: Backroom) -> None:
    room.stripe.trouble = NeedsOperator("stripe_key_invalid")
    assert verified(room).registration == "registered"
    assert codes(room) == ["stripe_key_invalid"]


def test_a_token_that_does_not_work_is_told(room: Backroom) -> None:
    room.bot.trouble["getMe"] = NeedsOperator("bot_unauthorized", method="getMe")
    assert verified(room).registration == "failed"
    assert codes(room) == ["bot_unauthorized"]
    assert room.bot.webhook is None


def test_a_webhook_that_telegram_refuses_is_told(room: Backroom) -> None:
    room.bot.trouble["setWebhook"] = Permanent("bad_request")
    assert verified(room).registration == "failed"
    assert codes(room) == ["webhook_refused"]


def test_lacking_rights_are_told_with_the_chat(room: Backroom) -> None:
    room.bot.statuses[VAULT, BOT] = "member"
    assert verified(room).registration == "registered"
    assert codes(room) == ["missing_rights"]
    room.vault.refresh_from_db()
    assert room.vault.problem is not None
    assert room.vault.problem["code"] == "missing_rights"


@pytest.mark.parametrize(
    ("status", "error"),
    [("left", None), ("administrator", Permanent("chat_not_found"))],
)
def test_a_chat_without_the_bot_is_told(
    room: Backroom, status: str, error: Permanent | None
) -> None:
    room.bot.statuses[LOUNGE, BOT] = room.bot.statuses[VAULT, BOT] = status
    if error is not None:
        room.bot.trouble["getChat"] = error
    verified(room)
    assert codes(room) == ["bot_not_in_chat"] * 2


def test_archived_and_unknown_prices_are_told_and_not_sold(room: Backroom) -> None:
    room.stripe.prices["price_month"] = price(room.monthly, active=False)
    del room.stripe.prices["price_vip"]
    verified(room)
    assert sorted(codes(room)) == ["price_archived", "price_not_found"]
    assert list(Plan.objects.filter(sellable=True)) == [room.once]


def test_a_group_that_became_a_supergroup_takes_its_calls_along(room: Backroom) -> None:
    OutboxItem.objects.create(
        integration=room.integration, chat_id=LOUNGE, method="x", params=b"{}",
        priority="grant", created_at=NOW,
    )  # fmt: skip
    asked = []
    real = room.bot.get_chat

    async def moved(chat_id: int) -> object:
        asked.append(chat_id)
        if chat_id == LOUNGE:
            raise RetryLater("chat_migrated", migrate_to_chat_id=-9, method="getChat")
        return await real(chat_id)

    room.bot.get_chat = moved  # type: ignore[method-assign, assignment]  # a chat that has moved
    room.bot.statuses[-9, BOT] = "administrator"
    verified(room)
    assert set(Chat.objects.values_list("telegram_id", flat=True)) == {-9, VAULT}
    assert OutboxItem.objects.get().chat_id == -9


def test_a_chat_given_under_both_its_ids_breaks_nothing(room: Backroom) -> None:
    real = room.bot.get_chat

    async def moved(chat_id: int) -> object:
        if chat_id == LOUNGE:
            raise RetryLater("chat_migrated", migrate_to_chat_id=VAULT, method="getChat")
        return await real(chat_id)

    room.bot.get_chat = moved  # type: ignore[method-assign, assignment]  # a chat that has moved
    assert verified(room).registration == "registered"
    assert Chat.objects.count() == 2


def test_a_bot_that_is_switched_off_is_looked_at_and_left_alone(room: Backroom) -> None:
    operations.set_active(room.integration.id, ACTOR, active=False)
    row = verified(room)
    assert row.registration == "registered"
    assert room.bot.webhook is None
    operations.set_active(room.integration.id, ACTOR, active=True)
    room.run_jobs()
    assert room.bot.webhook is not None


def test_telegrams_wish_for_silence_is_obeyed(room: Backroom) -> None:
    from datetime import timedelta  # noqa: PLC0415  beside its only use

    Integration.objects.update(paused_until=NOW + timedelta(minutes=5))
    with pytest.raises(RetryLater) as caught:
        verified(room)
    assert caught.value.retry_after == 300.0
    assert room.bot.called == []


def test_jobs_of_a_bot_that_is_gone_are_ignored(room: Backroom) -> None:
    onboarding.request_registration(999)
    onboarding.request_plan_sync(999)
    room.run_jobs()
    assert set(InboxEvent.objects.values_list("state", flat=True)) == {"done"}


def test_the_bots_own_standing_has_everything_verified(room: Backroom) -> None:
    body = {
        "chat": {"id": LOUNGE, "type": "channel"},
        "from": {"id": 5},
        "date": 1,
        "old_chat_member": {"status": "left", "user": {"id": BOT}},
        "new_chat_member": {"status": "administrator", "user": {"id": BOT}},
    }
    assert room.update("my_chat_member", body) == "handled"
    assert room.run_jobs() == ["check"]
    foreign = {**body, "chat": {"id": -5, "type": "channel"}}
    assert room.update("my_chat_member", foreign) == "ignored"


def test_a_chat_that_customers_are_in_is_not_dropped(room: Backroom) -> None:
    room.subscribes()
    with pytest.raises(Invalid) as caught:
        onboarding.update_integration(room.integration.id, {"chats": [VAULT]}, ACTOR)
    assert caught.value.code == "chat_in_use"


def test_the_account_from_which_customers_hold_something_is_not_exchanged(room: Backroom) -> None:
    other = StripeAccount.objects.create(name="other", api_key=Secret("sk_test_other"))
    change = {"stripe_account_id": other.id}
    room.subscribes()
    with pytest.raises(Invalid) as caught:
        onboarding.update_integration(room.integration.id, change, ACTOR)
    assert caught.value.code == "stripe_account_in_use"
    same = {"stripe_account_id": room.account}
    onboarding.update_integration(room.integration.id, same, ACTOR)
    room.subscribes(kind="customer.subscription.deleted", status="canceled", ended_at=room.now)
    onboarding.update_integration(room.integration.id, change, ACTOR)
    room.integration.refresh_from_db()
    assert room.integration.stripe_account == other


def test_a_chat_that_nobody_is_in_is_dropped_with_what_was_known_of_it(room: Backroom) -> None:
    room.asks(VAULT)
    assert Access.objects.filter(chat=room.vault).exists()
    onboarding.update_integration(room.integration.id, {"chats": [LOUNGE]}, ACTOR)
    assert not Access.objects.exists()
    room.sent()  # what was on its way concerns nobody any more
    assert room.calls() == []


def test_a_price_that_was_bought_is_taken_off_sale_and_not_forgotten(room: Backroom) -> None:
    room.subscribes()
    onboarding.update_integration(room.integration.id, {"prices": ["price_once"]}, ACTOR)
    assert set(Plan.objects.values_list("stripe_price_id", "on_sale")) == {
        ("price_month", False),
        ("price_once", True),
    }


def test_a_new_token_of_the_same_bot_has_it_registered_again(room: Backroom) -> None:
    token = f"{BOT}:{'A' * 35}"
    onboarding.update_integration(room.integration.id, {"token": token}, ACTOR)
    room.integration.refresh_from_db()
    assert room.integration.registration == "pending"
    assert room.run_jobs() == ["register"]
    with pytest.raises(Invalid):
        onboarding.update_integration(
            room.integration.id, {"token": f"{BOT + 1}:{'A' * 35}"}, ACTOR
        )
