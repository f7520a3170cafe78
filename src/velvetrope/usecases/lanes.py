"""The line in which work about one customer stands."""

from __future__ import annotations


def lane_of(
    integration_id: int, telegram_user_id: int, stripe_customer_id: str | None, account_id: int
) -> str:
    """Stay in line with the Stripe events of the customer, if there can be any."""
    if stripe_customer_id:
        return f"stripe:{account_id}:{stripe_customer_id}"
    return f"tg:{integration_id}:{telegram_user_id}"
