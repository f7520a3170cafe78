"""Fills a database with customers in bulk: each pays for a month and is in the chat it opens."""

from __future__ import annotations

from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from django.utils import timezone

from velvetrope.store import models
from velvetrope.store.ids import new_id

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from django.db.models import Model

#: Rows of one statement; what is kept in memory meanwhile is some of these.
_AT_ONCE: Final = 5_000
#: One customer in so many has something that time brings about today.
_ONE_IN: Final = 30


def add_customers(count: int) -> None:
    """Spread customers evenly over the integrations that there are."""
    now = timezone.now()
    doors = list(
        models.PlanChat.objects.filter(plan__position=0).values_list(
            "plan__integration_id", "plan_id", "chat_id", "plan__stripe_price_id"
        )
    )
    numbers = iter(range(count))
    while some := list(islice(numbers, _AT_ONCE)):
        people = [_person(number, doors[number % len(doors)], now) for number in some]
        for rows in zip(*people, strict=True):
            _insert(rows)


def _person(number: int, door: tuple[int, int, int, str], now: datetime) -> tuple[Model, ...]:
    integration, plan, chat, price = door
    then = now - timedelta(days=number % 300, seconds=number % 86_400)
    end = now + timedelta(days=1 + number % _ONE_IN)
    customer = models.Customer(
        id=new_id(),
        integration_id=integration,
        telegram_user_id=10_000_000 + number,
        first_name=f"Person {number}",
        username=f"person{number}",
        telegram_language="en",
        stripe_customer_id=f"cus_crowd{number}",
        started_at=then,
        created_at=then,
    )
    right = models.Entitlement(
        id=new_id(),
        customer=customer,
        plan_id=plan,
        external_id=f"sub_crowd{number}",
        status="active",
        price_id=price,
        starts_at=then,
        period_end=end,
        holds=True,
        reason="active",
        decided_at=then,
        recheck_at=end + timedelta(hours=2),
        synced_at=now,
        opened_at=then,
        created_at=then,
    )
    place = models.Access(
        id=new_id(),
        customer=customer,
        chat_id=chat,
        desired=True,
        desired_at=then,
        observed="inside",
        observed_at=then,
        let_in_at=then,
        checked_at=then,
    )
    event = models.InboxEvent(
        id=new_id(),
        source="telegram",
        account=integration,
        external_id=str(number),
        kind="message",
        lane=f"tg:{integration}:{customer.telegram_user_id}",
        payload=b"{}",
        state="done",
        outcome="handled",
        received_at=then,
        finished_at=then,
    )
    return customer, right, place, event


def _insert(rows: Iterable[Model]) -> None:
    rows = list(rows)
    manager: Any = type(rows[0])._default_manager
    manager.bulk_create(rows)
