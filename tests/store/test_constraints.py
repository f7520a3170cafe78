"""What the database itself refuses, whatever the code believes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from django.db import IntegrityError, transaction

from velvetrope.store.encryption import Secret
from velvetrope.store.models import (
    Access,
    Chat,
    Customer,
    InboxEvent,
    Integration,
    OutboxItem,
    Plan,
    StripeAccount,
)

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
#: More than a double holds exactly, more than 32 bits by far.
LONG_ID = 9_007_199_254_740_993


def refused(make: Callable[[], object]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        make()


def customer(integration: Integration) -> Customer:
    return Customer.objects.create(
        integration=integration, telegram_user_id=LONG_ID, created_at=NOW
    )


def event(
    external_id: str, *, account: int = 1, source: str = "telegram", state: str = "pending"
) -> InboxEvent:
    return InboxEvent.objects.create(
        source=source,
        account=account,
        external_id=external_id,
        kind="message",
        lane="tg:1:2",
        payload=b"{}",
        state=state,
        received_at=NOW,
    )


def test_a_person_is_one_customer_of_an_integration_and_ids_keep_64_bits(
    integration: Integration,
) -> None:
    made = customer(integration)
    assert Customer.objects.get(id=made.id).telegram_user_id == LONG_ID
    refused(lambda: customer(integration))


@pytest.mark.usefixtures("integration")
def test_an_event_is_stored_once_for_its_source_and_account() -> None:
    event("5")
    refused(lambda: event("5"))
    event("5", account=2)
    event("5", source="stripe")


def test_states_that_nobody_knows_are_refused(integration: Integration) -> None:
    refused(lambda: event("6", state="lost"))
    refused(lambda: event("7", source="pigeon"))
    refused(lambda: Integration.objects.filter(id=integration.id).update(language="xx"))
    refused(lambda: Integration.objects.filter(id=integration.id).update(registration="maybe"))


def test_an_occasion_is_told_once_and_items_without_one_as_often_as_asked(
    integration: Integration,
) -> None:
    def item(occasion: str | None) -> OutboxItem:
        return OutboxItem.objects.create(
            integration=integration,
            chat_id=1,
            method="sendMessage",
            params=b"{}",
            priority="answer",
            occasion=occasion,
            created_at=NOW,
        )

    item("opened:sub_1")
    refused(lambda: item("opened:sub_1"))
    item(None)
    item(None)


def test_a_chat_a_plan_and_an_access_stand_once(integration: Integration) -> None:
    refused(lambda: Chat.objects.create(integration=integration, telegram_id=-1001))
    refused(lambda: Plan.objects.create(integration=integration, stripe_price_id="price_1"))
    person, chat = customer(integration), Chat.objects.get()
    Access.objects.create(customer=person, chat=chat)
    refused(lambda: Access.objects.create(customer=person, chat=chat))


def test_webhook_secrets_and_bots_are_unique(integration: Integration) -> None:
    def another(bot_id: int, secret_hash: str) -> Integration:
        return Integration.objects.create(
            name="Other",
            bot_id=bot_id,
            token=Secret("8:token"),
            webhook_secret=Secret("other"),
            webhook_secret_hash=secret_hash,
            stripe_account=integration.stripe_account,
        )

    refused(lambda: another(8, "0" * 64))
    refused(lambda: another(7, "1" * 64))
    assert another(8, "1" * 64).id


@pytest.mark.usefixtures("integration")
def test_there_is_one_account_of_the_environment_and_no_other_without_a_key() -> None:
    StripeAccount.objects.create(name="Environment", from_environment=True)
    refused(lambda: StripeAccount.objects.create(name="Second", from_environment=True))
    refused(lambda: StripeAccount.objects.create(name="Keyless"))
