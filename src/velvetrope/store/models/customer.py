from __future__ import annotations

from django.db import models
from django.db.models.functions import Lower

from velvetrope.store.models.columns import id_field
from velvetrope.store.models.integration import LANGUAGES, Integration


class Customer(models.Model):
    """One Telegram user of one integration."""

    id = id_field()
    integration = models.ForeignKey(Integration, on_delete=models.PROTECT)
    telegram_user_id = models.BigIntegerField()
    first_name = models.CharField(max_length=255, blank=True, default="")
    username = models.CharField(max_length=64, blank=True, default="")
    #: What Telegram says, one of the product's languages or empty.
    telegram_language = models.CharField(max_length=2, blank=True, default="")
    #: What the customer chose with /language; wins.
    chosen_language = models.CharField(max_length=2, choices=LANGUAGES, blank=True, default="")
    #: The deep-link payload of the first /start.
    source = models.CharField(max_length=64, blank=True, default="")
    stripe_customer_id = models.CharField(max_length=255, null=True, blank=True)
    #: Since when the bot may write to this person; null until /start.
    started_at = models.DateTimeField(null=True, blank=True)
    #: Since when the person blocks the bot; null while messages arrive.
    blocked_at = models.DateTimeField(null=True, blank=True)
    #: Since when Telegram says that the account is deleted.
    deactivated_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["integration", "telegram_user_id"], name="customer_once_per_integration"
            )
        ]
        indexes = [
            models.Index(
                fields=["stripe_customer_id"],
                name="customer_by_stripe",
                condition=models.Q(stripe_customer_id__isnull=False),
            ),
            models.Index(
                Lower("username"), name="customer_by_username", condition=~models.Q(username="")
            ),
        ]

    def __str__(self) -> str:
        return f"customer {self.telegram_user_id}"
