"""What an operator does for one customer by a button: left as durable jobs in their lane."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from velvetrope.pipeline import jobs
from velvetrope.store.ids import new_id
from velvetrope.store.models import Customer, Entitlement
from velvetrope.usecases.audit import record
from velvetrope.usecases.lanes import whom_of
from velvetrope.usecases.orders import (
    MESSAGE,
    REINVITE,
    SYNC,
    MessageOrder,
    ReinviteOrder,
    SyncOrder,
)
from velvetrope.usecases.wording.outgoing import LONGEST_TEXT

if TYPE_CHECKING:
    from velvetrope.usecases.audit import Plain


class OrderRefusedError(Exception):
    """What was ordered makes no sense; the message says why and what to do."""


def sync(customer_id: int, actor: str) -> str:
    """Order a fresh look at Stripe and Telegram; what is found is acted on.

    Gives the job's external id, by which its end can be looked up. DoesNotExist if unknown.
    """
    with transaction.atomic():
        customer = _get(customer_id)
        order = SyncOrder(
            integration_id=customer.integration_id, telegram_user_id=customer.telegram_user_id
        )
        # Where Stripe's events stand: while Stripe is away, the person can talk to the bot.
        lane = whom_of(customer, customer.integration.stripe_account_id).lane
        return _order(SYNC, order, customer, actor, lane=lane)


def reinvite(customer_id: int, actor: str) -> str:
    """Order fresh «get in» buttons for who holds a right; a ban is lifted.

    Gives the job's external id. Raises OrderRefusedError, and DoesNotExist if unknown.
    """
    with transaction.atomic():
        customer = _get(customer_id)
        _refuse_unreachable(customer)
        if not Entitlement.objects.filter(customer=customer, holds=True).exists():
            raise OrderRefusedError(
                "This person holds no right to any chat. Grant access first, or have them pay."
            )
        order = ReinviteOrder(
            integration_id=customer.integration_id, telegram_user_id=customer.telegram_user_id
        )
        return _order(REINVITE, order, customer, actor)


def write_to(customer_id: int, text: str, actor: str) -> str:
    """Order a message of plain text to a customer, from the bot; gives the job's external id.

    Raises OrderRefusedError, and DoesNotExist if unknown.
    """
    words = text.strip()
    if not words:
        raise OrderRefusedError("There is nothing to send. Write a text.")
    if len(words) > LONGEST_TEXT:
        raise OrderRefusedError(
            f"The text has {len(words)} characters, and Telegram takes {LONGEST_TEXT}. Shorten it."
        )
    with transaction.atomic():
        customer = _get(customer_id)
        _refuse_unreachable(customer)
        order = MessageOrder(
            integration_id=customer.integration_id,
            telegram_user_id=customer.telegram_user_id,
            text=words,
        )
        # The words stay between the operator and the person: the record tells their length.
        return _order(MESSAGE, order, customer, actor, about={"characters": len(words)})


def _get(customer_id: int) -> Customer:
    return Customer.objects.select_related("integration").get(id=customer_id)


def _refuse_unreachable(customer: Customer) -> None:
    """Refuse what would reach nobody, as Telegram would."""
    if customer.deactivated_at is not None:
        raise OrderRefusedError("This person's Telegram account is gone: nothing reaches them.")
    if customer.blocked_at is not None:
        raise OrderRefusedError(
            "This person blocks the bot, so no message reaches them. They have to unblock it first."
        )
    if customer.started_at is None:
        raise OrderRefusedError(
            "This person has never pressed /start, and bots may not write first. "
            "Send them the bot's link another way."
        )


def _order(
    kind: str,
    order: SyncOrder | ReinviteOrder | MessageOrder,
    customer: Customer,
    actor: str,
    *,
    lane: str = "",
    about: dict[str, Plain] | None = None,
) -> str:
    external_id = f"{kind}:{customer.id}:{new_id()}"
    jobs.enqueue(
        kind,
        order,
        account=customer.integration_id,
        lane=lane or f"tg:{customer.integration_id}:{customer.telegram_user_id}",
        external_id=external_id,
    )
    record(
        actor,
        f"member.{kind.removesuffix('_member')}_ordered",
        subject="customer",
        subject_id=customer.id,
        integration_id=customer.integration_id,
        after={"job": external_id, **(about or {})},
    )
    return external_id
