"""One integration with a chat and a plan, in a database of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from velvetrope.store.models import Integration


@pytest.fixture
def integration(database: str) -> Integration:  # noqa: ARG001  the rows go into it
    from velvetrope.store import models  # noqa: PLC0415  Django is set up by now
    from velvetrope.store.encryption import Secret  # noqa: PLC0415  the same

    account = models.StripeAccount.objects.create(name="Shop", api_key=Secret("sk_test_0123456789"))
    row = models.Integration.objects.create(
        name="Bot",
        bot_id=7,
        token=Secret("7:token"),
        webhook_secret=Secret("hook"),
        webhook_secret_hash="0" * 64,
        stripe_account=account,
    )
    chat = models.Chat.objects.create(integration=row, telegram_id=-1001, title="Room")
    plan = models.Plan.objects.create(integration=row, stripe_price_id="price_1", sellable=True)
    models.PlanChat.objects.create(plan=plan, chat=chat)
    return row
