"""Whom something seen at Stripe belongs to, among the rows of this installation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from velvetrope.domain.access import Reason
from velvetrope.domain.states import GIVEN, CheckoutState, Dispute, EntitlementKind, Refund
from velvetrope.store.models import Checkout, Customer, Entitlement, Integration

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Statuses that a subscription never leaves.
FINAL_STATUSES = ("canceled", "incomplete_expired")
#: States of a Checkout Session that something may still come of.
UNSETTLED = (CheckoutState.OPEN.value, CheckoutState.PENDING.value)


def find_integration_of_bot(bot_id: int, account_id: int) -> int | None:
    """Find the integration that sells for this bot from this Stripe account."""
    return (
        Integration.objects.filter(bot_id=bot_id, stripe_account_id=account_id)
        .values_list("id", flat=True)
        .first()
    )


def find_customer_of_stripe(stripe_customer_id: str, account_id: int) -> tuple[int, int] | None:
    """Find (integration, Telegram user) of a Stripe customer; None unless it is exactly one."""
    found = list(
        Customer.objects.filter(
            stripe_customer_id=stripe_customer_id, integration__stripe_account_id=account_id
        ).values_list("integration_id", "telegram_user_id")[:2]
    )
    return found[0] if len(found) == 1 else None


def find_customer_of_session(session_id: str, account_id: int) -> tuple[int, int] | None:
    """Find (integration, Telegram user) for whom a Checkout Session was made here."""
    return (
        Checkout.objects.filter(
            stripe_session_id=session_id, customer__integration__stripe_account_id=account_id
        )
        .values_list("customer__integration_id", "customer__telegram_user_id")
        .first()
    )


def find_holder(external_id: str, account_id: int) -> tuple[int, int] | None:
    """Find (integration, Telegram user) of whom a subscription or payment is known to be."""
    return (
        Entitlement.objects.filter(
            external_id=external_id, customer__integration__stripe_account_id=account_id
        )
        .values_list("customer__integration_id", "customer__telegram_user_id")
        .first()
    )


def find_stripe_customer(integration_id: int, telegram_user_id: int) -> str | None:
    """Find the Stripe customer of a customer."""
    return (
        Customer.objects.filter(integration_id=integration_id, telegram_user_id=telegram_user_id)
        .values_list("stripe_customer_id", flat=True)
        .first()
    )


def find_payer(integration_id: int, telegram_user_id: int) -> str | None:
    """Find the Stripe customer who pays for what the customer holds, or would pay for more.

    Somebody else may pay: then it is theirs, of the newest subscription that isn't over.
    """
    whose = {
        "customer__integration_id": integration_id,
        "customer__telegram_user_id": telegram_user_id,
    }
    payer = (
        Entitlement.objects.filter(kind=EntitlementKind.SUBSCRIPTION.value, **whose)
        .exclude(status__in=FINAL_STATUSES)
        .exclude(stripe_customer_id="")
        .order_by("-id")
        .values_list("stripe_customer_id", flat=True)
        .first()
    )
    return payer or find_stripe_customer(integration_id, telegram_user_id)


def list_customers_of_stripe(stripe_customer_id: str, account_id: int) -> list[tuple[int, int]]:
    """List (integration, Telegram user) of all for whom a Stripe customer pays, or may."""
    ours = Customer.objects.filter(integration__stripe_account_id=account_id)
    paid_for = Entitlement.objects.filter(stripe_customer_id=stripe_customer_id).exclude(
        status__in=FINAL_STATUSES
    )
    linked = ours.filter(stripe_customer_id=stripe_customer_id)
    found = linked | ours.filter(id__in=paid_for.values("customer_id"))
    return list(found.order_by("id").values_list("integration_id", "telegram_user_id"))


def is_linked_to_another(stripe_customer_id: str, customer_id: int, account_id: int) -> bool:
    """Tell whether a Stripe customer is known as somebody else's."""
    others = Customer.objects.filter(
        stripe_customer_id=stripe_customer_id, integration__stripe_account_id=account_id
    )
    return others.exclude(id=customer_id).exists()


def find_recorded(external_ids: Sequence[str]) -> set[str]:
    """Find which of these subscriptions and payments have a row, whoever's it is."""
    rows = Entitlement.objects.filter(external_id__in=external_ids)
    return set(rows.values_list("external_id", flat=True))


def find_taken_back(external_ids: Sequence[str]) -> set[str]:
    """Find which of these rights a refund or a dispute may suspend or end."""
    rows = Entitlement.objects.filter(external_id__in=external_ids).exclude(
        refund=Refund.NONE.value, dispute__in=(Dispute.NONE.value, Dispute.WON.value)
    )
    return set(rows.values_list("external_id", flat=True))


def list_names(integration_id: int, telegram_user_id: int) -> list[str]:
    """List what a customer's rights and purchases rest on at Stripe, but for what is over.

    Subscriptions and payments first, then Checkout Sessions whose end is not known.
    """
    whose = {
        "customer__integration_id": integration_id,
        "customer__telegram_user_id": telegram_user_id,
    }
    rights = (
        Entitlement.objects.filter(**whose)
        .exclude(kind__in=GIVEN)
        .exclude(kind=EntitlementKind.SUBSCRIPTION.value, status__in=FINAL_STATUSES)
        .exclude(kind=EntitlementKind.ONE_TIME.value, reason=Reason.LAPSED.value)
        .exclude(external_id__startswith="cs_")  # cost nothing: there is nothing to be undone
    )
    sessions = Checkout.objects.filter(**whose, state__in=UNSETTLED)
    return [
        *rights.order_by("id").values_list("external_id", flat=True),
        *sessions.order_by("id").values_list("stripe_session_id", flat=True),
    ]
