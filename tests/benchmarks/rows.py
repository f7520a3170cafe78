"""Fills a database with the rows of bots that are registered, or of messages to be sent."""

from __future__ import annotations

import argparse
import json
import os
from typing import TYPE_CHECKING

from tests.benchmarks.updates import SECRET

if TYPE_CHECKING:
    from collections.abc import Iterator

    from velvetrope.store.models import Integration, Plan


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--bots", type=int, default=0, help="so many bots")
    options.add_argument("--customers", type=int, default=0, help="so many in all")
    options.add_argument("--messages", type=int, default=0, help="so many of each bot")
    options.add_argument("--first", type=int, default=0, help="number of the first message")
    chosen = options.parse_args()

    from velvetrope import settings as product_settings  # noqa: PLC0415  Django is set up in here
    from velvetrope.web import django_config  # noqa: PLC0415  the same

    django_config.configure(product_settings.from_environment(os.environ))

    from django.db import transaction  # noqa: PLC0415  after Django is set up

    with transaction.atomic():
        _add_bots(chosen.bots)
        _add_messages(chosen.messages, chosen.first)
    if chosen.customers:
        from tests.benchmarks.crowd import add_customers  # noqa: PLC0415  after Django is set up

        with transaction.atomic():
            add_customers(chosen.customers)


def secret_of(number: int) -> str:
    """Give the webhook's secret of a bot; the first one has the one of all benchmarks."""
    return SECRET if number == 0 else f"{SECRET}-{number}"


def _add_bots(bots: int) -> None:
    from velvetrope.store import models  # noqa: PLC0415  after Django is set up

    account, _ = models.StripeAccount.objects.get_or_create(name="Bench", from_environment=True)
    made = models.Integration.objects.bulk_create(_bot(account.id, n) for n in range(bots))
    chats = models.Chat.objects.bulk_create(
        models.Chat(
            integration=bot,
            telegram_id=-1001234567890 - number,
            title="The channel",
            kind="channel",
        )
        for number, bot in enumerate(made)
    )
    plans = models.Plan.objects.bulk_create(
        plan for number, bot in enumerate(made) for plan in _plans(bot, number)
    )
    door = {chat.integration_id: chat for chat in chats}
    models.PlanChat.objects.bulk_create(
        models.PlanChat(plan=plan, chat=door[plan.integration_id]) for plan in plans
    )


def _bot(account_id: int, number: int) -> Integration:
    from velvetrope.store import models  # noqa: PLC0415  after Django is set up
    from velvetrope.store.encryption import Secret, installation_keys  # noqa: PLC0415  the same

    secret = secret_of(number)
    return models.Integration(
        name=f"Bench {number}",
        stripe_account_id=account_id,
        token=Secret(f"{123456789 + number}:" + "A" * 35),
        bot_id=123456789 + number,
        bot_username=f"bench{number}_bot",
        webhook_secret=Secret(secret),
        webhook_secret_hash=installation_keys().look_up_hash(secret),
        registration="registered",
        terms_url="https://example.com/terms",
    )


def _plans(bot: Integration, number: int) -> Iterator[Plan]:
    from django.utils import timezone  # noqa: PLC0415  after Django is set up

    from velvetrope.store import models  # noqa: PLC0415  the same

    for position, (name, amount, interval) in enumerate(
        [("Monthly", 500, "month"), ("Yearly", 5000, "year"), ("For ever", 9900, "one_time")]
    ):
        yield models.Plan(
            integration=bot,
            stripe_price_id=f"price_bench{number}_{position}",
            position=position,
            sellable=True,
            product_id=f"prod_bench{number}_{position}",
            product_name=name,
            currency="eur",
            unit_amount=amount,
            interval=interval,
            synced_at=timezone.now(),
        )


def _add_messages(each: int, first: int) -> None:
    from django.utils import timezone  # noqa: PLC0415  after Django is set up

    from velvetrope.store import models  # noqa: PLC0415  the same
    from velvetrope.store.ids import new_id  # noqa: PLC0415  the same

    now = timezone.now()
    models.OutboxItem.objects.bulk_create(
        models.OutboxItem(
            id=new_id(),
            integration_id=bot,
            chat_id=1_000_000 + number,
            method="sendMessage",
            params=json.dumps({"chat_id": 1_000_000 + number, "text": "Good news"}).encode(),
            priority="bulk",
            created_at=now,
        )
        for bot in models.Integration.objects.values_list("id", flat=True)
        for number in range(first, first + each)
    )


if __name__ == "__main__":
    main()
