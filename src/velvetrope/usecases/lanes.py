"""The line in which work about one customer stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from velvetrope.store.models import Customer

#: The columns of a `Whom`, for rows that name their customer.
WHOM: Final = (
    "customer__integration_id",
    "customer__telegram_user_id",
    "customer__stripe_customer_id",
    "customer__integration__stripe_account_id",
)


class Whom(NamedTuple):
    """What tells in which line work about somebody stands."""

    integration_id: int
    telegram_user_id: int
    stripe_customer_id: str | None
    #: The row of the Stripe account.
    account_id: int

    @property
    def lane(self) -> str:
        return lane_of(*self)


def whom_of(customer: Customer, account_id: int) -> Whom:
    """Name a customer to those who order work; `account_id` is the row of the Stripe account."""
    return Whom(
        customer.integration_id,
        customer.telegram_user_id,
        customer.stripe_customer_id,
        account_id,
    )


def lane_of(
    integration_id: int, telegram_user_id: int, stripe_customer_id: str | None, account_id: int
) -> str:
    """Stay in line with the Stripe events of the customer, if there can be any."""
    if stripe_customer_id:
        return f"stripe:{account_id}:{stripe_customer_id}"
    return f"tg:{integration_id}:{telegram_user_id}"
