from __future__ import annotations

from django.db import models

from velvetrope.domain.states import CheckoutState
from velvetrope.store.models.columns import id_field, one_of, state_field
from velvetrope.store.models.customer import Customer
from velvetrope.store.models.integration import Plan


class Checkout(models.Model):
    """One Checkout Session that was made for a customer and a plan."""

    id = id_field()
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE)
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT)
    stripe_session_id = models.CharField(max_length=255, unique=True)
    url = models.TextField(blank=True, default="")
    state = state_field(CheckoutState, CheckoutState.OPEN)
    expires_at = models.DateTimeField()
    created_at = models.DateTimeField()

    class Meta:
        constraints = [one_of("state", CheckoutState, "checkout")]
        indexes = [
            models.Index(
                fields=["customer", "plan"],
                name="checkout_open",
                condition=models.Q(state=CheckoutState.OPEN.value),
            ),
            models.Index(
                fields=["expires_at"],
                name="checkout_unsettled",
                condition=models.Q(
                    state__in=[CheckoutState.OPEN.value, CheckoutState.PENDING.value]
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.stripe_session_id
