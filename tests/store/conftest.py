"""One integration with a chat and a plan, in a database of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from velvetrope.store.encryption import Secret
from velvetrope.store.models import Chat, Integration, Plan, PlanChat, StripeAccount

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def integration(database: Path) -> Integration:
    assert database
    account = StripeAccount.objects.create(name="Shop", api_key=Secret("sk_test_0123456789"))
    row = Integration.objects.create(
        name="Bot",
        bot_id=7,
        token=Secret("7:token"),
        webhook_secret=Secret("hook"),
        webhook_secret_hash="0" * 64,
        stripe_account=account,
    )
    chat = Chat.objects.create(integration=row, telegram_id=-1001, title="Room")
    plan = Plan.objects.create(integration=row, stripe_price_id="price_1", sellable=True)
    PlanChat.objects.create(plan=plan, chat=chat)
    return row
